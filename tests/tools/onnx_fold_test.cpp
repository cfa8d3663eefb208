// SPDX-License-Identifier: Apache-2.0
// Constants that are folded while importing: each is added to an activation of shape [N, ...],
// whose affine then holds its values.
#include <doctest/doctest.h>

#include <limits>

#include "tests/tools/onnx_builder.h"

namespace octet::test::onnx_fold_test {

using octet::Error;
using octet::convert::Graph;
using octet::convert::Op;

namespace {

// y = x + c, where the test's nodes make c.
OnnxBuilder sum(const Ints& x_dims, std::int64_t opset = 13) {
  OnnxBuilder builder(opset);
  builder.input("x", x_dims).output("y");
  return builder;
}

Floats folded(OnnxBuilder& builder) {
  builder.node("Add", {"x", "c"}, {"y"});
  const Graph graph = builder.import();
  REQUIRE(graph.nodes.size() == 1);
  CHECK(graph.nodes[0].op == Op::affine);
  return graph.nodes[0].shift;
}

Failure failure(OnnxBuilder& builder) {
  return builder.node("Add", {"x", "c"}, {"y"}).failure();
}

// c = op(matrix [2, 3] of 1..6, ...).
OnnxBuilder matrix(const Ints& x_dims, std::int64_t opset = 13) {
  return sum(x_dims, opset).floats("m", {2, 3}, {1, 2, 3, 4, 5, 6});
}

}  // namespace

TEST_CASE("fold: Constant in all its forms") {
  const auto constant = [](const onnx::AttributeProto& value) {
    OnnxBuilder builder = sum({-1, 2});
    builder.node("Constant", {}, {"c"}, {value});
    return folded(builder);
  };
  CHECK(constant(attribute("value", float_tensor("", {2}, {3, 4}))) == Floats{3, 4});
  CHECK(constant(attribute("value_float", 5.0f)) == Floats{5});
  onnx::AttributeProto floats;
  floats.set_name("value_floats");
  floats.set_type(onnx::AttributeProto::FLOATS);
  floats.add_floats(6);
  floats.add_floats(7);
  CHECK(constant(floats) == Floats{6, 7});

  for (const onnx::AttributeProto& target :
       {attribute("value_ints", Ints{-1, 2}), attribute("value", int_tensor("", {2}, {-1, 2}))}) {
    OnnxBuilder builder;
    builder.input("x", {-1, 1, 2}).output("y").node("Constant", {}, {"to"}, {target});
    CHECK(builder.node("Reshape", {"x", "to"}, {"y"}).import().values.back().shape ==
          octet::convert::Shape{-1, 2});
  }
  OnnxBuilder scalar;
  scalar.input("x", {-1, 1}).output("y").node("Constant", {}, {"to"}, {attribute("value_int", -1)});
  CHECK(scalar.node("Reshape", {"x", "to"}, {"y"}).import().values.back().shape ==
        octet::convert::Shape{-1});

  onnx::AttributeProto text;
  text.set_name("value_string");
  text.set_type(onnx::AttributeProto::STRING);
  OnnxBuilder string = sum({-1, 2}).node("Constant", {}, {"c"}, {text});
  CHECK(failure(string).says("its value_string is no dense tensor of numbers"));
  OnnxBuilder none = sum({-1, 2}).node("Constant", {}, {"c"});
  CHECK(failure(none).code == Error::Code::format);
}

TEST_CASE("fold: arithmetic of constants, broadcast") {
  const auto compute = [](const std::string& op) {
    OnnxBuilder builder = sum({-1, 2, 2}).floats("a", {2, 1}, {8, 4}).floats("b", {2}, {2, 4});
    builder.node(op, {"a", "b"}, {"c"});
    return folded(builder);
  };
  CHECK(compute("Add") == Floats{10, 12, 6, 8});
  CHECK(compute("Sub") == Floats{6, 4, 2, 0});
  CHECK(compute("Mul") == Floats{16, 32, 8, 16});
  CHECK(compute("Div") == Floats{4, 2, 2, 1});

  OnnxBuilder clash = sum({-1, 2}).floats("a", {2}, {8, 4}).floats("b", {3}, {2, 4, 6});
  clash.node("Add", {"a", "b"}, {"c"});
  CHECK(failure(clash).says("its shapes [2] and [3] cannot be broadcast"));
}

TEST_CASE("fold: arithmetic of integers is checked") {
  const auto result = [](const std::string& op, std::int64_t a, std::int64_t b) {
    OnnxBuilder builder = sum({-1, 2});
    builder.ints("a", {a}).ints("b", {b}).node(op, {"a", "b"}, {"i"});
    builder.node("Cast", {"i"}, {"c"}, {attribute("to", 1)});
    return builder;
  };
  OnnxBuilder quotient = result("Div", 7, 2);
  CHECK(folded(quotient) == Floats{3});
  OnnxBuilder difference = result("Sub", 7, 9);
  CHECK(folded(difference) == Floats{-2});
  const std::int64_t min = std::numeric_limits<std::int64_t>::min();
  OnnxBuilder by_zero = result("Div", 7, 0);
  CHECK(failure(by_zero).says("its result on 7 and 0 is no int64"));
  OnnxBuilder overflow = result("Div", min, -1);
  CHECK(failure(overflow).code == Error::Code::format);
  OnnxBuilder product = result("Mul", min, 2);
  CHECK(failure(product).code == Error::Code::format);
}

TEST_CASE("fold: Cast of constants") {
  OnnxBuilder to_float = sum({-1, 2}).ints("i", {3, -4});
  to_float.node("Cast", {"i"}, {"c"}, {attribute("to", 1)});
  CHECK(folded(to_float) == Floats{3, -4});

  OnnxBuilder truncates;  // [-1.9, 2.5] as int64 is [-1, 2]
  truncates.input("x", {-1, 1, 2}).floats("f", {2}, {-1.9f, 2.5f}).output("y");
  truncates.node("Cast", {"f"}, {"to"}, {attribute("to", 7)}).node("Reshape", {"x", "to"}, {"y"});
  CHECK(truncates.import().values.back().shape == octet::convert::Shape{-1, 2});

  OnnxBuilder huge = sum({-1, 1}).floats("f", {1}, {1e30f});
  huge.node("Cast", {"f"}, {"c"}, {attribute("to", 7)});
  CHECK(failure(huge).says("to an integer"));
  OnnxBuilder half = sum({-1, 1}).floats("f", {1}, {1});
  half.node("Cast", {"f"}, {"c"}, {attribute("to", 10)});
  CHECK(failure(half).says("it casts a constant to float16"));
}

TEST_CASE("fold: Transpose, Reshape, Flatten, Squeeze, Unsqueeze, Identity, Dropout") {
  OnnxBuilder transpose = matrix({-1, 3, 2}).node("Transpose", {"m"}, {"c"});
  CHECK(folded(transpose) == Floats{1, 4, 2, 5, 3, 6});
  OnnxBuilder cube = sum({-1, 3, 2, 2});
  cube.floats("m", {2, 2, 3}, {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11});
  cube.node("Transpose", {"m"}, {"c"}, {attribute("perm", Ints{2, 0, 1})});
  CHECK(folded(cube) == Floats{0, 3, 6, 9, 1, 4, 7, 10, 2, 5, 8, 11});

  OnnxBuilder reshape = matrix({-1, 3, 2}).ints("to", {3, -1});
  reshape.node("Reshape", {"m", "to"}, {"c"});
  CHECK(folded(reshape) == Floats{1, 2, 3, 4, 5, 6});
  OnnxBuilder copy = matrix({-1, 2, 3}).ints("to", {0, 3});
  copy.node("Reshape", {"m", "to"}, {"c"});
  CHECK(folded(copy) == Floats{1, 2, 3, 4, 5, 6});
  OnnxBuilder wrong = matrix({-1, 6}).ints("to", {4, -1});
  CHECK(failure(wrong.node("Reshape", {"m", "to"}, {"c"})).code == Error::Code::format);

  OnnxBuilder flatten = matrix({-1, 6}).node("Flatten", {"m"}, {"c"}, {attribute("axis", 0)});
  CHECK(folded(flatten) == Floats{1, 2, 3, 4, 5, 6});
  OnnxBuilder ones = matrix({-1, 2, 3}).ints("axes", {0, 3});
  ones.node("Unsqueeze", {"m", "axes"}, {"a"}).node("Squeeze", {"a", "axes"}, {"b"});
  ones.node("Identity", {"b"}, {"d"}).node("Dropout", {"d"}, {"c"});
  CHECK(folded(ones) == Floats{1, 2, 3, 4, 5, 6});
}

TEST_CASE("fold: Gather, Slice, Concat, Shape") {
  OnnxBuilder rows = matrix({-1, 3}).initializer(int_tensor("i", {}, {-1}));
  CHECK(folded(rows.node("Gather", {"m", "i"}, {"c"})) == Floats{4, 5, 6});
  OnnxBuilder columns = matrix({-1, 2, 2}).ints("i", {2, 0});
  columns.node("Gather", {"m", "i"}, {"c"}, {attribute("axis", 1)});
  CHECK(folded(columns) == Floats{3, 1, 6, 4});
  OnnxBuilder outside = matrix({-1, 3}).initializer(int_tensor("i", {}, {2}));
  CHECK(failure(outside.node("Gather", {"m", "i"}, {"c"})).says("axis 2 lies outside"));

  OnnxBuilder slice = matrix({-1, 2, 1}).ints("from", {-1, 3}).ints("to", {-100, 0});
  slice.ints("axes", {0, 1}).ints("steps", {-1, -2});
  slice.node("Slice", {"m", "from", "to", "axes", "steps"}, {"c"});
  CHECK(folded(slice) == Floats{6, 3});

  OnnxBuilder below = matrix({-1, 4, 3}).node("Concat", {"m", "m"}, {"c"}, {attribute("axis", 0)});
  CHECK(folded(below) == Floats{1, 2, 3, 4, 5, 6, 1, 2, 3, 4, 5, 6});
  OnnxBuilder beside = matrix({-1, 2, 6}).node("Concat", {"m", "m"}, {"c"}, {attribute("axis", 1)});
  CHECK(folded(beside) == Floats{1, 2, 3, 1, 2, 3, 4, 5, 6, 4, 5, 6});

  OnnxBuilder shape = matrix({-1, 2}).node("Shape", {"m"}, {"s"});
  CHECK(folded(shape.node("Cast", {"s"}, {"c"}, {attribute("to", 1)})) == Floats{2, 3});
  OnnxBuilder last = matrix({-1, 1}, 15).node("Shape", {"m"}, {"s"}, {attribute("start", -1)});
  CHECK(folded(last.node("Cast", {"s"}, {"c"}, {attribute("to", 1)})) == Floats{3});
}

TEST_CASE("fold: what is not folded is refused, and constants cannot grow without bound") {
  OnnxBuilder relu = matrix({-1, 2, 3}).node("Relu", {"m"}, {"c"}, {}, "act");
  const Failure refused = failure(relu);
  CHECK(refused.code == Error::Code::unsupported);
  CHECK(refused.says("node 0 'act' (Relu): all its inputs are constants"));

  OnnxBuilder bomb = matrix({-1, 1});
  std::string name = "m";
  for (int i = 0; i < 40; ++i) {
    const std::string next = i == 39 ? "c" : "m" + std::to_string(i);
    bomb.node("Concat", {name, name}, {next}, {attribute("axis", 0)});
    name = next;
  }
  const Failure limit = failure(bomb);
  CHECK(limit.code == Error::Code::limit);
  CHECK(limit.says("its constants would grow far beyond what the file holds"));
}

}  // namespace octet::test::onnx_fold_test
