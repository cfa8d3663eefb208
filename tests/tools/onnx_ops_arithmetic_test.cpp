// SPDX-License-Identifier: Apache-2.0
// Add, Sub, Mul, Div and BatchNormalization against scales and shifts worked by hand.
#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "tests/tools/onnx_builder.h"

namespace octet::test::onnx_ops_arithmetic_test {

using octet::Error;
using octet::convert::Graph;
using octet::convert::Node;
using octet::convert::Op;

namespace {

OnnxBuilder binary(const std::string& op, const Ints& x_dims, const Ints& c_dims, const Floats& c,
                   bool constant_first = false) {
  OnnxBuilder builder;
  builder.input("x", x_dims).floats("c", c_dims, c).output("y");
  builder.node(
      op, constant_first ? std::vector<std::string>{"c", "x"} : std::vector<std::string>{"x", "c"},
      {"y"}, {}, "op");
  return builder;
}

// The only node, an affine whose output has the input's shape.
Node affine(const OnnxBuilder& builder) {
  const Graph graph = builder.import();
  REQUIRE(graph.nodes.size() == 1);
  CHECK(graph.nodes[0].op == Op::affine);
  CHECK(graph.values[graph.outputs[0]].shape == graph.values[graph.inputs[0]].shape);
  return graph.nodes[0];
}

OnnxBuilder batch_norm(const Ints& x_dims, const std::vector<onnx::AttributeProto>& attributes,
                       std::int64_t opset = 13) {
  OnnxBuilder builder(opset);
  builder.input("x", x_dims).output("y");
  builder.floats("scale", {2}, {3, 1}).floats("b", {2}, {10, -1});
  builder.floats("mean", {2}, {2, 4}).floats("var", {2}, {3, 0});
  builder.node("BatchNormalization", {"x", "scale", "b", "mean", "var"}, {"y"}, attributes, "bn");
  return builder;
}

}  // namespace

TEST_CASE("arithmetic: each operator with a constant on each side") {
  const Ints x{-1, 2};
  const auto check = [](const Node& node, const Floats& scale, const Floats& shift) {
    CHECK(node.scale == scale);
    CHECK(node.shift == shift);
    CHECK(node.inner == 1);
  };
  check(affine(binary("Add", x, {2}, {5, 6})), {1, 1}, {5, 6});
  check(affine(binary("Add", x, {2}, {5, 6}, true)), {1, 1}, {5, 6});
  check(affine(binary("Sub", x, {2}, {5, 6})), {1, 1}, {-5, -6});
  check(affine(binary("Sub", x, {2}, {5, 6}, true)), {-1, -1}, {5, 6});
  check(affine(binary("Mul", x, {2}, {5, 6})), {5, 6}, {0, 0});
  check(affine(binary("Mul", x, {2}, {5, 6}, true)), {5, 6}, {0, 0});
  check(affine(binary("Div", x, {2}, {4, -8})), {0.25f, -0.125f}, {0, 0});

  const Failure reciprocal = binary("Div", x, {2}, {4, 8}, true).failure();
  CHECK(reciprocal.code == Error::Code::unsupported);
  CHECK(reciprocal.says("node 0 'op' (Div): it divides a constant by an activation"));
  const Failure zero = binary("Div", x, {2}, {4, 0}).failure();
  CHECK(zero.code == Error::Code::format);
  CHECK(zero.says("a division by zero?"));
}

TEST_CASE("arithmetic: every broadcast of a constant") {
  const Ints x{-1, 2, 3, 2};
  const auto check = [&](const Ints& dims, const Floats& values, const Floats& expected,
                         std::size_t inner) {
    CAPTURE(dims.size());
    const Node node = affine(binary("Mul", x, dims, values));
    CHECK(node.scale == expected);
    CHECK(node.inner == inner);
  };
  check({}, {7}, {7}, 1);
  check({1, 1, 1, 1}, {7}, {7}, 1);
  check({2}, {7, 8}, {7, 8}, 1);           // the last axis
  check({3, 1}, {7, 8, 9}, {7, 8, 9}, 2);  // a middle axis
  check({2, 1, 1}, {7, 8}, {7, 8}, 6);     // channels
  check({1, 2, 1, 1}, {7, 8}, {7, 8}, 6);  // channels, full rank
  check({3, 2}, {1, 2, 3, 4, 5, 6}, {1, 2, 3, 4, 5, 6}, 1);
  check({2, 3, 1}, {1, 2, 3, 4, 5, 6}, {1, 2, 3, 4, 5, 6}, 2);
  // Varies over the first and last axis: the middle one is spread.
  check({2, 1, 2}, {1, 2, 3, 4}, {1, 2, 1, 2, 1, 2, 3, 4, 3, 4, 3, 4}, 1);
  Floats full(12);
  for (std::size_t i = 0; i < full.size(); ++i) full[i] = static_cast<float>(i) + 1;
  check({2, 3, 2}, full, full, 1);
}

TEST_CASE("arithmetic: broadcasts that are refused") {
  const auto failure = [](const Ints& x, const Ints& c) {
    std::size_t count = 1;
    for (const std::int64_t dim : c) count *= static_cast<std::size_t>(dim);
    return binary("Add", x, c, Floats(count, 1.0f)).failure();
  };
  const Failure batch = failure({-1, 3}, {2, 3});
  CHECK(batch.code == Error::Code::unsupported);
  CHECK(batch.says("'c' [2, 3] against the activation [N, 3] gives each sample"));
  CHECK(failure({-1, 3}, {1, 1, 3}).says("adds dimensions in front of the batch"));
  CHECK(failure({-1, 1}, {3}).says("would repeat the activation along axis 1"));
  const Failure clash = failure({-1, 3}, {2});
  CHECK(clash.code == Error::Code::format);
  CHECK(clash.says("cannot be broadcast"));
  CHECK(failure({-1, 3}, {0}).says("has no element"));
}

TEST_CASE("arithmetic: two activations") {
  OnnxBuilder add;
  add.input("a", {-1, 3}).input("b", {-1, 3}).output("y").node("Add", {"a", "b"}, {"y"});
  const Graph graph = add.import();
  REQUIRE(graph.nodes.size() == 1);
  CHECK(graph.nodes[0].op == Op::add);
  CHECK(graph.nodes[0].inputs == graph.inputs);
  CHECK(graph.nodes[0].clip_min == -std::numeric_limits<float>::infinity());

  OnnxBuilder unequal;
  unequal.input("a", {-1, 3}).input("b", {-1, 1}).output("y").node("Add", {"a", "b"}, {"y"});
  CHECK(unequal.failure().says("it adds activations of shapes [N, 3] and [N, 1]"));
  for (const char* op : {"Sub", "Mul", "Div"}) {
    OnnxBuilder other;
    other.input("a", {-1, 3}).input("b", {-1, 3}).output("y").node(op, {"a", "b"}, {"y"});
    const Failure failure = other.failure();
    CHECK(failure.code == Error::Code::unsupported);
    CHECK(failure.says("both operands are activations"));
  }
}

TEST_CASE("batch normalization: an affine per channel, worked in double") {
  // Channel 0: 3 / sqrt(3 + 1) = 1.5, 10 - 2 * 1.5 = 7. Channel 1: 1 / sqrt(0 + 1), -1 - 4.
  Node node = affine(batch_norm({-1, 2}, {attribute("epsilon", 1.0f)}));
  CHECK(node.scale == Floats{1.5f, 1});
  CHECK(node.shift == Floats{7, -5});
  CHECK(node.inner == 1);
  node = affine(batch_norm({-1, 2, 5, 7}, {attribute("epsilon", 1.0f)}));
  CHECK(node.scale == Floats{1.5f, 1});
  CHECK(node.inner == 35);
  // The default epsilon: 1 / sqrt(1e-5f) = 316.22777.
  node = affine(batch_norm({-1, 2}, {}));
  CHECK(node.scale[1] == static_cast<float>(1.0 / std::sqrt(static_cast<double>(1e-5f))));
}

TEST_CASE("batch normalization: refusals") {
  CHECK(batch_norm({-1, 2}, {attribute("training_mode", 1)}, 15).failure().says("model.eval()"));
  CHECK(batch_norm({-1, 2}, {attribute("spatial", 0)}, 7).failure().says("spatial is 0"));
  const Failure channels = batch_norm({-1, 3}, {}).failure();
  CHECK(channels.code == Error::Code::format);
  CHECK(channels.says("its scale 'scale' has the shape [2], its X has 3 channels"));
  const Failure variance = batch_norm({-1, 2}, {attribute("epsilon", 0.0f)}).failure();
  CHECK(variance.says("var + epsilon is 0.000000 in channel 1"));
}

}  // namespace octet::test::onnx_ops_arithmetic_test
