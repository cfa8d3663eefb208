// SPDX-License-Identifier: Apache-2.0
// Constants that cannot be folded, and rarer ones that can: integers, bools, the size of the batch.
#include <doctest/doctest.h>

#include <limits>

#include "tests/tools/onnx_builder.h"

namespace octet::test::onnx_fold_faults_test {
namespace {

using onnx::TensorProto;

constexpr auto kFormat = Error::Code::format;
constexpr auto kUnsupported = Error::Code::unsupported;

// x [N, 2], constants, and the test's nodes, which make c; y = x + float(c).
OnnxBuilder constants() {
  OnnxBuilder builder(14);
  builder.input("x", {-1, 2}).output("y");
  builder.floats("m", {2, 3}, {1, 2, 3, 4, 5, 6}).floats("f", {2}, {0, -1.5f});
  builder.ints("i", {7, 9}).ints("ones", {1, 1}).ints("two", {2}).ints("zero", {0});
  builder.ints("least", {std::numeric_limits<std::int64_t>::min()});
  builder.u8("u8", {2}, {3, 200}).u8("low", {}, {10}).u8("high", {}, {100});
  builder.node("Shape", {"x"}, {"shape"});  // the batch, 2
  builder.node("Gather", {"shape", "zero"}, {"batch"});
  return builder;
}

OnnxBuilder& finish(OnnxBuilder& builder, const std::string& c) {
  builder.node("Cast", {c}, {"c_float"}, {attribute("to", int{TensorProto::FLOAT})});
  return builder.node("Add", {"x", "c_float"}, {"y"});
}

Floats folded(OnnxBuilder builder, const std::string& c = "c") {
  const convert::Graph graph = finish(builder, c).import();
  REQUIRE(graph.nodes.size() == 1);
  return graph.nodes[0].shift;
}

void fails(OnnxBuilder builder, Error::Code code, const std::string& text) {
  CAPTURE(text);
  check(finish(builder, "c").failure(), code, text);
}

onnx::AttributeProto to(TensorProto::DataType type) {
  return attribute("to", int{type});
}

}  // namespace

TEST_CASE("fold: sums, products of 1, bools, filled shapes and clips of integers") {
  CHECK(folded(constants().node("Add", {"i", "two"}, {"c"})) == Floats{9, 11});
  CHECK(folded(constants().node("Mul", {"ones", "i"}, {"c"})) == Floats{7, 9});
  CHECK(folded(constants().node("Div", {"i", "ones"}, {"c"})) == Floats{7, 9});
  CHECK(folded(constants().node("Cast", {"f"}, {"c"}, {to(TensorProto::BOOL)})) == Floats{0, 1});
  CHECK(folded(constants().node("Cast", {"u8"}, {"c"}, {to(TensorProto::BOOL)})) == Floats{1, 1});
  CHECK(folded(constants().node("Cast", {"f"}, {"c"}, {to(TensorProto::INT8)})) == Floats{0, -1});
  CHECK(folded(constants().node("ConstantOfShape", {"two"}, {"c"})) == Floats{0, 0});
  CHECK(folded(constants().node("ConstantOfShape", {"two"}, {"c"},
                                {attribute("value", int_tensor("", {1}, {5}))})) == Floats{5, 5});
  CHECK(folded(constants().node("ConstantOfShape", {"two"}, {"c"},
                                {attribute("value", float_tensor("", {1}, {0.5f}))})) ==
        Floats{0.5f, 0.5f});
  CHECK(folded(constants().node("Clip", {"u8", "low", "high"}, {"c"})) == Floats{10, 100});
  CHECK(folded(constants().node("Clip", {"u8", "", "high"}, {"c"})) == Floats{3, 100});
  CHECK(folded(constants().node("Clip", {"u8", "low"}, {"c"})) == Floats{10, 200});
  CHECK(folded(constants().node("Concat", {"two", "zero"}, {"c"}, {attribute("axis", 0)})) ==
        Floats{2, 0});
  CHECK(folded(constants().node("Gather", {"i", "zero"}, {"c"})) == Floats{7});
}

TEST_CASE("fold: faults of arithmetic") {
  fails(constants().node("Add", {"i", "f"}, {"c"}), kFormat, "it mixes floats and integers");
  fails(constants().node("Add", {"m", "f"}, {"c"}), kFormat,
        "its shapes [2, 3] and [2] cannot be broadcast");
  fails(constants().node("Sub", {"least", "two"}, {"c"}), kFormat, "is no int64");
  fails(constants().node("Add", {"least", "least"}, {"c"}), kFormat, "is no int64");
  fails(constants()
            .node("Cast", {"i"}, {"a"}, {to(TensorProto::UINT8)})
            .node("Sub", {"two", "i"}, {"b"})
            .node("Cast", {"b"}, {"c"}, {to(TensorProto::UINT8)}),
        kFormat, "it casts -5 to uint8, where it does not fit");
}

TEST_CASE("fold: the size of the batch is known only when the network runs") {
  const std::string text = "it computes with the size of the batch";
  fails(constants().node("Add", {"batch", "two"}, {"c"}), kUnsupported, text);
  fails(constants().node("Sub", {"two", "batch"}, {"c"}), kUnsupported, text);
  fails(constants().node("Identity", {"batch"}, {"c"}), kUnsupported, text);  // to float
  fails(constants().node("Cast", {"batch"}, {"c"}, {to(TensorProto::INT8)}), kUnsupported, text);
  fails(constants().node("ConstantOfShape", {"batch"}, {"c"}), kUnsupported, text);
  fails(constants().node("Gather", {"i", "batch"}, {"c"}), kUnsupported,
        "its index is the size of the batch");
  fails(constants().node("Reshape", {"i", "shape"}, {"c"}), kUnsupported,
        "whose size depends on the batch");
  // A factor of 1 leaves it as it is: what exporters write for a symbolic batch.
  for (const bool first : {true, false}) {
    OnnxBuilder builder = constants().ints("one", {1});
    builder.node("Mul", {first ? "one" : "batch", first ? "batch" : "one"}, {"n"});
    builder.node("Concat", {"n", "two"}, {"to"}, {attribute("axis", 0)});
    builder.node("Relu", {"x"}, {"r"}).node("Reshape", {"r", "to"}, {"y"});
    CHECK(builder.import().values.back().shape == convert::Shape{-1, 2});
  }
}

TEST_CASE("fold: faults of shapes and axes") {
  const auto reshape = [](const Ints& dims) {
    return constants().ints("dims", dims).node("Reshape", {"m", "dims"}, {"c"});
  };
  fails(reshape({2, -1, -1}), kFormat, "it reshapes the constant [2, 3] to [2, -1, -1]");
  fails(reshape({2, 3, 0}), kFormat, "it reshapes the constant [2, 3] to [2, 3, 0]");
  fails(reshape({4, -1}), kFormat, "it reshapes the constant [2, 3] to [4, -1]");
  fails(constants()
            .ints("dims", {0, -1})
            .node("Reshape", {"m", "dims"}, {"c"}, {attribute("allowzero", 1)}),
        kFormat, "it reshapes the constant [2, 3] to [0, -1]");
  fails(constants().node("Concat", {"i", "two"}, {"c"}), kFormat, "has no axis");
  fails(constants().node("Concat", {"m", "f"}, {"c"}, {attribute("axis", 0)}), kFormat,
        "its inputs [2, 3] and [2] do not fit together along axis 0");
  fails(constants().node("Concat", {"i", "f"}, {"c"}, {attribute("axis", 0)}), kFormat,
        "do not fit together along axis 0");
  fails(constants().node("Concat", {"i", "u8"}, {"c"}, {attribute("axis", 0)}), kFormat,
        "do not fit together along axis 0");
  fails(constants().node("Gather", {"m", "f"}, {"c"}), kFormat, "its indices are floats");
}

TEST_CASE("fold: faults of constants and of what fills them") {
  fails(constants().node("Constant", {}, {"c"}), kFormat, "has 0 attributes, not one");
  onnx::AttributeProto text;
  text.set_name("value_string");
  text.set_type(onnx::AttributeProto::STRING);
  fails(constants().node("Constant", {}, {"c"}, {text}), kUnsupported,
        "its value_string is no dense tensor of numbers");
  fails(constants().node("ConstantOfShape", {"two"}, {"c"},
                         {attribute("value", float_tensor("", {2}, {1, 2}))}),
        kFormat, "its value has more than one element");
  fails(constants().node("Clip", {"f", "low"}, {"c"}), kUnsupported,
        "it clips a constant of floats");
  fails(constants().node("Clip", {"u8", "f"}, {"c"}), kFormat,
        "its min is no scalar of its input's type, uint8");
  fails(constants().node("Clip", {"u8", "u8"}, {"c"}), kFormat, "its min is no scalar");
  fails(constants().node("Clip", {"u8", "low", "zero"}, {"c"}), kFormat, "its max is no scalar");
}

}  // namespace octet::test::onnx_fold_faults_test
