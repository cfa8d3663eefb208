// SPDX-License-Identifier: Apache-2.0
// ONNX's own node tests of the quantized operators (Debian's libonnx-testdata): the output bytes
// must be those of the test; what octet does not have must be refused by name. Inputs but the first
// (scales, zero points, weights) become constants. Where a range is that of the whole tensor, the
// tensor becomes one sample: [6] is [1, 6].
#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>

#include "tests/tools/onnx_quantized.h"

namespace octet::test::onnx_node_test {
namespace {

constexpr const char* kFolder = "/usr/share/libonnx-testdata/data/node/";

template <class Message>
Message read(const std::string& path) {
  Message message;
  std::ifstream file(path, std::ios::binary);
  REQUIRE(message.ParseFromIstream(&file));
  return message;
}

Bytes raw_bytes(const onnx::TensorProto& tensor) {
  REQUIRE(tensor.has_raw_data());
  const std::string& raw = tensor.raw_data();
  return bytes_of(std::vector<char>(raw.begin(), raw.end()));
}

struct NodeTest {
  OnnxBuilder builder;
  Bytes input;
  std::size_t batch = 0;
  std::vector<Bytes> outputs;
};

void make_one_sample(onnx::ValueInfoProto& input) {
  onnx::TensorShapeProto& shape = *input.mutable_type()->mutable_tensor_type()->mutable_shape();
  const onnx::TensorShapeProto before = shape;
  shape.Clear();
  shape.add_dim()->set_dim_value(1);
  for (const auto& dim : before.dim()) *shape.add_dim() = dim;
}

NodeTest load(const std::string& name, bool one_sample = false) {
  const std::string folder = kFolder + name;
  NodeTest test;
  test.builder.model = read<onnx::ModelProto>(folder + "/model.onnx");
  onnx::GraphProto& graph = *test.builder.model.mutable_graph();
  for (int i = 0; i < graph.input_size(); ++i) {
    auto tensor =
        read<onnx::TensorProto>(folder + "/test_data_set_0/input_" + std::to_string(i) + ".pb");
    if (i == 0) {
      test.input = raw_bytes(tensor);
      test.batch = static_cast<std::size_t>(tensor.dims(0));
    } else {
      tensor.set_name(graph.input(i).name());
      *graph.add_initializer() = tensor;
    }
  }
  while (graph.input_size() > 1) graph.mutable_input()->RemoveLast();
  for (int i = 0; i < graph.output_size(); ++i) {
    test.outputs.push_back(raw_bytes(
        read<onnx::TensorProto>(folder + "/test_data_set_0/output_" + std::to_string(i) + ".pb")));
  }
  if (one_sample) {
    make_one_sample(*graph.mutable_input(0));
    test.batch = 1;
  }
  return test;
}

bool have_tests() {
  if (std::filesystem::exists(kFolder)) return true;
  MESSAGE("SKIPPED: no ONNX node tests (libonnx-testdata)");
  return false;
}

void check_outputs(const NodeTest& test) {
  const LoweredOnnx model = lower_onnx(test.builder);
  CHECK(run_lowered(model.lowered.graph, {test.input}, test.batch) == test.outputs);
}

}  // namespace

TEST_CASE("onnx node tests: quantized operators give the expected bytes") {
  if (!have_tests()) return;
  for (const char* name :
       {"test_quantizelinear", "test_quantizelinear_axis", "test_dequantizelinear",
        "test_dequantizelinear_axis", "test_qlinearmatmul_2D", "test_qlinearmatmul_3D",
        "test_matmulinteger"}) {
    CAPTURE(name);
    check_outputs(load(name));
  }
}

TEST_CASE("onnx node tests: dynamic quantization, as an operator and spelled out") {
  if (!have_tests()) return;
  for (const std::string name :
       {"test_dynamicquantizelinear", "test_dynamicquantizelinear_max_adjusted",
        "test_dynamicquantizelinear_min_adjusted"}) {
    for (const char* form : {"", "_expanded"}) {
      CAPTURE(name + form);
      const NodeTest test = load(name + form, true);
      CHECK(test.outputs.size() == 3);
      check_outputs(test);
    }
  }
}

TEST_CASE("onnx node tests: convolutions are refused by name") {
  if (!have_tests()) return;
  struct Refused {
    std::string name;
    std::string op;
  };
  for (const Refused& test :
       std::vector<Refused>{{"test_qlinearconv", "QLinearConv"},
                            {"test_convinteger_with_padding", "ConvInteger"},
                            {"test_convinteger_without_padding", "ConvInteger"},
                            {"test_basic_convinteger", "ConvInteger"}}) {
    CAPTURE(test.name);
    check(load(test.name).builder.failure(), Error::Code::unsupported, "(" + test.op + "): ");
  }
}

}  // namespace octet::test::onnx_node_test
