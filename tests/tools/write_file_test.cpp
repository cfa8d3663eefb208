// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "tests/engine/test_error.h"
#include "tools/convert/model_writer.h"

namespace fs = std::filesystem;
using octet::convert::write_file;
using octet::testing::error_of;

namespace {

struct Folder {
  fs::path path;
  Folder()
      : path(fs::temp_directory_path() / ("octet_write_file_test." + std::to_string(::getpid()))) {
    fs::create_directory(path);
  }
  ~Folder() { fs::remove_all(path); }
  std::size_t entries() const {
    return static_cast<std::size_t>(
        std::distance(fs::directory_iterator(path), fs::directory_iterator()));
  }
};

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

std::string read(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

void write(const fs::path& path, const std::string& text) {
  write_file(path.string(), text.data(), text.size());
}

}  // namespace

TEST_CASE("a file is written and replaced whole, and nothing else is left") {
  const Folder folder;
  const fs::path path = folder.path / "x.octet";
  write(path, "first version");
  CHECK(read(path) == "first version");
  write(path, "");
  CHECK(read(path).empty());
  write(path, std::string(3'000'000, 'b'));
  CHECK(read(path) == std::string(3'000'000, 'b'));
  CHECK(folder.entries() == 1);
}

TEST_CASE("a folder that is missing is an error of the path") {
  const Folder folder;
  const std::string path = (folder.path / "missing" / "x.octet").string();
  CHECK(error_of([&] { write(path, "x"); }) ==
        "io: " + path + ": cannot be created: No such file or directory");
  CHECK(folder.entries() == 0);
}

TEST_CASE("folders and devices are not replaced") {
  const Folder folder;
  fs::create_directory(folder.path / "sub");
  const std::string path = (folder.path / "sub").string();
  CHECK(error_of([&] { write(path, "x"); }) ==
        "io: " + path + ": is a directory; name a file to write");
  CHECK(error_of([&] { write("/dev/null", "x"); }) ==
        "io: /dev/null: is no regular file; name a file to write");
  CHECK(folder.entries() == 1);
}

TEST_CASE("a failed write leaves the old file and no other") {
  const Folder folder;
  const fs::path path = folder.path / "x.octet";
  write(path, "old");
  const std::string error = error_of([&] {
    const FileSizeLimit limit(4096);
    write(path, std::string(100'000, 'n'));
  });
  CHECK(error == "io: " + path.string() + ": cannot be written: File too large");
  CHECK(read(path) == "old");
  CHECK(folder.entries() == 1);
}
