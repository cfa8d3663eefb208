// SPDX-License-Identifier: Apache-2.0
// Every allocation of `octet convert` fails once, alone and with all after it: the command must
// exit with 1, one message and no output file; or, where the standard library can do without, with
// 0 and the same file. Each in a process of its own, since a library may end it.
//   octet_convert_failures [--stride N]     every N-th allocation only, and each of the last 128:
//                                           those in which the file is written and gets its name
#define DOCTEST_CONFIG_DISABLE  // headers of the tests use its macros
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>

#include "tests/faults/allocations.h"
#include "tests/tools/small_network.h"
#include "tools/command/command.h"

namespace {

using namespace octet::test;

constexpr std::size_t kLast = 128;

struct Outcome {
  bool ended = false;  // not by a signal
  int status = 0;      // of exit, or the signal
  std::string said;    // on stderr
};

// A number that a child process leaves to this one.
std::size_t* shared_number() {
  static void* page = ::mmap(nullptr, sizeof(std::size_t), PROT_READ | PROT_WRITE,
                             MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (page == MAP_FAILED) std::abort();
  return static_cast<std::size_t*>(page);
}

// Converts in a child process whose allocation number `index` fails; leaves the number of
// allocations where that is 0.
Outcome convert(const TemporaryFolder& folder, std::size_t index, bool all_after) {
  std::size_t* const allocated = shared_number();
  const std::string model = folder / "net.onnx";
  const std::string output = folder / "net.octet";
  const std::string log = folder / "stderr";
  const std::string data = folder.path();
  std::fflush(nullptr);
  const pid_t child = ::fork();
  if (child == 0) {
    const int err = ::open(log.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
    const int out = ::open("/dev/null", O_WRONLY);
    ::dup2(err, 2);
    ::dup2(out, 1);
    const char* arguments[] = {"octet",        "convert",     model.c_str(), "-o",
                               output.c_str(), "--calibrate", data.c_str()};
    const std::size_t before = allocations::calls();
    allocations::fail(index, all_after);
    const int status = octet::command::run(static_cast<int>(std::size(arguments)), arguments);
    if (index == 0) *allocated = allocations::calls() - before;
    ::_exit(status);
  }
  int status = 0;
  Outcome outcome;
  if (child < 0 || ::waitpid(child, &status, 0) != child) return outcome;
  outcome.ended = WIFEXITED(status);
  outcome.status = outcome.ended ? WEXITSTATUS(status) : WTERMSIG(status);
  outcome.said = folder.read("stderr");
  return outcome;
}

// One message, as of any error.
bool is_message(const std::string& said) {
  return said.starts_with("octet: ") && said.ends_with("\n") && said.find('\n') == said.size() - 1;
}

class Test {
 public:
  Test() {
    small_network().write(folder_, "net.onnx");
    write_data(folder_, std::string(kTest, '\0'));
    convert(folder_, 0, false);
    allocations_ = *shared_number();
    expected_ = folder_.read("net.octet");
    folder_.write("stderr", "");
    std::remove((folder_ / "net.octet").c_str());
    files_ = folder_.files();
  }

  void run(std::size_t stride, bool all_after) {
    std::size_t refused = 0;
    std::size_t done_without = 0;
    std::size_t killed = 0;
    for (std::size_t index = 1; index <= allocations_;
         index += index + kLast < allocations_ ? stride : 1) {
      const Outcome outcome = convert(folder_, index, all_after);
      if (!outcome.ended) {
        ++killed;
        std::printf("  allocation %zu: ended by signal %d: %s\n", index, outcome.status,
                    outcome.said.c_str());
      } else if (outcome.status == 0 && folder_.has("net.octet")) {
        ++done_without;
        if (folder_.read("net.octet") != expected_) wrong(index, "another file", outcome);
      } else {
        ++refused;
        if (outcome.status != 1) wrong(index, "another exit status than 1", outcome);
        if (!is_message(outcome.said)) wrong(index, "not one message", outcome);
      }
      if (outcome.status != 0 && folder_.files() != files_) wrong(index, "a file is left", outcome);
      std::remove((folder_ / "net.octet").c_str());
    }
    std::printf(
        "%zu allocations, fail %s: %zu refused with 1, %zu done without, %zu ended by a signal\n",
        allocations_, all_after ? "with all after" : "alone", refused, done_without, killed);
    wrong_ += killed;
    refused_ += refused;
  }

  int report() const {
    if (expected_.empty() || refused_ == 0) std::printf("nothing was tested\n");
    return wrong_ == 0 && !expected_.empty() && refused_ > 0 ? 0 : 1;
  }

 private:
  void wrong(std::size_t index, const char* what, const Outcome& outcome) {
    ++wrong_;
    std::printf("  allocation %zu: %s: %d %s\n", index, what, outcome.status, outcome.said.c_str());
  }

  TemporaryFolder folder_;
  std::string expected_;
  std::size_t files_ = 0;
  std::size_t allocations_ = 0;  // of a convert that has all it asks for
  std::size_t refused_ = 0;
  std::size_t wrong_ = 0;
};

}  // namespace

int main(int argc, char** argv) {
  std::size_t stride = 1;
  if (argc == 3 && std::string_view(argv[1]) == "--stride") {
    std::from_chars(argv[2], argv[2] + std::strlen(argv[2]), stride);
  } else if (argc != 1) {
    stride = 0;
  }
  if (stride == 0) {
    std::fprintf(stderr, "usage: octet_convert_failures [--stride N]\n");
    return 2;
  }
  Test test;
  test.run(stride, false);
  test.run(stride, true);
  return test.report();
}
