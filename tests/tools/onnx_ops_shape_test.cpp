// SPDX-License-Identifier: Apache-2.0
// Reshape, Flatten, Squeeze, Unsqueeze, Transpose: which keep the batch in front, which are
// refused.
#include <doctest/doctest.h>

#include "tests/tools/onnx_builder.h"

namespace octet::test::onnx_ops_shape_test {

using octet::Error;
using octet::convert::Graph;
using octet::convert::Op;
using octet::convert::Shape;

namespace {

OnnxBuilder one(const std::string& op, const Ints& x_dims,
                const std::vector<onnx::AttributeProto>& attributes = {}, std::int64_t opset = 11) {
  OnnxBuilder builder(opset);
  builder.input("x", x_dims).output("y").node(op, {"x"}, {"y"}, attributes, "op");
  return builder;
}

OnnxBuilder reshape(const Ints& x_dims, const Ints& target, bool allow_zero = false) {
  OnnxBuilder builder(14);
  builder.input("x", x_dims).ints("shape", target).output("y");
  builder.node("Reshape", {"x", "shape"}, {"y"}, {attribute("allowzero", allow_zero ? 1 : 0)});
  return builder;
}

// The shape of the only output, which one reshape makes.
Shape reshaped(const OnnxBuilder& builder) {
  const Graph graph = builder.import();
  REQUIRE(graph.nodes.size() == 1);
  CHECK(graph.nodes[0].op == Op::reshape);
  CHECK(graph.values[graph.outputs[0]].name == "y");
  return graph.values[graph.outputs[0]].shape;
}

void check_refused(const OnnxBuilder& builder, const std::string& text) {
  const Failure failure = builder.failure();
  CHECK(failure.code == Error::Code::unsupported);
  CAPTURE(failure.message);
  CHECK(failure.says(text));
}

void check_invalid(const OnnxBuilder& builder, const std::string& text) {
  const Failure failure = builder.failure();
  CHECK(failure.code == Error::Code::format);
  CAPTURE(failure.message);
  CHECK(failure.says(text));
}

}  // namespace

TEST_CASE("reshape: the batch in front as -1, 0, or the number it was exported with") {
  CHECK(reshaped(reshape({-1, 2, 6}, {-1, 12})) == Shape{-1, 12});
  CHECK(reshaped(reshape({-1, 2, 6}, {-1, 3, 4})) == Shape{-1, 3, 4});
  CHECK(reshaped(reshape({-1, 2, 6}, {0, 12})) == Shape{-1, 12});
  CHECK(reshaped(reshape({-1, 2, 6}, {0, -1})) == Shape{-1, 12});
  CHECK(reshaped(reshape({-1, 2, 6}, {0, -1, 4})) == Shape{-1, 3, 4});
  CHECK(reshaped(reshape({-1, 2, 6}, {0, 0, 2, 3})) == Shape{-1, 2, 2, 3});
  CHECK(reshaped(reshape({-1, 2, 6}, {-1, 0, 3, 2})) == Shape{-1, 2, 3, 2});
  CHECK(reshaped(reshape({1, 2, 6}, {1, 12})) == Shape{-1, 12});
  CHECK(reshaped(reshape({1, 2, 6}, {1, -1})) == Shape{-1, 12});
  CHECK(reshaped(reshape({64, 2, 6}, {64, -1})) == Shape{-1, 12});
  CHECK(reshaped(reshape({64, 2, 6}, {-1, 12})) == Shape{-1, 12});
  CHECK(reshaped(reshape({-1, 2, 6}, {1, 12})) == Shape{-1, 12});
  CHECK(reshaped(reshape({-1, 12}, {-1, 12, 1})) == Shape{-1, 12, 1});
  CHECK(reshaped(reshape({-1, 1}, {-1})) == Shape{-1});
}

TEST_CASE("reshape: what would mix samples is refused") {
  const std::string remedy =
      "the batch must stay the leading dimension: export it with -1 or 0 in front";
  check_refused(reshape({-1, 2, 6}, {-1, 24}),
                "it reshapes [N, 2, 6] to [N, 24]: it mixes samples");
  check_refused(reshape({-1, 2, 6}, {-1, 24}), remedy);
  check_refused(reshape({-1, 2, 6}, {-1, 6}), "it mixes samples");
  check_refused(reshape({-1, 2, 6}, {-1}), "it mixes samples");
  check_refused(reshape({-1, 2, 6}, {0, 5, -1}), "it mixes samples");
  check_refused(reshape({-1, 2, 6}, {1, -1}), "its leading dimension is not the batch");
  check_refused(reshape({64, 2, 6}, {32, 24}), "it mixes samples");
  check_refused(reshape({64, 2, 6}, {12, -1}), "its leading dimension is not the batch");
  check_refused(reshape({64, 2, 6}, {12, 64}), "it mixes samples");
  check_refused(reshape({-1, 2, 6}, {}), "a scalar has no batch");
  check_refused(reshape({-1, 2, 6}, {0, 12}, true), "allowzero makes it empty");
}

TEST_CASE("reshape: targets that ONNX forbids") {
  check_invalid(reshape({-1, 12}, {-1, -1}), "its shape has two dimensions of -1");
  check_invalid(reshape({-1, 12}, {-1, 12, 0}), "its shape copies dimension 2 of [N, 12]");
  check_invalid(reshape({-1, 12}, {-1, -12}), "its shape is [N, -12]");
  OnnxBuilder computed;
  computed.input("x", {-1, 12}).output("y").node("Reshape", {"x", "x"}, {"y"});
  check_refused(computed, "its shape 'x' is computed from the network's input");
}

TEST_CASE("reshape: the shapes that exporters compute from a dynamic batch") {
  OnnxBuilder gather;  // x.view(x.size(0), -1)
  gather.input("x", {-1, 2, 6}).output("y");
  gather.initializer(int_tensor("zero", {}, {0})).ints("axes", {0}).ints("rest", {-1});
  gather.node("Shape", {"x"}, {"shape"}).node("Gather", {"shape", "zero"}, {"n"});
  gather.node("Unsqueeze", {"n", "axes"}, {"n1"})
      .node("Concat", {"n1", "rest"}, {"to"}, {attribute("axis", 0)});
  gather.node("Reshape", {"x", "to"}, {"y"});
  CHECK(reshaped(gather) == Shape{-1, 12});

  OnnxBuilder slice(10);  // the same by Slice, with a Cast and a product by 1 on the way
  slice.input("x", {-1, 2, 6}).output("y");
  slice.ints("from", {0}).ints("to", {1}).ints("one", {1}).ints("rest", {3, 4});
  slice.node("Shape", {"x"}, {"shape"}).node("Slice", {"shape", "from", "to"}, {"n"});
  slice.node("Cast", {"n"}, {"n2"}, {attribute("to", static_cast<int>(onnx::TensorProto::INT64))});
  slice.node("Mul", {"n2", "one"}, {"n3"}).node("Identity", {"n3"}, {"n4"});
  slice.node("Concat", {"n4", "rest"}, {"target"}, {attribute("axis", 0)});
  slice.node("Reshape", {"x", "target"}, {"y"});
  CHECK(reshaped(slice) == Shape{-1, 3, 4});

  OnnxBuilder range(15);  // Shape with start and end
  range.input("x", {-1, 2, 6}).output("y").ints("rest", {12});
  range.node("Shape", {"x"}, {"n"}, {attribute("start", 0), attribute("end", 1)});
  range.node("Concat", {"n", "rest"}, {"to"}, {attribute("axis", 0)});
  range.node("Reshape", {"x", "to"}, {"y"});
  CHECK(reshaped(range) == Shape{-1, 12});

  OnnxBuilder product;  // x.view(x.size(1) * x.size(2), x.size(0))
  product.input("x", {-1, 2, 6}).output("y");
  product.initializer(int_tensor("i0", {1}, {0})).initializer(int_tensor("i1", {1}, {1}));
  product.initializer(int_tensor("i2", {1}, {-1}));
  product.node("Shape", {"x"}, {"shape"}).node("Gather", {"shape", "i0"}, {"n"});
  product.node("Gather", {"shape", "i1"}, {"a"}).node("Gather", {"shape", "i2"}, {"b"});
  product.node("Mul", {"a", "b"}, {"ab"});
  product.node("Concat", {"n", "ab"}, {"good"}, {attribute("axis", 0)});
  product.node("Reshape", {"x", "good"}, {"y"});
  CHECK(reshaped(product) == Shape{-1, 12});
  onnx::NodeProto& concat = *product.model.mutable_graph()->mutable_node(5);
  concat.set_input(0, "ab");
  concat.set_input(1, "n");
  check_refused(product, "it reshapes [N, 2, 6] to [12, N]: the batch would move");

  OnnxBuilder total;  // the batch times 12
  total.input("x", {-1, 2, 6}).output("y").ints("twelve", {12});
  total.node("Shape", {"x"}, {"n"}, {attribute("end", 1)});
  total.node("Mul", {"n", "twelve"}, {"all"}).node("Reshape", {"x", "all"}, {"y"});
  total.model.mutable_opset_import(0)->set_version(15);
  check_refused(total, "node 1 'all' (Mul): it computes with the size of the batch");
}

TEST_CASE("flatten") {
  CHECK(reshaped(one("Flatten", {-1, 1, 28, 28})) == Shape{-1, 784});
  CHECK(reshaped(one("Flatten", {-1, 1, 28, 28}, {attribute("axis", 2)})) == Shape{-1, 784});
  CHECK(reshaped(one("Flatten", {-1, 1, 28, 28}, {attribute("axis", -3)})) == Shape{-1, 784});
  CHECK(reshaped(one("Flatten", {-1, 1, 1}, {attribute("axis", 3)})) == Shape{-1, 1});
  CHECK(reshaped(one("Flatten", {1, 2, 3}, {attribute("axis", 0)})) == Shape{-1, 6});
  CHECK(reshaped(one("Flatten", {-1, 784})) == Shape{-1, 784});  // the output's copy
  check_refused(one("Flatten", {-1, 2, 3}, {attribute("axis", 0)}),
                "axis 0 of [N, 2, 3] mixes the batch with other dimensions");
  check_refused(one("Flatten", {-1, 2, 3}, {attribute("axis", 2)}), "mixes the batch");
  check_refused(one("Flatten", {64, 2, 3}, {attribute("axis", 0)}), "mixes the batch");
  check_invalid(one("Flatten", {-1, 2, 3}, {attribute("axis", 4)}), "axis 4 lies outside");
}

TEST_CASE("squeeze and unsqueeze: axes as attribute and as input") {
  CHECK(reshaped(one("Squeeze", {-1, 1, 5, 1}, {attribute("axes", Ints{1})})) == Shape{-1, 5, 1});
  CHECK(reshaped(one("Squeeze", {-1, 1, 5, 1}, {attribute("axes", Ints{-1, 1})})) == Shape{-1, 5});
  CHECK(reshaped(one("Squeeze", {-1, 1, 5, 1})) == Shape{-1, 5});
  CHECK(reshaped(one("Unsqueeze", {-1, 5}, {attribute("axes", Ints{1})})) == Shape{-1, 1, 5});
  CHECK(reshaped(one("Unsqueeze", {-1, 5}, {attribute("axes", Ints{-1, 1})})) ==
        Shape{-1, 1, 5, 1});
  for (const char* op : {"Squeeze", "Unsqueeze"}) {
    OnnxBuilder builder(13);
    builder.input("x", {-1, 1, 5}).ints("axes", {1}).output("y").node(op, {"x", "axes"}, {"y"});
    CHECK(reshaped(builder) == (std::string(op) == "Squeeze" ? Shape{-1, 5} : Shape{-1, 1, 1, 5}));
  }
  check_refused(one("Squeeze", {1, 1, 5}, {attribute("axes", Ints{0})}), "removes the batch");
  check_refused(one("Squeeze", {1, 1, 5}), "it removes the batch dimension of [N, 1, 5]");
  check_refused(one("Unsqueeze", {-1, 5}, {attribute("axes", Ints{0})}),
                "it puts a dimension in front of the batch of [N, 5]");
  check_invalid(one("Squeeze", {-1, 5}, {attribute("axes", Ints{1})}), "it squeezes axis 1 of");
  check_invalid(one("Unsqueeze", {-1, 5}), "has no axes");
  check_invalid(one("Unsqueeze", {-1, 5}, {attribute("axes", Ints{1, 1})}),
                "an axis is given twice");
}

TEST_CASE("transpose") {
  const Graph graph =
      one("Transpose", {-1, 2, 3, 4}, {attribute("perm", Ints{0, 3, 1, 2})}).import();
  REQUIRE(graph.nodes.size() == 1);
  CHECK(graph.nodes[0].op == Op::transpose);
  CHECK(graph.nodes[0].perm == std::vector<std::size_t>{0, 3, 1, 2});
  CHECK(graph.values[graph.outputs[0]].shape == Shape{-1, 4, 2, 3});
  CHECK(reshaped(one("Transpose", {-1, 2, 3}, {attribute("perm", Ints{0, 1, 2})})) ==
        Shape{-1, 2, 3});
  check_refused(one("Transpose", {-1, 2}), "it moves the batch of [N, 2] to another place");
  check_refused(one("Transpose", {-1, 2, 3}, {attribute("perm", Ints{1, 0, 2})}),
                "moves the batch");
  check_invalid(one("Transpose", {-1, 2}, {attribute("perm", Ints{0})}),
                "perm has 1 entries, its input has rank 2");
  check_invalid(one("Transpose", {-1, 2}, {attribute("perm", Ints{0, 0})}), "axis 0 twice");
}

}  // namespace octet::test::onnx_ops_shape_test
