// SPDX-License-Identifier: Apache-2.0
// The progress bar, drawn into a file by a clock that the test turns.
#include "tools/command/progress.h"

#include <doctest/doctest.h>

#include <memory>
#include <string>

namespace octet::test::progress_test {

using octet::command::Progress;
using octet::command::Terminal;

namespace {

double time_now = 0;

// What a bar writes to a terminal while `use` updates it.
template <class Use>
std::string drawn(bool interactive, const Use& use) {
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::tmpfile(), std::fclose);
  time_now = 0;
  {
    Progress progress("work", 200, Terminal{file.get(), interactive, [] { return time_now; }});
    use(progress);
  }
  std::string text(static_cast<std::size_t>(std::ftell(file.get())), '\0');
  std::rewind(file.get());
  text.resize(std::fread(text.data(), 1, text.size(), file.get()));
  return text;
}

}  // namespace

TEST_CASE("progress: nothing before half a second, nothing where there is no terminal") {
  CHECK(drawn(true, [](Progress& progress) {
          time_now = 0.4;
          progress.update(100);
        }).empty());
  CHECK(drawn(false, [](Progress& progress) {
          time_now = 10;
          progress.update(100);
        }).empty());
}

TEST_CASE("progress: draws over itself and clears the line") {
  const std::string text = drawn(true, [](Progress& progress) {
    time_now = 0.6;
    progress.update(100);
    time_now = 0.65;
    progress.update(101);  // too early
    time_now = 0.8;
    progress.update(500);  // more than all
  });
  const std::string half = "work [===============>              ]  50 %";
  const std::string full = "work [==============================] 100 %";
  CHECK(text == "\r" + half + "\r" + full + "\r" + std::string(full.size(), ' ') + "\r");
}

}  // namespace octet::test::progress_test
