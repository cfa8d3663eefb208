// SPDX-License-Identifier: Apache-2.0
// The IDX reader: plain and gzipped files, and every way in which one can be wrong.
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

Failure read_fails(const std::string& path) {
  return failure_of([&] { read_idx(path); });
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

TEST_CASE("idx: too short and too long") {
  const TemporaryFolder folder;
  const std::string file = idx_file({3, 2}, "abcdef");
  for (const bool zipped : {false, true}) {
    const auto make = [&](const std::string& bytes) {
      return folder.write("a", zipped ? gzip(bytes) : bytes);
    };
    Failure failure = read_fails(make(file.substr(0, file.size() - 2)));
    CHECK(failure.code == Error::Code::format);
    CHECK(failure.says("4 bytes of data"));
    CHECK(failure.says("3 x 2 = 6"));
    failure = read_fails(make(file + "g"));
    CHECK(failure.code == Error::Code::format);
    CHECK(failure.says("more than 6 bytes"));
  }
}

TEST_CASE("idx: headers that are none") {
  const TemporaryFolder folder;
  CHECK(read_fails(folder.write("a", "")).says("not an IDX file"));
  CHECK(read_fails(folder.write("a", "\x89PNG....")).says("not an IDX file"));
  CHECK(read_fails(folder.write("a", std::string("\0\0\x0d\x01\0\0\0\0", 8))).says("0x0d"));
  CHECK(read_fails(folder.write("a", std::string("\0\0\x08\0", 4))).says("rank 0"));
  CHECK(read_fails(folder.write("a", std::string("\0\0\x08\x09", 4))).says("rank 9"));
  CHECK(read_fails(folder.write("a", idx_file({3, 2}, "").substr(0, 9))).says("only 1 extents"));
}

TEST_CASE("idx: a header that declares more than the file can hold") {
  const TemporaryFolder folder;
  const Failure plain = read_fails(folder.write("a", idx_file({60000, 28, 28}, "abc")));
  CHECK(plain.code == Error::Code::format);
  CHECK(plain.says("47040000"));
  // 1032 is the most that deflate can do, so this is refused before a byte is allocated.
  const Failure zipped = read_fails(folder.write("a", gzip(idx_file({60000, 28, 28}, "abc"))));
  CHECK(zipped.code == Error::Code::format);
  CHECK(zipped.says("at most"));
  const Failure huge =
      read_fails(folder.write("a", idx_file({0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff}, "")));
  CHECK(huge.code == Error::Code::limit);
  CHECK(huge.says("4294967295 x 4294967295"));
  const Failure hidden =
      read_fails(folder.write("a", idx_file({0, 0xffffffff, 0xffffffff, 0xffffffff}, "")));
  CHECK(hidden.code == Error::Code::limit);
}

TEST_CASE("idx: a damaged gzip stream") {
  const TemporaryFolder folder;
  std::string data(5000, '\0');
  for (std::size_t i = 0; i < data.size(); ++i) data[i] = static_cast<char>(i * i >> 3);
  const std::string file = gzip(idx_file({5, 1000}, data));
  const Failure cut = read_fails(folder.write("a", file.substr(0, file.size() / 2)));
  CHECK(cut.code == Error::Code::format);
  CHECK(cut.says("get the file again"));
  std::string changed = file;
  changed[changed.size() - 6] = static_cast<char>(changed[changed.size() - 6] ^ 1);  // the CRC
  const Failure crc = read_fails(folder.write("a", changed));
  CHECK(crc.code == Error::Code::format);
  CHECK(crc.says("get the file again"));
}

TEST_CASE("idx: no file, or a folder") {
  const TemporaryFolder folder;
  const Failure none = read_fails(folder / "none");
  CHECK(none.code == Error::Code::io);
  CHECK(none.says((folder / "none") + ": no such file"));
  CHECK(read_fails(folder.path()).says("not a regular file"));
}

}  // namespace octet::test::idx_test
