// SPDX-License-Identifier: Apache-2.0
// Malformed models that protobuf reads: each fault of data and nodes has its own message.
#include "tests/tools/onnx_faults.h"

namespace octet::test::onnx_node_faults_test {
namespace {

using B = OnnxBuilder;

std::vector<Fault> data_faults() {
  return {
      {"raw_data a byte short", [](B& b) { weight(b).mutable_raw_data()->pop_back(); }, kFormat,
       "initializer 'w' holds 47 bytes, its shape [4, 3] of float needs 48"},
      {"raw_data a byte long", [](B& b) { weight(b).mutable_raw_data()->push_back('\0'); }, kFormat,
       "initializer 'w' holds 49 bytes"},
      {"raw_data empty", [](B& b) { weight(b).set_raw_data(""); }, kFormat,
       "initializer 'w' holds 0 bytes"},
      {"no data", [](B& b) { weight(b).clear_raw_data(); }, kFormat,
       "initializer 'w' holds 0 values"},
      {"float_data an element short",
       [](B& b) {
         weight(b).clear_raw_data();
         for (int i = 0; i < 11; ++i) weight(b).add_float_data(1);
       },
       kFormat, "initializer 'w' holds 11 values"},
      {"float_data of another type",
       [](B& b) {
         weight(b).clear_raw_data();
         for (int i = 0; i < 12; ++i) weight(b).add_int32_data(1);
       },
       kFormat, "initializer 'w' holds 0 values"},
      {"raw_data and float_data",
       [](B& b) {
         for (int i = 0; i < 12; ++i) weight(b).add_float_data(1);
       },
       kFormat, "initializer 'w' has raw_data and 12 values in a typed field"},
      {"raw_data and int64_data", [](B& b) { weight(b).add_int64_data(1); }, kFormat,
       "initializer 'w' has raw_data and 1 values in a typed field"},
      {"raw_data and external data",
       [](B& b) { weight(b).set_data_location(TensorProto::EXTERNAL); }, kFormat,
       "initializer 'w' has raw_data and external data"},
      {"strings", [](B& b) { weight(b).set_data_type(TensorProto::STRING); }, kUnsupported,
       "initializer 'w' has element type string"},
      {"complex numbers", [](B& b) { weight(b).set_data_type(TensorProto::COMPLEX64); },
       kUnsupported, "initializer 'w' has element type complex64"},
      {"no element type", [](B& b) { weight(b).clear_data_type(); }, kUnsupported,
       "initializer 'w' has element type undefined"},
      {"an unknown element type", [](B& b) { weight(b).set_data_type(-3); }, kUnsupported,
       "initializer 'w' has element type type -3"},
      {"segments", [](B& b) { weight(b).mutable_segment(); }, kUnsupported,
       "initializer 'w' is split into segments"},
      {"NaN",
       [](B& b) {
         weight(b) = float_tensor("w", {4, 3}, Floats(12, std::numeric_limits<float>::quiet_NaN()));
       },
       kFormat, "its right operand 'w' holds NaN at element 0 of 12"},
      {"an infinity",
       [](B& b) {
         Floats v(12, 1);
         v[7] = std::numeric_limits<float>::infinity();
         weight(b) = float_tensor("w", {4, 3}, v);
       },
       kFormat, "its right operand 'w' holds an infinity at element 7 of 12"},
      {"weights of integers",
       [](B& b) {
         weight(b) = int_tensor("w", {4, 3}, Ints(12, 1));
       },
       kFormat, "its right operand 'w' holds integers, not floats"},
      {"concatenated constants of 2^64 rows",
       [](B& b) {
         b.initializer(tensor("e", TensorProto::FLOAT, {std::int64_t{1} << 59, 0}));
         b.node("Concat", std::vector<std::string>(16, "e"), {"c"}, {attribute("axis", 0)}, "cat")
             .output("c");
       },
       kFormat, "node 3 'cat' (Concat): its result has more than 2^63 - 1 elements along axis 0"},
      {"a constant of 17 dimensions made of one",
       [](B& b) {
         Ints axes;
         for (int i = 0; i < 14; ++i) axes.push_back(i);
         b.ints("axes", axes).initializer(tensor("t", TensorProto::FLOAT, {0, 1, 1}));
         b.node("Unsqueeze", {"t", "axes"}, {"u"}, {}, "more").output("u");
       },
       kLimit, "node 3 'more' (Unsqueeze): its result has 17 dimensions"},
  };
}

std::vector<Fault> node_faults() {
  return {
      {"a node without inputs", [](B& b) { last(b, "Relu", {}); }, kFormat,
       "node 2 'act' (Relu): has no input"},
      {"an absent input", [](B& b) { last(b, "Relu", {""}); }, kFormat,
       "node 2 'act' (Relu): has no input"},
      {"a product of one operand", [](B& b) { last(b, "MatMul", {"a"}); }, kFormat,
       "node 2 'act' (MatMul): has no right operand"},
      {"a sum of one operand", [](B& b) { last(b, "Add", {"a"}); }, kFormat,
       "node 2 'act' (Add): needs two inputs"},
      {"an attribute of another type",
       [](B& b) { last(b, "Softmax", {"a"}, {attribute("axis", 1.0F)}); }, kFormat,
       "(Softmax): attribute axis has type FLOAT, not INT"},
      {"an attribute without a type",
       [](B& b) { last(b, "Softmax", {"a"}, {typed("axis", AttributeProto::UNDEFINED)}); }, kFormat,
       "attribute axis has type UNDEFINED, not INT"},
      {"an axis outside", [](B& b) { last(b, "Softmax", {"a"}, {attribute("axis", 2)}); }, kFormat,
       "axis 2 lies outside a tensor of rank 2"},
      {"the least axis",
       [](B& b) {
         auto axis = attribute("axis", 0);
         axis.set_i(std::numeric_limits<std::int64_t>::min());
         last(b, "Softmax", {"a"}, {axis});
       },
       kFormat, "axis -9223372036854775808 lies outside"},
      {"an attribute that is NaN",
       [](B& b) {
         last(b, "LeakyRelu", {"a"}, {attribute("alpha", std::numeric_limits<float>::quiet_NaN())});
       },
       kFormat, "attribute alpha is NaN"},
      {"an infinite attribute",
       [](B& b) {
         last(b, "LeakyRelu", {"a"}, {attribute("alpha", std::numeric_limits<float>::infinity())});
       },
       kFormat, "its alpha or beta is infinite"},
      {"a Constant without a value",
       [](B& b) { b.node("Constant", {}, {"c"}, {}, "const").output("c"); }, kFormat,
       "node 3 'const' (Constant): has 0 attributes, not one"},
      {"a Constant of a string",
       [](B& b) {
         auto value = typed("value_string", AttributeProto::STRING);
         value.set_s("\x1b[2J");
         b.node("Constant", {}, {"c"}, {value}, "const").output("c");
       },
       kUnsupported, "(Constant): its value_string is no dense tensor of numbers"},
      {"a Constant too short",
       [](B& b) {
         auto value = tensor("\x1b[2J", TensorProto::FLOAT, {4});
         b.node("Constant", {}, {"c"}, {attribute("value", value)}, "const").output("c");
       },
       kFormat, "initializer 'c' holds 0 values"},
      {"a permutation too short",
       [](B& b) { last(b, "Transpose", {"a"}, {attribute("perm", Ints{0})}); }, kFormat,
       "perm has 1 entries, its input has rank 2"},
      {"a permutation with an axis twice",
       [](B& b) {
         last(b, "Transpose", {"a"}, {attribute("perm", Ints{0, 0})});
       },
       kFormat, "perm names axis 0 twice"},
      {"a shape that is no constant",
       [](B& b) {
         last(b, "Reshape", {"a", "a"});
       },
       kUnsupported, "(Reshape): its shape 'a' is computed from the network's input"},
      {"a shape of floats",
       [](B& b) {
         last(b, "Reshape", {"a", "b"});
       },
       kFormat, "(Reshape): its shape 'b' is no list of integers"},
      {"a shape with -1 twice",
       [](B& b) {
         b.ints("s", {-1, -1});
         last(b, "Reshape", {"a", "s"});
       },
       kFormat, "(Reshape): its shape has two dimensions of -1"},
      {"a shape with -2",
       [](B& b) {
         b.ints("s", {-1, -2});
         last(b, "Reshape", {"a", "s"});
       },
       kFormat, "(Reshape): its shape is [N, -2]"},
      {"a shape of other size",
       [](B& b) {
         b.ints("s", {-1, 4});
         last(b, "Reshape", {"a", "s"});
       },
       kUnsupported, "it reshapes [N, 3] to [N, 4]: it mixes samples"},
      {"a concatenation without an axis",
       [](B& b) {
         last(b, "Concat", {"a", "a"});
       },
       kFormat, "(Concat): has no axis"},
      {"pieces that do not add up",
       [](B& b) {
         b.ints("s", {1, 1});
         last(b, "Split", {"a", "s"}, {attribute("axis", 1)});
         node(b, 2).add_output("z");
       },
       kFormat, "(Split): its pieces [1, 1] for 2 outputs do not split 3 elements"},
      {"a slice of step 0",
       [](B& b) {
         b.ints("s", {0}).ints("e", {1}).ints("i", {1});
         last(b, "Slice", {"a", "s", "e", "i", "s"});
       },
       kFormat, "(Slice): a step is 0"},
      {"bounds in the wrong order",
       [](B& b) {
         b.floats("lo", {}, {2}).floats("hi", {}, {1});
         last(b, "Clip", {"a", "lo", "hi"});
       },
       kUnsupported, "(Clip): min 2.000000 is above max 1.000000"},
      {"a scale of 0",
       [](B& b) {
         b.floats("s", {}, {0});
         last(b, "QuantizeLinear", {"a", "s"});
       },
       kUnsupported, "(QuantizeLinear): its scale 's', entry 0 of 1, is 0"},
      {"a negative scale",
       [](B& b) {
         b.floats("s", {}, {-1});
         last(b, "QuantizeLinear", {"a", "s"});
       },
       kUnsupported, "is -1: a scale is positive"},
      {"scales and zero points of two sizes",
       [](B& b) {
         b.floats("s", {3}, {1, 1, 1}).u8("z", {2}, {0, 0});
         last(b, "QuantizeLinear", {"a", "s", "z"});
       },
       kFormat, "its scale has 3 entries, its zero point 2"},
      {"floats that are dequantized",
       [](B& b) {
         b.floats("s", {}, {1});
         last(b, "DequantizeLinear", {"a", "s"});
       },
       kFormat, "(DequantizeLinear): its x is float already"},
      {"a bias with a row for each sample",
       [](B& b) {
         last(b, "Gemm", {"a", "v", "c"});
         b.floats("v", {3, 3}, Floats(9, 1)).floats("c", {2, 3}, Floats(6, 1));
       },
       kUnsupported, "(Gemm): its C of shape [2, 3] gives each sample of the batch its own bias"},
      {"a division by 0",
       [](B& b) {
         b.floats("z", {}, {0});
         last(b, "Div", {"a", "z"});
       },
       kFormat, "(Div): its factor or offset is no finite float"},
      {"a variance below 0",
       [](B& b) {
         b.floats("one", {3}, {1, 1, 1}).floats("v", {3}, {1, -1, 1});
         last(b, "BatchNormalization", {"a", "one", "one", "one", "v"});
       },
       kFormat, "(BatchNormalization): var + epsilon is -0.999990 in channel 1"},
      {"an index outside",
       [](B& b) {
         b.ints("i", {3});
         b.node("Gather", {"b", "i"}, {"g"}, {}, "pick").output("g");
       },
       kFormat, "node 3 'pick' (Gather): axis 3 lies outside a tensor of rank 3"},
  };
}

}  // namespace

TEST_CASE("onnx faults: data and nodes") {
  std::set<std::string> messages;
  check_faults(data_faults(), messages);
  check_faults(node_faults(), messages);
  CHECK(messages.size() >= 45);
}

TEST_CASE("onnx faults: constants without elements cost nothing, whatever their shape") {
  const std::int64_t huge = std::int64_t{1} << 59;
  OnnxBuilder builder = good();
  builder.initializer(tensor("e", TensorProto::FLOAT, {huge, 0}));
  builder.ints("zero", {0}).ints("shape", {0, huge});
  builder.node("Concat", {"e", "e"}, {"c"}, {attribute("axis", 1)});
  builder.node("Gather", {"e", "zero"}, {"g"}, {attribute("axis", 0)});
  builder.node("Transpose", {"e"}, {"t"})
      .node("Reshape", {"e", "shape"}, {"r"}, {attribute("allowzero", 1)});
  builder.node("Add", {"c", "r"}, {"s"}).node("Cast", {"t"}, {"i"}, {attribute("to", 7)});
  builder.output("i");
  check(builder.failure(), kUnsupported, "output 'i' is a constant");
}

TEST_CASE("onnx faults: a message names no more than a hundred nodes") {
  OnnxBuilder builder;
  builder.input("x", {-1, 4}).output("y");
  std::string before = "x";
  for (int i = 0; i < 500; ++i) {
    const std::string name = "n" + std::to_string(i);
    builder.node("Frob", {"x"}, {name}).node("Frob", {before, name}, {before + "+"});
    before += "+";
  }
  builder.node("Relu", {before}, {"y"});
  const Failure failure = builder.failure();
  check(failure, kUnsupported, "no less than 100 nodes cannot be imported:");
  CHECK(std::count(failure.message.begin(), failure.message.end(), '\n') == 101);
}

}  // namespace octet::test::onnx_node_faults_test
