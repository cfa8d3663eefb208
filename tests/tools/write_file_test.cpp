// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "tests/engine/test_error.h"
#include "tests/tools/temporary_folder.h"
#include "tools/convert/write_file.h"

namespace octet::test::write_file_test {

using octet::convert::PendingFile;
using octet::convert::write_file;

namespace {

// Writes beyond the limit fail with EFBIG.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(rlim_t bytes) : handler_(std::signal(SIGXFSZ, SIG_IGN)) {
    ::getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit limit{bytes, before_.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &limit);
  }
  ~FileSizeLimit() {
    ::setrlimit(RLIMIT_FSIZE, &before_);
    std::signal(SIGXFSZ, handler_);
  }

 private:
  void (*handler_)(int);
  rlimit before_{};
};

void write(const std::string& path, const std::string& text) {
  write_file(path, text.data(), text.size());
}

}  // namespace

TEST_CASE("a file is written and replaced whole, and nothing else is left") {
  const TemporaryFolder folder;
  const std::string path = folder / "x.octet";
  write(path, "first version");
  CHECK(folder.read("x.octet") == "first version");
  write(path, "");
  CHECK(folder.read("x.octet").empty());
  write(path, std::string(3'000'000, 'b'));
  CHECK(folder.read("x.octet") == std::string(3'000'000, 'b'));
  CHECK(folder.files() == 1);
}

TEST_CASE("a folder that is missing is an error of the path") {
  const TemporaryFolder folder;
  const std::string path = folder / "missing/x.octet";
  CHECK(error_of([&] { write(path, "x"); }) ==
        "io: " + path + ": cannot be created: No such file or directory");
  CHECK(folder.files() == 0);
}

TEST_CASE("what a killed process left behind is no obstacle, and is removed") {
  const TemporaryFolder folder;
  const std::string own = "x.octet." + std::to_string(::getpid()) + "-0.part";
  for (const std::string& left :
       {own, std::string("x.octet.1-0.part"), std::string("x.octet.99-7.part")}) {
    folder.write(left, "half of a mod");
  }
  // Not what write_file() leaves of this file.
  const std::vector<std::string> others{
      "y.octet.1-0.part",     "x.octet.part",     "x.octet.-.part",     "x.octet.1.part",
      "x.octet.1-0.part.old", "x.octet.a-0.part", "x.octet.1-0-0.part", "xyoctet.1-0.part"};
  for (const std::string& other : others) folder.write(other, "other");
  std::filesystem::create_directory(folder / "x.octet.2-0.part");
  std::filesystem::create_symlink("y.octet.1-0.part", folder / "x.octet.3-0.part");
  write(folder / "x.octet", "whole");
  CHECK(folder.read("x.octet") == "whole");
  for (const std::string& other : others) CHECK(folder.read(other) == "other");
  CHECK(folder.files() == 1 + others.size() + 2);
}

TEST_CASE("what is being written is left alone") {
  const TemporaryFolder folder;
  const std::string path = folder / "x.octet";
  PendingFile first(path, "first", 5);
  {
    PendingFile second(path, "second", 6);
    CHECK(folder.files() == 2);
    second.commit();
    CHECK(folder.read("x.octet") == "second");
  }
  PendingFile moved(std::move(first));
  write(path, "third");
  CHECK(folder.files() == 2);
  moved.commit();
  CHECK(folder.read("x.octet") == "first");
  { const PendingFile dropped(path, "dropped", 7); }
  CHECK(folder.read("x.octet") == "first");
  CHECK(folder.files() == 1);
}

TEST_CASE("folders and devices are not replaced") {
  const TemporaryFolder folder;
  std::filesystem::create_directory(folder / "sub");
  const std::string path = folder / "sub";
  CHECK(error_of([&] { write(path, "x"); }) ==
        "io: " + path + ": is a directory; name a file to write");
  CHECK(error_of([&] { write("/dev/null", "x"); }) ==
        "io: /dev/null: is no regular file; name a file to write");
  CHECK(folder.files() == 1);
}

TEST_CASE("a failed write leaves the old file and no other") {
  const TemporaryFolder folder;
  const std::string path = folder / "x.octet";
  write(path, "old");
  const std::string error = error_of([&] {
    const FileSizeLimit limit(4096);
    write(path, std::string(100'000, 'n'));
  });
  CHECK(error == "io: " + path + ": cannot be written: File too large");
  CHECK(folder.read("x.octet") == "old");
  CHECK(folder.files() == 1);
}

}  // namespace octet::test::write_file_test
