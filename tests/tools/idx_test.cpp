// SPDX-License-Identifier: Apache-2.0
// The IDX reader: plain and gzipped files; those that are wrong: tests/faults/.
#include "tools/data/idx.h"

#include <doctest/doctest.h>

#include "tests/tools/data_files.h"
#include "tests/tools/temporary_folder.h"

namespace octet::test::idx_test {

using data::read_idx;

namespace {

std::string bytes_of(const data::Array& array) {
  return {reinterpret_cast<const char*>(array.data.data()), array.data.size()};
}

}  // namespace

TEST_CASE("idx: plain and gzipped files give the same array") {
  const TemporaryFolder folder;
  const std::string file = idx_file({3, 2, 2}, "abcdefghijkl");
  for (const auto& path : {folder.write("a", file), folder.write("a.gz", gzip(file))}) {
    const data::Array array = read_idx(path);
    CHECK(array.type == data::ArrayType::u8);
    CHECK(array.shape == std::vector<std::size_t>{3, 2, 2});
    CHECK(array.row_elements() == 4);
    CHECK(bytes_of(array) == "abcdefghijkl");
  }
}

TEST_CASE("idx: the first rows only, the rest still checked") {
  const TemporaryFolder folder;
  const std::string file = idx_file({3, 2}, "abcdef");
  const data::Array array = read_idx(folder.write("a", file), 2);
  CHECK(array.shape == std::vector<std::size_t>{2, 2});
  CHECK(bytes_of(array) == "abcd");
  const auto path = folder.write("b", gzip(file.substr(0, file.size() - 1)));
  CHECK(failure_of([&] { read_idx(path, 2); }).says("holds 5 bytes"));
}

TEST_CASE("idx: data larger than one chunk") {
  const TemporaryFolder folder;
  std::string data(2'500'000, '\0');
  for (std::size_t i = 0; i < data.size(); ++i) data[i] = static_cast<char>(i * 7 >> 3);
  const auto path = folder.write("a.gz", gzip(idx_file({2500, 1000}, data)));
  CHECK(bytes_of(read_idx(path)) == data);
  CHECK(bytes_of(read_idx(path, 1100)) == data.substr(0, 1'100'000));
}

TEST_CASE("idx: an empty array") {
  const TemporaryFolder folder;
  const data::Array array = read_idx(folder.write("a", idx_file({0, 28, 28}, "")));
  CHECK(array.rows() == 0);
  CHECK(array.data.empty());
}

}  // namespace octet::test::idx_test
