// SPDX-License-Identifier: Apache-2.0
// External data: read beneath the model's folder, and nothing that leads out of it.
#include "tools/convert/onnx_external.h"

#include <doctest/doctest.h>
#include <sys/stat.h>

#include <filesystem>
#include <optional>

#include "tests/tools/onnx_builder.h"

namespace octet::test::onnx_external_test {

using octet::Error;

namespace {

namespace fs = std::filesystem;

// y = x * w + 0 with w [1, 2] in an external file.
OnnxBuilder external(const std::string& location, const std::optional<std::string>& offset = {},
                     const std::optional<std::string>& length = {}) {
  onnx::TensorProto weight = tensor("w", onnx::TensorProto::FLOAT, {1, 2});
  weight.set_data_location(onnx::TensorProto::EXTERNAL);
  const auto set = [&](const std::string& key, const std::string& value) {
    onnx::StringStringEntryProto& entry = *weight.add_external_data();
    entry.set_key(key);
    entry.set_value(value);
  };
  set("location", location);
  if (offset) set("offset", *offset);
  if (length) set("length", *length);
  OnnxBuilder builder;
  builder.input("x", {-1, 1}).initializer(weight).output("y").node("MatMul", {"x", "w"}, {"y"});
  return builder;
}

const Floats kValues{9, 3, 4, 9};
std::string data() {
  return {reinterpret_cast<const char*>(kValues.data()), kValues.size() * sizeof(float)};
}

Floats weights(const TemporaryFolder& folder, const OnnxBuilder& builder,
               const std::string& name = "net.onnx") {
  return octet::convert::import_onnx(builder.write(folder, name)).nodes.at(0).weight;
}

Failure failure(const TemporaryFolder& folder, const OnnxBuilder& builder,
                const std::string& name = "net.onnx") {
  return failure_of([&] { weights(folder, builder, name); });
}

}  // namespace

TEST_CASE("external data: offset and length, in the folder and beneath it") {
  const TemporaryFolder folder;
  folder.write("w.bin", data());
  CHECK(weights(folder, external("w.bin", "4", "8")) == Floats{3, 4});
  CHECK(weights(folder, external("w.bin", "4")) == Floats{3, 4});
  CHECK(weights(folder, external("w.bin")) == Floats{9, 3});
  CHECK(weights(folder, external("./w.bin", "8")) == Floats{4, 9});
  fs::create_directory(folder / "sub");
  folder.write("sub/w.bin", data());
  CHECK(weights(folder, external("sub/w.bin", "8")) == Floats{4, 9});
  fs::create_symlink("w.bin", folder / "link.bin");
  CHECK(weights(folder, external("link.bin", "8")) == Floats{4, 9});
}

TEST_CASE("external data: nothing outside the model's folder is read") {
  const TemporaryFolder folder;
  folder.write("w.bin", data());
  fs::create_directory(folder / "inner");
  for (const std::string& location :
       {std::string("../w.bin"), std::string("x/../../w.bin"), folder / "w.bin", std::string()}) {
    CAPTURE(location);
    const Failure refused = failure(folder, external(location), "inner/net.onnx");
    CHECK(refused.code == Error::Code::format);
    CHECK(refused.says("initializer 'w' has its data in '" + location + "'"));
    CHECK(refused.says("only files beneath the model's folder are read"));
  }
  fs::create_symlink("../w.bin", folder / "inner/link.bin");
  fs::create_directory_symlink("..", folder / "inner/up");
  for (const char* location : {"link.bin", "up/w.bin"}) {
    const Failure refused = failure(folder, external(location), "inner/net.onnx");
    CHECK(refused.code == Error::Code::format);
    CHECK(refused.says("a link that leaves the model's folder"));
  }
  // A sibling whose name begins like the folder's is outside too.
  fs::create_directory(folder / "inner2");
  folder.write("inner2/w.bin", data());
  fs::create_symlink("../inner2/w.bin", folder / "inner/sibling.bin");
  CHECK(failure(folder, external("sibling.bin"), "inner/net.onnx").says("a link that leaves"));
}

TEST_CASE("external data: files that are not what they should be") {
  const TemporaryFolder folder;
  folder.write("w.bin", data());
  fs::create_directory(folder / "sub");
  REQUIRE(::mkfifo((folder / "pipe").c_str(), 0600) == 0);
  CHECK(failure(folder, external("missing.bin")).code == Error::Code::io);
  CHECK(failure(folder, external("missing.bin")).says("copy the file beside the model"));
  CHECK(failure(folder, external("sub")).says("external data 'sub': is a folder"));
  CHECK(failure(folder, external("pipe")).says("is not a regular file"));

  const Failure beyond = failure(folder, external("w.bin", "12"));
  CHECK(beyond.code == Error::Code::format);
  CHECK(beyond.says("has 16 bytes, too few for 8 at offset 12"));
  CHECK(failure(folder, external("w.bin", "18446744073709551612")).says("too few for 8"));
  CHECK(failure(folder, external("w.bin", "0", "12"))
            .says("has 12 bytes of external data, its shape needs 8"));
  for (const char* bad : {"", "-4", "4x", "0x4", "99999999999999999999"}) {
    CHECK(failure(folder, external("w.bin", bad)).says("which is no size"));
  }
}

}  // namespace octet::test::onnx_external_test
