// SPDX-License-Identifier: Apache-2.0
// Files that are no ONNX model: each gives a typed error that names it and a remedy.
#include "tools/convert/onnx_file.h"

#include <doctest/doctest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

#include "tests/tools/onnx_builder.h"
#include "tools/data/sha256.h"

namespace octet::test::onnx_file_test {

using octet::Error;
using octet::convert::import_onnx;
using octet::convert::read_onnx_file;

namespace {

void check_failure(const std::string& path, Error::Code code, const std::string& text) {
  const Failure failure = failure_of([&] { import_onnx(path); });
  CAPTURE(failure.message);
  CHECK(failure.code == code);
  CHECK(failure.message.starts_with(path + ": "));
  CHECK(failure.says(text));
}

OnnxBuilder mlp() {
  OnnxBuilder builder;
  builder.input("x", {-1, 2}).output("y").floats("w", {2, 2}, {1, 2, 3, 4}).ints("to", {-1, 2, 1});
  builder.node("Gemm", {"x", "w"}, {"h"}, {attribute("alpha", 2.0f)}, "fc");
  builder.node("Relu", {"h"}, {"r"}).node("Reshape", {"r", "to"}, {"y"});
  return builder;
}

}  // namespace

TEST_CASE("onnx file: what cannot be opened") {
  const TemporaryFolder folder;
  check_failure(folder / "missing.onnx", Error::Code::io, "there is no such file; check the path");
  check_failure(folder.path(), Error::Code::io, "is a folder; give the file itself");
  const std::string pipe = folder / "pipe";
  REQUIRE(::mkfifo(pipe.c_str(), 0600) == 0);
  check_failure(pipe, Error::Code::io, "is not a regular file");
  if (::geteuid() != 0) {
    const std::string secret = folder.write("secret.onnx", mlp().bytes());
    std::filesystem::permissions(secret, std::filesystem::perms::none);
    check_failure(secret, Error::Code::io, "cannot be read");
  }
}

TEST_CASE("onnx file: what is no ONNX model") {
  const TemporaryFolder folder;
  const auto write = [&](const std::string& bytes) { return folder.write("net.onnx", bytes); };
  check_failure(write(""), Error::Code::format, "is empty");
  check_failure(write("This is a text file.\n"), Error::Code::format,
                "is not an ONNX model, or was cut off");
  check_failure(write("version https://git-lfs.github.com/spec/v1\n"), Error::Code::format,
                "run `git lfs pull`");
  check_failure(write(std::string(1000, '\xff')), Error::Code::format, "more than 10 bytes");
  check_failure(write(std::string(1000, '\0')), Error::Code::format, "is not an ONNX model");
  check_failure(write("\x08\x07"), Error::Code::format, "no graph");
  OnnxBuilder empty;
  check_failure(write(empty.bytes()), Error::Code::format, "no output");
}

TEST_CASE("onnx file: more than memory may hold") {
  const TemporaryFolder folder;
  const std::string path = folder.write("big.onnx", "x");
  std::filesystem::resize_file(path, std::uintmax_t{1} << 31);  // sparse
  check_failure(path, Error::Code::limit, "has 2147483648 bytes, an ONNX file may have 1006632960");
}

TEST_CASE("onnx file: the hash is the file's") {
  const TemporaryFolder folder;
  const std::string bytes = mlp().bytes();
  CHECK(read_onnx_file(folder.write("net.onnx", bytes)).sha256 ==
        octet::data::sha256_hex(bytes.data(), bytes.size()));
}

TEST_CASE("onnx file: cut off anywhere, a model is refused") {
  const TemporaryFolder folder;
  const std::string bytes = mlp().bytes();
  REQUIRE(import_onnx(folder.write("net.onnx", bytes)).nodes.size() == 3);
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    CAPTURE(size);
    const std::string path = folder.write("net.onnx", bytes.substr(0, size));
    const Failure failure = failure_of([&] { import_onnx(path); });
    CHECK(failure.code == Error::Code::format);
    CHECK(failure.message.starts_with(path + ": "));
  }
}

TEST_CASE("onnx file: any one byte changed gives an error or a graph") {
  const TemporaryFolder folder;
  const std::string bytes = mlp().bytes();
  std::size_t refused = 0;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    for (const char flip : {'\x01', '\x08', '\x80', '\xff'}) {
      std::string changed = bytes;
      changed[i] = static_cast<char>(changed[i] ^ flip);
      const std::string path = folder.write("net.onnx", changed);
      // Anything but octet::Error would end the test.
      refused += failure_of([&] { import_onnx(path); }).thrown ? 1 : 0;
    }
  }
  CHECK(refused > bytes.size());
}

}  // namespace octet::test::onnx_file_test
