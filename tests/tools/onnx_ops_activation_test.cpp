// SPDX-License-Identifier: Apache-2.0
// Clip in all its spellings, the unary functions with their defaults, Softmax's axes, no-ops.
#include <doctest/doctest.h>

#include <limits>

#include "tests/tools/onnx_builder.h"

namespace octet::test::onnx_ops_activation_test {

using octet::Error;
using octet::convert::Graph;
using octet::convert::Node;
using octet::convert::Op;
using octet::convert::Unary;

namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();

OnnxBuilder unary(const std::string& op, const std::vector<onnx::AttributeProto>& attributes = {},
                  const Ints& x_dims = {-1, 3}, std::int64_t opset = 13) {
  OnnxBuilder builder(opset);
  builder.input("x", x_dims).output("y").node(op, {"x"}, {"y"}, attributes, "op");
  return builder;
}

Node only_node(const OnnxBuilder& builder) {
  const Graph graph = builder.import();
  REQUIRE(graph.nodes.size() == 1);
  CHECK(graph.values[graph.outputs[0]].shape == graph.values[graph.inputs[0]].shape);
  CHECK(graph.values[graph.outputs[0]].name == "y");
  return graph.nodes[0];
}

OnnxBuilder clip(const std::string& min, const std::string& max) {
  OnnxBuilder builder;
  builder.input("x", {-1, 3}).output("y").floats("low", {}, {-1}).floats("high", {1}, {6});
  builder.node("Clip", {"x", min, max}, {"y"});
  return builder;
}

void check_clip(const Node& node, float min, float max) {
  CHECK(node.op == Op::clip);
  CHECK(node.clip_min == min);
  CHECK(node.clip_max == max);
}

// The graph's only node is the copy that gives the output its own name.
void check_identity(const OnnxBuilder& builder) {
  const Node node = only_node(builder);
  CHECK(node.op == Op::reshape);
}

}  // namespace

TEST_CASE("clip: Relu is a clip from 0") {
  check_clip(only_node(unary("Relu")), 0, kInfinity);
}

TEST_CASE("clip: bounds as inputs") {
  check_clip(only_node(clip("low", "high")), -1, 6);
  check_clip(only_node(clip("", "high")), -kInfinity, 6);
  check_clip(only_node(clip("low", "")), -1, kInfinity);
  check_identity(clip("", ""));
  OnnxBuilder short_list;
  short_list.input("x", {-1, 3}).output("y").floats("low", {}, {-1});
  check_clip(only_node(short_list.node("Clip", {"x", "low"}, {"y"})), -1, kInfinity);
}

TEST_CASE("clip: bounds as attributes before opset 11") {
  check_clip(
      only_node(unary("Clip", {attribute("min", 0.0f), attribute("max", 6.0f)}, {-1, 3}, 10)), 0,
      6);
  check_clip(only_node(unary("Clip", {attribute("max", 6.0f)}, {-1, 3}, 7)), -kInfinity, 6);
  check_identity(unary("Clip", {}, {-1, 3}, 10));
  check_clip(
      only_node(unary("Clip",
                      {attribute("min", 0.0f), attribute("max", std::numeric_limits<float>::max())},
                      {-1, 3}, 10)),
      0, kInfinity);
}

TEST_CASE("clip: bounds that are no bounds") {
  const Failure crossed = clip("high", "low").failure();
  CHECK(crossed.code == Error::Code::unsupported);
  CHECK(crossed.says("min 6.000000 is above max -1.000000"));
  const Failure computed = clip("x", "").failure();
  CHECK(computed.says("its min 'x' is computed from the network's input"));
  OnnxBuilder vector;
  vector.input("x", {-1, 2}).output("y").floats("low", {2}, {0, 1});
  CHECK(vector.node("Clip", {"x", "low"}, {"y"}).failure().says("its min is no float scalar"));
  OnnxBuilder nan;
  nan.input("x", {-1, 2}).output("y");
  nan.floats("low", {}, {std::numeric_limits<float>::quiet_NaN()});
  CHECK(nan.node("Clip", {"x", "low"}, {"y"}).failure().says("its min is NaN"));
}

TEST_CASE("unary: functions and ONNX's default parameters") {
  const auto check = [](const OnnxBuilder& builder, Unary function, float alpha, float beta) {
    const Node node = only_node(builder);
    CHECK(node.op == Op::unary);
    CHECK(node.function == function);
    CHECK(node.alpha == alpha);
    CHECK(node.beta == beta);
  };
  check(unary("Sigmoid"), Unary::sigmoid, 0, 0);
  check(unary("Tanh"), Unary::tanh, 0, 0);
  check(unary("Softplus"), Unary::softplus, 0, 0);
  check(unary("LeakyRelu"), Unary::leaky_relu, 0.01f, 0);
  check(unary("LeakyRelu", {attribute("alpha", 0.2f)}), Unary::leaky_relu, 0.2f, 0);
  check(unary("Elu"), Unary::elu, 1, 0);
  check(unary("Elu", {attribute("alpha", 0.5f)}), Unary::elu, 0.5f, 0);
  check(unary("HardSigmoid"), Unary::hard_sigmoid, 0.2f, 0.5f);
  check(unary("HardSigmoid", {attribute("alpha", 0.1f), attribute("beta", 0.4f)}),
        Unary::hard_sigmoid, 0.1f, 0.4f);
  CHECK(unary("Elu", {attribute("alpha", kInfinity)}).failure().says("is infinite"));
  CHECK(unary("Elu", {attribute("alpha", 1)})
            .failure()
            .says("attribute alpha has type INT, not FLOAT"));
}

TEST_CASE("softmax: axes by opset") {
  const auto axis = [](const std::vector<onnx::AttributeProto>& attributes, const Ints& dims,
                       std::int64_t opset) {
    const Node node = only_node(unary("Softmax", attributes, dims, opset));
    CHECK(node.op == Op::softmax);
    return node.axis;
  };
  CHECK(axis({}, {-1, 3}, 7) == 1);
  CHECK(axis({}, {-1, 3}, 13) == 1);
  CHECK(axis({}, {-1, 2, 3}, 13) == 2);
  CHECK(axis({attribute("axis", 1)}, {-1, 2, 3}, 13) == 1);
  CHECK(axis({attribute("axis", -2)}, {-1, 2, 3}, 13) == 1);
  CHECK(axis({attribute("axis", 2)}, {-1, 2, 3}, 12) == 2);
  CHECK(axis({}, {-1, 1, 3, 1}, 12) == 2);  // axes 1 to 3 together: only axis 2 is wider than 1
  CHECK(axis({}, {-1, 1}, 12) == 1);
  CHECK(only_node(unary("LogSoftmax", {}, {-1, 2, 3}, 13)).op == Op::log_softmax);
  CHECK(only_node(unary("LogSoftmax", {}, {-1, 2, 3}, 13)).axis == 2);

  const Failure together = unary("Softmax", {}, {-1, 2, 3}, 12).failure();
  CHECK(together.code == Error::Code::unsupported);
  CHECK(together.says("before opset 13 it normalizes all dimensions of [N, 2, 3] from axis 1"));
  CHECK(unary("Softmax", {attribute("axis", 0)}).failure().says("axis 0 is the batch"));
  CHECK(unary("Softmax", {attribute("axis", -2)}).failure().says("axis 0 is the batch"));
  const Failure outside = unary("Softmax", {attribute("axis", 2)}).failure();
  CHECK(outside.code == Error::Code::format);
  CHECK(outside.says("axis 2 lies outside a tensor of rank 2"));
}

TEST_CASE("no-ops: Identity, Dropout and Cast to float leave the tensor") {
  check_identity(unary("Identity"));
  check_identity(unary("Dropout", {attribute("ratio", 0.5f)}, {-1, 3}, 7));
  check_identity(unary("Cast", {attribute("to", static_cast<int>(onnx::TensorProto::FLOAT))}));
  const Failure cast =
      unary("Cast", {attribute("to", static_cast<int>(onnx::TensorProto::FLOAT16))}).failure();
  CHECK(cast.code == Error::Code::unsupported);
  CHECK(cast.says("it casts an activation to float16"));
}

TEST_CASE("dropout: training mode and the mask are refused") {
  const auto dropout = [](bool training, bool mask_used) {
    OnnxBuilder builder;
    onnx::TensorProto mode = tensor("mode", onnx::TensorProto::BOOL, {});
    mode.add_int32_data(training ? 1 : 0);
    builder.input("x", {-1, 3}).output(mask_used ? "mask" : "y");
    builder.floats("ratio", {}, {0.5f}).initializer(mode);
    builder.node("Dropout", {"x", "ratio", "mode"}, {"y", "mask"}, {}, "drop");
    return builder;
  };
  check_identity(dropout(false, false));
  CHECK(dropout(true, false).failure().says("training_mode is true"));
  CHECK(dropout(false, true).failure().says("its output 1 'mask' is used"));
}

}  // namespace octet::test::onnx_ops_activation_test
