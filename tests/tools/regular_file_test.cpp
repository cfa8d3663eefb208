// SPDX-License-Identifier: Apache-2.0
#include "tools/convert/regular_file.h"

#include <doctest/doctest.h>

#include <filesystem>

#include "tests/tools/data_files.h"
#include "tests/tools/temporary_folder.h"

namespace octet::test::regular_file_test {

using octet::convert::RegularFile;

TEST_CASE("regular file: parts of it") {
  const TemporaryFolder folder;
  const RegularFile file(folder.write("data", "0123456789"), "it");
  CHECK(file.size() == 10);
  CHECK(file.read(3, 4) == "3456");
  CHECK(file.read(10, 0).empty());
  CHECK(failure_of([&] { file.read(3, 8); }).message ==
        "it: has 10 bytes, too few for 8 at offset 3; export the model again");
  CHECK(failure_of([&] { file.read(11, 0); }).thrown);
}

TEST_CASE("regular file: one that was opened stays the same, and may become shorter") {
  const TemporaryFolder folder;
  const std::string path = folder.write("data", "0123456789");
  const RegularFile file(path, "it");
  std::filesystem::rename(folder.write("other", "abcdefghij"), path);
  CHECK(file.read(0, 10) == "0123456789");
  const RegularFile shorter(path, "it");
  std::filesystem::resize_file(path, 4);
  CHECK(failure_of([&] { shorter.read(0, 10); }).message ==
        "it: cannot be read: it became shorter");
}

}  // namespace octet::test::regular_file_test
