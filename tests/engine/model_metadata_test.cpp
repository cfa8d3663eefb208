// SPDX-License-Identifier: Apache-2.0
// Metadata with a right checksum and wrong contents.
#include <doctest/doctest.h>

#include "tests/engine/graph_builder.h"
#include "tests/engine/model_bytes.h"

namespace octet::test::model_metadata_test {

using namespace engine;

TEST_CASE("a file of another arithmetic is refused") {
  for (const std::uint32_t version : {0u, 2u}) {
    ModelBytes file;
    file.set(&file.model(), fb::Model::VT_ARITHMETIC_VERSION, version);
    file.repair();
    CHECK(file.error() == "unsupported: net.octet: was made for arithmetic version " +
                              std::to_string(version) +
                              ", this octet computes version 1; convert it again");
  }
}

TEST_CASE("an op or dtype of the future is named") {
  ModelBytes file;
  file.set(file.model().nodes()->Get(1), fb::Node::VT_OP, std::uint8_t{20});
  file.repair();
  CHECK(file.error() ==
        "unsupported: net.octet: node 1 'fc1': op number 20 is unknown, this octet knows 0 to 19;"
        " update octet");
  ModelBytes other;
  other.set(other.model().tensors()->Get(0), fb::Tensor::VT_DTYPE, std::uint8_t{4});
  other.repair();
  CHECK(other.error() ==
        "unsupported: net.octet: tensor 0 'pixels': has dtype 4, this octet knows 0 to 3; update"
        " octet");
}

TEST_CASE("constants that do not fill the data exactly are errors") {
  const auto error = [](std::size_t tensor, std::uint32_t extent, std::int32_t value) {
    ModelBytes file;
    const auto* shape = file.model().tensors()->Get(static_cast<std::uint32_t>(tensor))->shape();
    auto* at = const_cast<std::uint8_t*>(shape->Data()) + extent * sizeof value;
    std::memcpy(at, &value, sizeof value);
    file.repair();
    return file.error();
  };
  const auto graph = every_op_graph();
  const auto data = std::to_string(ModelBytes().header().data_bytes);
  const std::uint32_t last = graph.index("fc2.bias");
  CHECK(error(last, 0, 3) == "format: net.octet: tensor " + std::to_string(last) +
                                 " 'fc2.bias': its 12 bytes of data begin at 832, the file has " +
                                 data + " bytes of data");
  CHECK(error(last, 0, 1) ==
        "format: net.octet: has " + data + " bytes of data, its constants need 836");
  CHECK(error(last, 0, 0) == "format: net.octet: tensor " + std::to_string(last) +
                                 " 'fc2.bias': a constant cannot have shape 0");
  CHECK(error(graph.index("mix.weight"), 1, -1) ==
        "format: net.octet: tensor " + std::to_string(graph.index("mix.weight")) +
            " 'mix.weight': a constant cannot have shape 3xN");
}

namespace {

using Builder = octet_flatbuffers::FlatBufferBuilder;
using Text = octet_flatbuffers::Offset<octet_flatbuffers::String>;

// The smallest model, an input that is the output, with `names` tensors of one shared name and
// metadata lines.
ModelBytes tiny(const std::string& name, std::uint32_t names,
                const std::vector<std::string>& lines) {
  Builder builder;
  const Text shared = builder.CreateString(name);
  std::vector<octet_flatbuffers::Offset<fb::Tensor>> tensors;
  for (std::uint32_t i = 0; i < names; ++i) {
    const auto shape = builder.CreateVector(std::vector<std::int32_t>{-1});
    tensors.push_back(fb::CreateTensor(builder, shared, fb::DType::f32, shape));
  }
  std::vector<Text> metadata;
  for (const std::string& line : lines) metadata.push_back(builder.CreateString(line));
  const auto tensor_list = builder.CreateVector(tensors);
  const auto inputs = builder.CreateVector(
      std::vector<octet_flatbuffers::Offset<fb::Input>>{fb::CreateInput(builder, 0)});
  const auto outputs = builder.CreateVector(std::vector<std::uint32_t>{0});
  const auto metadata_list = builder.CreateVector(metadata);
  builder.Finish(
      fb::CreateModel(builder, kArithmeticVersion, tensor_list, 0, inputs, outputs, metadata_list));
  return ModelBytes(builder, 0);
}

}  // namespace

TEST_CASE("the smallest model is an input that is the output") {
  CHECK(tiny("x", 1, {}).error() == "nothing");
}

TEST_CASE("strings that many tables share cannot grow in memory") {
  CHECK(tiny(std::string(1000, 'x'), 60, {}).error() ==
        "format: net.octet: its metadata shares strings or vectors between owners");
}

TEST_CASE("names and metadata must be printable") {
  CHECK(tiny("a\x1b[31m", 1, {}).error() ==
        "format: net.octet: tensor 0: its text is not UTF-8 without control characters");
  CHECK(tiny("x", 1, {"source=a\nb"}).error() ==
        "format: net.octet: metadata 0: its text is not UTF-8 without control characters");
  CHECK(tiny("x", 1, {"a=1", "source"}).error() ==
        "format: net.octet: metadata 1: is not KEY=VALUE");
  CHECK(tiny("x", 1, {"a=1", "a=2"}).error() ==
        "format: net.octet: metadata has the key 'a' twice");
  CHECK(tiny("x", 1, {"=2"}).error() == "format: net.octet: metadata 0: has no key");
}

TEST_CASE("metadata that is no FlatBuffer of the schema is refused") {
  Builder empty;
  CHECK(ModelBytes(empty, 0).error() ==
        "format: net.octet: its 0 bytes of metadata are no valid FlatBuffer of octet's schema;"
        " convert it again");
  Builder builder;
  const auto start = builder.StartTable();  // a table without the fields that are required
  builder.Finish(octet_flatbuffers::Offset<fb::Model>(builder.EndTable(start)));
  const ModelBytes file(builder, 0);
  CHECK(file.error() == "format: net.octet: its " + std::to_string(builder.GetSize()) +
                            " bytes of metadata are no valid FlatBuffer of octet's schema; convert"
                            " it again");
}

}  // namespace octet::test::model_metadata_test
