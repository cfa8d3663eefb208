// SPDX-License-Identifier: Apache-2.0
#include "engine/mapped_file.h"

#include <doctest/doctest.h>
#include <sys/stat.h>

#include <cstdint>
#include <utility>

#include "tests/engine/test_error.h"
#include "tests/tools/temporary_folder.h"

namespace octet::test::mapped_file_test {

using octet::engine::MappedFile;

namespace {

std::string text_of(const MappedFile& file) {
  const auto bytes = file.bytes();
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace

TEST_CASE("a file is mapped or copied whole, aligned to 64") {
  const TemporaryFolder folder;
  std::string contents(100000, 'a');
  contents[99999] = 'z';
  const std::string path = folder.write("x", contents);
  for (const auto mode : {MappedFile::Mode::map, MappedFile::Mode::copy}) {
    const MappedFile file(path, mode, contents.size());
    CHECK(text_of(file) == contents);
    CHECK(reinterpret_cast<std::uintptr_t>(file.bytes().data()) % 64 == 0);
  }
}

TEST_CASE("an empty file has no bytes") {
  const TemporaryFolder folder;
  const std::string path = folder.write("empty", "");
  for (const auto mode : {MappedFile::Mode::map, MappedFile::Mode::copy}) {
    CHECK(MappedFile(path, mode, 0).bytes().empty());
  }
}

TEST_CASE("a moved file keeps its bytes") {
  const TemporaryFolder folder;
  MappedFile a(folder.write("a", "first"), MappedFile::Mode::map, 100);
  MappedFile b(folder.write("b", "second"), MappedFile::Mode::copy, 100);
  MappedFile c(std::move(a));
  CHECK(text_of(c) == "first");
  c = std::move(b);
  CHECK(text_of(c) == "second");
}

TEST_CASE("what cannot be read is named with its reason") {
  const TemporaryFolder folder;
  const auto open = [](const std::string& path, std::uint64_t most = 100) {
    return error_of([&] { MappedFile(path, MappedFile::Mode::map, most); });
  };
  const std::string missing = folder / "missing";
  CHECK(open(missing) == "io: " + missing + ": there is no such file; check the path");
  CHECK(open(folder.path()) == "io: " + folder.path() + ": is a directory, not a model file");
  const std::string pipe = folder / "pipe";
  REQUIRE(::mkfifo(pipe.c_str(), 0600) == 0);
  CHECK(open(pipe) == "io: " + pipe + ": is no regular file, not a model file");
  const std::string large = folder.write("large", "12345");
  CHECK(open(large, 4) == "limit: " + large + ": has 5 bytes, the limit file_bytes is 4");
  CHECK(open(large, 5) == "nothing");
}

}  // namespace octet::test::mapped_file_test
