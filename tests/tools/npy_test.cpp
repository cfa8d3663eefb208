// SPDX-License-Identifier: Apache-2.0
// The .npy reader and writer: numpy's own bytes, every type; files that are wrong: tests/faults/.
#include "tools/data/npy.h"

#include <doctest/doctest.h>

#include <cstring>

#include "tests/tools/temporary_folder.h"

namespace octet::test::npy_test {

using data::ArrayType;
using data::read_npy;

namespace {

// A file of the given version with this dict and data.
std::string npy(const std::string& dict, const std::string& data, char version = 1) {
  std::string file = "\x93NUMPY";
  file +=
      {version, '\0', static_cast<char>(dict.size() & 0xff), static_cast<char>(dict.size() >> 8)};
  if (version > 1) file += {'\0', '\0'};
  return file + dict + data;
}

std::span<const std::byte> bytes_of(const std::string& text) {
  return std::as_bytes(std::span(text));
}

}  // namespace

TEST_CASE("npy: what numpy 1.24 writes for arange(6, dtype=float32).reshape(2, 3)") {
  const TemporaryFolder folder;
  std::string file("\x93NUMPY\x01\x00\x76\x00", 10);
  file += "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }";
  file.append(127 - file.size(), ' ');
  file += '\n';
  for (int i = 0; i < 6; ++i) {
    const auto value = static_cast<float>(i);
    file.append(reinterpret_cast<const char*>(&value), sizeof value);
  }
  const data::Array array = read_npy(folder.write("x.npy", file));
  CHECK(array.type == ArrayType::f32);
  CHECK(array.shape == std::vector<std::size_t>{2, 3});
  for (std::size_t i = 0; i < 6; ++i) CHECK(array.as<float>()[i] == static_cast<float>(i));

  const auto written = data::npy_file(ArrayType::f32, array.shape, array.data);
  REQUIRE(written.size() == file.size());
  CHECK(std::memcmp(written.data(), file.data(), file.size()) == 0);
}

TEST_CASE("npy: every type and rank comes back as it was written") {
  const TemporaryFolder folder;
  const std::string bytes = "0123456789abcdefABCDEFGH";
  struct Case {
    ArrayType type;
    std::vector<std::size_t> shape;
  };
  for (const auto& [type, shape] :
       {Case{ArrayType::u8, {24}}, Case{ArrayType::s8, {2, 3, 4}}, Case{ArrayType::i32, {1, 6}},
        Case{ArrayType::i64, {3}}, Case{ArrayType::f32, {6, 1, 1}}, Case{ArrayType::f64, {3, 1}}}) {
    const auto path = folder.write("x.npy", data::npy_file(type, shape, bytes_of(bytes)));
    const data::Array array = read_npy(path);
    CHECK(array.type == type);
    CHECK(array.shape == shape);
    CHECK(std::memcmp(array.data.data(), bytes.data(), bytes.size()) == 0);
    CHECK((folder.read("x.npy").size() - bytes.size()) % 64 == 0);
  }
  const auto path = folder.write("x.npy", data::npy_file(ArrayType::f64, {}, bytes_of("12345678")));
  CHECK(read_npy(path).shape.empty());
  CHECK(read_npy(path).data.size() == 8);
}

TEST_CASE("npy: versions 2 and 3, and rows") {
  const TemporaryFolder folder;
  for (const char version : {'\x01', '\x02', '\x03'}) {
    const auto path = folder.write(
        "x.npy",
        npy("{\"shape\":(3,2,),'fortran_order':False,'descr':'|u1'}\n", "abcdef", version));
    CHECK(read_npy(path).shape == std::vector<std::size_t>{3, 2});
    const data::Array two = read_npy(path, 2);
    CHECK(two.shape == std::vector<std::size_t>{2, 2});
    CHECK(std::memcmp(two.data.data(), "abcd", 4) == 0);
  }
}

TEST_CASE("npy: an empty array, and one dimension in Fortran order") {
  const TemporaryFolder folder;
  const auto path = folder.write(
      "x.npy", npy("{'descr': '<f4', 'fortran_order': False, 'shape': (0, 784), }", ""));
  CHECK(read_npy(path).rows() == 0);
  folder.write("x.npy", npy("{'descr': '|u1', 'fortran_order': True, 'shape': (3,), }", "abc"));
  CHECK(read_npy(path).rows() == 3);
}

}  // namespace octet::test::npy_test
