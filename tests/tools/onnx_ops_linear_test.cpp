// SPDX-License-Identifier: Apache-2.0
// Gemm and MatMul: every form against weights written out by hand.
#include <doctest/doctest.h>

#include <limits>

#include "tests/tools/onnx_builder.h"

namespace octet::test::onnx_ops_linear_test {

using octet::Error;
using octet::convert::Graph;
using octet::convert::Node;
using octet::convert::Op;
using octet::convert::Shape;

namespace {

// y = Gemm(x [N, 3], B, C): B's values 1..6 give the products 1 2 / 3 4 / 5 6 as [K, N].
OnnxBuilder gemm(const std::vector<onnx::AttributeProto>& attributes, const Ints& b_dims = {3, 2}) {
  OnnxBuilder builder;
  builder.input("x", {-1, 3}).floats("B", b_dims, {1, 2, 3, 4, 5, 6}).output("y");
  builder.node("Gemm", {"x", "B", "C"}, {"y"}, attributes, "fc");
  return builder;
}

OnnxBuilder matmul(const Ints& x_dims, const Ints& b_dims, const Floats& b) {
  OnnxBuilder builder;
  builder.input("x", x_dims).floats("B", b_dims, b).output("y");
  builder.node("MatMul", {"x", "B"}, {"y"});
  return builder;
}

const Node& only_node(const Graph& graph) {
  REQUIRE(graph.nodes.size() == 1);
  return graph.nodes[0];
}

}  // namespace

TEST_CASE("gemm: the weight is [m][k] for both values of transB") {
  for (const bool trans_b : {false, true}) {
    OnnxBuilder builder;
    builder.input("x", {-1, 3}).output("y");
    builder.floats("B", trans_b ? Ints{2, 3} : Ints{3, 2},
                   trans_b ? Floats{1, 3, 5, 2, 4, 6} : Floats{1, 2, 3, 4, 5, 6});
    builder.floats("C", {2}, {10, 20});
    builder.node("Gemm", {"x", "B", "C"}, {"y"}, {attribute("transB", trans_b ? 1 : 0)}, "fc");
    const Graph graph = builder.import();
    const Node& node = only_node(graph);
    CHECK(node.name == "fc");
    CHECK(node.op == Op::linear);
    CHECK(node.weight == Floats{1, 3, 5, 2, 4, 6});
    CHECK(node.bias == Floats{10, 20});
    CHECK(graph.values[node.output].shape == Shape{-1, 2});
    CHECK(graph.values[node.output].name == "y");
    CHECK(graph.values[node.inputs[0]].name == "x");
    CHECK(graph.outputs == std::vector{node.output});
  }
}

TEST_CASE("gemm: alpha scales the weights, beta the bias") {
  OnnxBuilder builder = gemm({attribute("alpha", 0.5f), attribute("beta", -2.0f)});
  const Graph graph = builder.floats("C", {2}, {10, 20}).import();
  CHECK(only_node(graph).weight == Floats{0.5f, 1.5f, 2.5f, 1, 2, 3});
  CHECK(only_node(graph).bias == Floats{-20, -40});
}

TEST_CASE("gemm: forms of C") {
  const auto bias = [](const Ints& dims, const Floats& values) {
    return gemm({}).floats("C", dims, values).import().nodes.at(0).bias;
  };
  CHECK(bias({}, {7}) == Floats{7, 7});
  CHECK(bias({1}, {7}) == Floats{7, 7});
  CHECK(bias({1, 1}, {7}) == Floats{7, 7});
  CHECK(bias({2}, {7, 8}) == Floats{7, 8});
  CHECK(bias({1, 2}, {7, 8}) == Floats{7, 8});

  OnnxBuilder absent = gemm({});
  absent.model.mutable_graph()->mutable_node(0)->mutable_input()->RemoveLast();
  CHECK(absent.import().nodes.at(0).bias.empty());
  OnnxBuilder empty = gemm({});
  empty.model.mutable_graph()->mutable_node(0)->set_input(2, "");
  CHECK(empty.import().nodes.at(0).bias.empty());

  const Failure per_sample = gemm({}).floats("C", {4, 2}, Floats(8, 1.0f)).failure();
  CHECK(per_sample.code == Error::Code::unsupported);
  CHECK(
      per_sample.says("node 0 'fc' (Gemm): its C of shape [4, 2] gives each sample of the batch "
                      "its own bias; octet takes a scalar, [2] or [1, 2]"));
  CHECK(gemm({}).floats("C", {2, 1}, {7, 8}).failure().says("its own bias"));
  const Failure wrong = gemm({}).floats("C", {3}, {7, 8, 9}).failure();
  CHECK(wrong.code == Error::Code::format);
  CHECK(wrong.says("its C has the shape [3], the product has 2 columns"));
}

TEST_CASE("gemm: an activation as C is added") {
  OnnxBuilder builder = gemm({});
  builder.input("C", {-1, 2});
  const Graph graph = builder.import();
  REQUIRE(graph.nodes.size() == 2);
  CHECK(graph.nodes[0].op == Op::linear);
  CHECK(graph.nodes[1].op == Op::add);
  CHECK(graph.nodes[1].inputs == std::vector{graph.nodes[0].output, graph.inputs[1]});
  CHECK(graph.values[graph.nodes[1].output].name == "y");

  OnnxBuilder scaled = gemm({attribute("beta", 0.5f)});
  CHECK(scaled.input("C", {-1, 2}).failure().says("its C is an activation of shape [N, 2]"));
}

TEST_CASE("gemm: what the batch in front forbids") {
  const Failure transposed = gemm({attribute("transA", 1)}).floats("C", {2}, {0, 0}).failure();
  CHECK(transposed.code == Error::Code::unsupported);
  CHECK(transposed.says("transA = 1 turns the batch from rows into columns"));

  OnnxBuilder left;
  left.input("x", {-1, 3}).floats("A", {2, 3}, Floats(6, 1.0f)).output("y");
  left.node("Gemm", {"A", "x"}, {"y"}, {attribute("transB", 1)});
  CHECK(left.failure().says("its left operand 'A' is a constant"));

  OnnxBuilder two;
  two.input("x", {-1, 3}).input("w", {3, 2}).output("y").node("Gemm", {"x", "w"}, {"y"});
  CHECK(two.failure().says("both operands are activations"));
}

TEST_CASE("gemm: shapes that do not fit") {
  const Failure columns = gemm({}, {2, 3}).floats("C", {3}, {0, 0, 0}).failure();
  CHECK(columns.code == Error::Code::format);
  CHECK(columns.says("its A has 3 columns, its B 'B' [2, 3] takes 2"));
  CHECK(gemm({}, {6}).floats("C", {2}, {0, 0}).failure().says("its B has the shape [6]"));
}

TEST_CASE("gemm: weights must be finite floats") {
  for (const float bad :
       {std::numeric_limits<float>::infinity(), std::numeric_limits<float>::quiet_NaN()}) {
    OnnxBuilder builder;
    builder.input("x", {-1, 2}).floats("fc.weight", {2, 2}, {1, 2, bad, 4}).output("y");
    builder.node("Gemm", {"x", "fc.weight"}, {"y"}, {}, "fc");
    const Failure failure = builder.failure();
    CHECK(failure.code == Error::Code::format);
    CHECK(failure.says("'fc.weight' holds"));
    CHECK(failure.says("at element 2 of 4"));
  }
  OnnxBuilder integers;
  integers.input("x", {-1, 1}).initializer(int_tensor("B", {1, 1}, {2})).output("y");
  CHECK(integers.node("Gemm", {"x", "B"}, {"y"}).failure().says("'B' holds integers, not floats"));
  const Failure overflow = gemm({attribute("alpha", 3e38f)}).floats("C", {2}, {0, 0}).failure();
  CHECK(overflow.says("leaves float's range"));
}

TEST_CASE("matmul: a constant right operand of rank 2 or batched with ones") {
  const Floats b{1, 2, 3, 4, 5, 6};
  const Floats expected{1, 3, 5, 2, 4, 6};
  Graph graph = matmul({-1, 3}, {3, 2}, b).import();
  CHECK(only_node(graph).weight == expected);
  CHECK(only_node(graph).bias.empty());
  graph = matmul({-1, 5, 3}, {3, 2}, b).import();
  CHECK(only_node(graph).weight == expected);
  CHECK(graph.values[graph.outputs[0]].shape == Shape{-1, 5, 2});
  graph = matmul({-1, 5, 3}, {1, 3, 2}, b).import();
  CHECK(only_node(graph).weight == expected);
  CHECK(graph.values[graph.outputs[0]].shape == Shape{-1, 5, 2});
}

TEST_CASE("matmul: a vector on the right removes the last dimension") {
  const Graph graph = matmul({-1, 5, 3}, {3}, {1, 2, 3}).import();
  REQUIRE(graph.nodes.size() == 2);
  CHECK(graph.nodes[0].weight == Floats{1, 2, 3});
  CHECK(graph.values[graph.nodes[0].output].shape == Shape{-1, 5, 1});
  CHECK(graph.nodes[1].op == Op::reshape);
  CHECK(graph.values[graph.outputs[0]].shape == Shape{-1, 5});
  CHECK(graph.values[graph.outputs[0]].name == "y");
}

TEST_CASE("matmul: refusals") {
  const Floats six(6, 1.0f);
  CHECK(matmul({-1, 5, 3}, {2, 3, 1}, six).failure().says("octet multiplies by one matrix"));
  CHECK(matmul({-1, 3}, {1, 3, 2}, six).failure().says("octet multiplies by one matrix"));
  const Failure columns = matmul({-1, 4}, {3, 2}, six).failure();
  CHECK(columns.code == Error::Code::format);
  CHECK(columns.says("its left operand has 4 columns, its right operand 'B' [3, 2] takes 3"));

  OnnxBuilder left;
  left.input("x", {-1, 3}).floats("A", {2, 2}, Floats(4, 1.0f)).output("y");
  CHECK(left.node("MatMul", {"A", "x"}, {"y"}).failure().says("its left operand 'A'"));
  OnnxBuilder two;
  two.input("x", {-1, 3}).output("y").node("MatMul", {"x", "x"}, {"y"});
  CHECK(two.failure().says("both operands are activations"));
}

}  // namespace octet::test::onnx_ops_linear_test
