// SPDX-License-Identifier: Apache-2.0
// Operators that are wrong or beyond octet, and what hardly anyone writes but ONNX allows: one
// input to Concat, a Slice of everything, three kinds of recurrent layers.
#include <doctest/doctest.h>

#include "tests/tools/onnx_builder.h"

namespace octet::test::onnx_operator_faults_test {
namespace {

using onnx::TensorProto;

constexpr auto kFormat = Error::Code::format;
constexpr auto kUnsupported = Error::Code::unsupported;

// Inputs and constants for one operator, which makes y.
OnnxBuilder network(std::int64_t opset = 13) {
  OnnxBuilder builder(opset);
  builder.input("x", {-1, 3}).input("v", {-1}).input("q", {-1, 3}, TensorProto::UINT8);
  builder.input("p", {-1, 3}, TensorProto::INT8).output("y");
  builder.floats("s", {}, {0.5f}).floats("s2", {2}, {0.5f, 1}).u8("z", {}, {3}).s8("z8", {}, {3});
  builder.s8("b", {3, 2}, {1, 2, 3, 4, 5, 6})
      .floats("w", {3, 1}, {1, 2, 3})
      .floats("none", {0}, {});
  builder.floats("one", {}, {1}).ints("zero", {0}).ints("first", {1}).ints("three", {3});
  builder.ints("pair", {0, 1}).ints("far", {1000000000000});
  return builder;
}

void fails(OnnxBuilder builder, Error::Code code, const std::string& text) {
  CAPTURE(text);
  check(builder.failure(), code, text);
}

}  // namespace

TEST_CASE("quantize, dequantize: faults") {
  const auto blocks = attribute("block_size", 4);
  fails(network().node("QuantizeLinear", {"x", "s", "z"}, {"y"}, {blocks}), kUnsupported,
        "it quantizes in blocks");
  fails(network().node("DequantizeLinear", {"q", "s", "z"}, {"y"}, {blocks}), kUnsupported,
        "it quantizes in blocks");
  fails(network().node("QuantizeLinear", {"q", "s", "z"}, {"y"}), kFormat,
        "its x holds codes already");
  fails(network().node("DequantizeLinear", {"x", "s", "z"}, {"y"}), kFormat,
        "its x is float already");
  fails(network().node("QuantizeLinear", {"x", "s2"}, {"y"}, {attribute("axis", 0)}), kFormat,
        "it has 2 scales along axis 0 of [N, 3], a wrong axis");
  OnnxBuilder many = network();
  many.input("wide", {-1, 4097}).floats("scales", {4097}, Floats(4097, 0.5f));
  fails(many.node("QuantizeLinear", {"wide", "scales"}, {"y"}), kUnsupported,
        "it has 4097 scales along axis 1 of an activation [N, 4097]; octet takes up to 4096");
  // Constants.
  const auto weights = [](const std::string& x, const std::string& zero) {
    OnnxBuilder builder = network();
    builder.node("DequantizeLinear", {x, "s", zero}, {"c"}).node("MatMul", {"x", "c"}, {"y"});
    return builder;
  };
  fails(weights("w", ""), kUnsupported,
        "its x 'w' is float; octet dequantizes uint8, int8 and int32");
  fails(weights("first", ""), kUnsupported, "its x 'first' is int64; octet dequantizes");
  fails(weights("b", "z"), kFormat, "its x is int8, its zero point uint8");
  OnnxBuilder words = network().s32("c32", {3, 1}, {1, 2, 3}).s32("z32", {}, {1});
  words.node("DequantizeLinear", {"c32", "s", "z32"}, {"c"}).node("MatMul", {"x", "c"}, {"y"});
  fails(words, kFormat, "its x is int32, whose zero point must be 0");
}

TEST_CASE("dynamic products: faults of b's scale and zero point") {
  const auto matmul = [](const std::string& scale, const std::string& zero) {
    OnnxBuilder builder = network().s8("z2", {1, 2}, {0, 0}).s8("z3", {3}, {0, 0, 0});
    builder.floats("row", {1, 2}, {0.5f, 1});
    builder.microsoft("DynamicQuantizeMatMul", {"x", "b", scale, zero}, {"y"});
    return builder;
  };
  CHECK(matmul("row", "z8").import().nodes.size() == 1);
  fails(matmul("s", "z2"), kUnsupported, "its zero point 'z2' has the shape [1, 2]; octet takes");
  fails(matmul("s2", "z3"), kFormat, "b has 2 scales and 3 zero points");
  fails(matmul("w", "z8"), kFormat, "its scale 'w' [3, 1] is neither a float nor a list");
}

TEST_CASE("matmul: faults of either operand") {
  fails(network().node("MatMul", {"v", "w"}, {"y"}), kUnsupported,
        "its left operand has the shape [N], the sum would run over the batch");
  fails(network().node("MatMul", {"x", "one"}, {"y"}), kFormat,
        "its right operand has the shape []");
  fails(network().node("MatMul", {"x", "none"}, {"y"}), kFormat,
        "its right operand has the shape [0]");
}

TEST_CASE("concat and slice: of one input, of everything, and faults") {
  const auto axis = attribute("axis", 1);
  OnnxBuilder alone = network();
  alone.node("Concat", {"x"}, {"c"}, {axis}).node("Relu", {"c"}, {"y"});
  CHECK(alone.import().nodes.size() == 1);
  fails(network().node("Concat", {}, {"y"}, {axis}), kFormat, "has no input");
  fails(network().node("Concat", {"x", "x"}, {"y"}), kFormat, "has no axis");
  fails(network().node("Concat", {"x", "v"}, {"y"}, {axis}), kFormat,
        "its inputs have the ranks 2 and 1");
  fails(network().node("Concat", {"q", "p"}, {"y"}, {axis}), kFormat,
        "its inputs have different element types");

  OnnxBuilder whole = network();
  whole.node("Slice", {"x", "zero", "three", "first"}, {"c"}).node("Relu", {"c"}, {"y"});
  CHECK(whole.import().nodes.size() == 1);
  fails(network().node("Slice", {"x", "zero"}, {"y"}), kFormat, "has no starts or no ends");
  fails(network().node("Slice", {"x", "zero", "", "first"}, {"y"}), kFormat, "has no starts or no");
  fails(network().node("Slice", {"x", "pair", "three", "first"}, {"y"}), kFormat,
        "its starts, ends, axes and steps differ in number");
  fails(network().node("Slice", {"x", "zero", "three", "pair"}, {"y"}), kFormat,
        "differ in number");
  fails(network().node("Slice", {"x", "zero", "three", "first", "pair"}, {"y"}), kFormat,
        "differ in number");
  fails(network().node("Slice", {"x", "zero", "three", "first", "zero"}, {"y"}), kFormat,
        "a step is 0");
  fails(network().node("Slice", {"x", "three", "three", "first"}, {"y"}), kUnsupported,
        "its result is empty along axis 1");
  fails(network().ints("twice", {1, 1}).node("Slice", {"x", "pair", "pair", "twice"}, {"y"}),
        kFormat, "it slices axis 1 twice");
  // The batch may be sliced whole, and no other way.
  OnnxBuilder all = network();
  all.node("Slice", {"x", "zero", "far", "zero"}, {"c"}).node("Relu", {"c"}, {"y"});
  CHECK(all.import().nodes.size() == 1);
  for (const auto& [start, end] : {std::pair{"first", "far"}, {"zero", "three"}}) {
    fails(network().node("Slice", {"x", start, end, "zero"}, {"y"}), kUnsupported,
          "it slices axis 0, the batch");
  }
  fails(network().node("Slice", {"x", "s", "three"}, {"y"}), kFormat,
        "its starts 's' is no list of integers");
}

TEST_CASE("casts and dropouts: faults") {
  const auto to = [](int type) { return attribute("to", type); };
  fails(network().node("Cast", {"x"}, {"y"}, {to(TensorProto::FLOAT16)}), kUnsupported,
        "it casts an activation to float16");
  fails(network().node("Cast", {"q"}, {"y"}, {to(TensorProto::INT8)}), kUnsupported,
        "it casts an activation to int8");
  OnnxBuilder same = network();
  same.node("Cast", {"q"}, {"c"}, {to(TensorProto::UINT8)});
  same.node("DequantizeLinear", {"c", "s", "z"}, {"y"});
  CHECK(same.import().nodes.size() == 1);
  for (const char* training : {"one", "pair"}) {
    fails(network().node("Dropout", {"x", "", training}, {"y"}), kFormat,
          "its training_mode is no boolean");
  }
  fails(network().node("Dropout", {"x", "", "first"}, {"y"}), kUnsupported,
        "training_mode is true; export the network in evaluation mode");
}

TEST_CASE("what octet lacks is refused by kind") {
  for (const char* op : {"LSTM", "GRU", "RNN"}) {
    fails(network().node(op, {"x"}, {"y"}), kUnsupported, "octet has no recurrent layers");
  }
  for (const char* op : {"Conv", "ConvTranspose", "MaxPool", "GlobalAveragePool"}) {
    fails(network().node(op, {"x"}, {"y"}), kUnsupported, "convolutions and pooling come with");
  }
  fails(network().node("Einsum", {"x"}, {"y"}), kUnsupported, "octet has no such operator");
  fails(network().microsoft("FusedMatMul", {"x"}, {"y"}), kUnsupported,
        "it belongs to the domain 'com.microsoft'");
  onnx::AttributeProto branch;
  branch.set_name("then_branch");
  branch.set_type(onnx::AttributeProto::GRAPH);
  branch.mutable_g()->set_name("then");
  fails(network().node("If", {"x"}, {"y"}, {branch}), kUnsupported, "it holds a graph of its own");
}

}  // namespace octet::test::onnx_operator_faults_test
