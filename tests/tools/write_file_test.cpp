// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <string>

#include "tests/engine/test_error.h"
#include "tests/tools/temporary_folder.h"
#include "tools/convert/model_writer.h"

namespace octet::test::write_file_test {

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

TEST_CASE("what a killed process left behind is no obstacle") {
  const TemporaryFolder folder;
  const std::string left = "x.octet." + std::to_string(::getpid()) + "-0.part";
  folder.write(left, "half of a mod");
  write(folder / "x.octet", "whole");
  CHECK(folder.read("x.octet") == "whole");
  CHECK(folder.read(left) == "half of a mod");
  CHECK(folder.files() == 2);
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
