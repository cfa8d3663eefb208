// SPDX-License-Identifier: Apache-2.0
// The walk over whole graphs: names, order, inputs, outputs, and all refusals in one message.
#include "tools/convert/onnx_import.h"

#include <doctest/doctest.h>

#include "tests/tools/onnx_builder.h"

namespace octet::test::onnx_import_test {

using octet::Error;
using octet::convert::Graph;
using octet::convert::import_onnx;
using octet::convert::Op;
using octet::convert::Shape;

namespace {

// x [N, 2] -> Relu -> y, to which a test adds its fault.
OnnxBuilder relu(std::int64_t opset = 13) {
  OnnxBuilder builder(opset);
  builder.input("x", {-1, 2}).output("y").node("Relu", {"x"}, {"y"}, {}, "act");
  return builder;
}

}  // namespace

TEST_CASE("import: the trained network of models/") {
  const std::string path = std::string(OCTET_SOURCE_DIR) + "/models/mnist_mlp.onnx";
  const Graph graph = import_onnx(path);
  CHECK(graph.source == path);
  CHECK(graph.source_sha256.size() == 64);
  CHECK(graph.opset == 13);
  CHECK(graph.producer == "pytorch 1.13.0");
  CHECK(graph.notes.empty());
  REQUIRE(graph.nodes.size() == 5);
  CHECK(graph.nodes[0].op == Op::linear);
  CHECK(graph.nodes[0].weight.size() == 100 * 784);
  CHECK(graph.nodes[0].bias.size() == 100);
  CHECK(graph.nodes[1].op == Op::clip);
  CHECK(graph.nodes[4].op == Op::linear);
  REQUIRE(graph.inputs.size() == 1);
  CHECK(graph.values[graph.inputs[0]].name == "input");
  CHECK(graph.values[graph.inputs[0]].shape == Shape{-1, 784});
  REQUIRE(graph.outputs.size() == 1);
  CHECK(graph.values[graph.outputs[0]].name == "logits");
  CHECK(graph.values[graph.outputs[0]].shape == Shape{-1, 10});
}

TEST_CASE("import: the leading dimension is the batch whatever its exported value") {
  for (const std::int64_t batch : {-1, 1, 64}) {
    OnnxBuilder builder;
    builder.input("x", {batch, 2}).output("y").node("Relu", {"x"}, {"y"});
    const Graph graph = builder.import();
    CHECK(graph.values[graph.inputs[0]].shape == Shape{-1, 2});
    CHECK(graph.values[graph.outputs[0]].shape == Shape{-1, 2});
  }
  OnnxBuilder unnamed = relu();  // a dimension without value and name is dynamic too
  unnamed.model.mutable_graph()
      ->mutable_input(0)
      ->mutable_type()
      ->mutable_tensor_type()
      ->mutable_shape()
      ->mutable_dim(0)
      ->clear_dim_param();
  CHECK(unnamed.import().nodes.size() == 1);
}

TEST_CASE("import: names are text that a terminal can show") {
  const std::string bad = "x\x1b[2J";
  const auto refused = [&](const auto& change, const std::string& where) {
    OnnxBuilder builder = relu();
    change(*builder.model.mutable_graph());
    const Failure failure = builder.failure();
    check(failure, Error::Code::unsupported, where + " is not UTF-8 without control characters");
    CHECK_FALSE(failure.says("\x1b"));
  };
  refused([&](auto& graph) { graph.mutable_input(0)->set_name(bad); }, "input number 0");
  refused([&](auto& graph) { graph.mutable_output(0)->set_name("\xff"); }, "output number 0");
  refused([&](auto& graph) { graph.add_initializer()->set_name(bad); }, "initializer number 0");
  refused([&](auto& graph) { graph.mutable_node(0)->set_name("a\nb"); }, "node number 0");
  refused([&](auto& graph) { graph.mutable_node(0)->set_op_type(bad); }, "node number 0");
  refused([&](auto& graph) { graph.mutable_node(0)->set_input(0, bad); }, "node number 0");
}

TEST_CASE("import: inputs that octet cannot take") {
  const auto input = [](const Ints& dims) {
    OnnxBuilder builder;
    return builder.input("x", dims).output("y").node("Relu", {"x"}, {"y"}).failure();
  };
  check(input({}), Error::Code::unsupported, "input 'x' has no shape");
  check(input({-1, -1}), Error::Code::unsupported, "dimension 1 of input 'x' is dynamic ('N')");
  check(input({-1, 0}), Error::Code::unsupported,
        "dimension 1 of input 'x' is 0, it must be positive");
  check(input({-1, 1, 1, 1, 1, 1, 1, 1, 1}), Error::Code::limit,
        "has 9 dimensions, octet takes at most 8");
  check(input({-1, 1 << 20, 1 << 20}), Error::Code::limit, "tensor 'x' has the shape");

  OnnxBuilder negative = relu();
  negative.model.mutable_graph()
      ->mutable_input(0)
      ->mutable_type()
      ->mutable_tensor_type()
      ->mutable_shape()
      ->mutable_dim(1)
      ->set_dim_value(-3);
  check(negative.failure(), Error::Code::format, "dimension 1 of input 'x' is -3");

  OnnxBuilder integers = relu();
  onnx::TypeProto& type = *integers.model.mutable_graph()->mutable_input(0)->mutable_type();
  type.mutable_tensor_type()->set_elem_type(onnx::TensorProto::INT16);
  check(integers.failure(), Error::Code::unsupported, "input 'x' has element type int16");
  type.mutable_sequence_type();
  check(integers.failure(), Error::Code::unsupported, "input 'x' is no tensor");

  OnnxBuilder batches = relu();
  batches.input("a", {1, 2}).input("b", {5, 2});
  check(batches.failure(), Error::Code::unsupported, "leading dimensions 1 and 5");
  OnnxBuilder none;
  none.floats("w", {1, 1}, {1}).output("y").node("Relu", {"w"}, {"y"});
  check(none.failure(), Error::Code::unsupported, "has no input that is not a constant");
}

TEST_CASE("import: before IR version 4 initializers are inputs too") {
  OnnxBuilder builder(8);
  builder.model.set_ir_version(3);
  builder.input("x", {1, 2}).input("w", {2, 2}).floats("w", {2, 2}, {1, 2, 3, 4}).output("y");
  const Graph graph = builder.node("MatMul", {"x", "w"}, {"y"}).import();
  REQUIRE(graph.inputs.size() == 1);
  CHECK(graph.nodes.at(0).weight == Floats{1, 3, 2, 4});
}

TEST_CASE("import: initializers of other float types are noted") {
  OnnxBuilder builder;
  onnx::TensorProto half = tensor("h", onnx::TensorProto::FLOAT16, {});
  half.add_int32_data(0x3c00);
  onnx::TensorProto wide = tensor("d", onnx::TensorProto::DOUBLE, {});
  wide.add_double_data(0.1);
  builder.input("x", {-1, 2}).initializer(half).initializer(wide).output("y");
  builder.node("Add", {"x", "h"}, {"a"}).node("Add", {"a", "d"}, {"y"});
  const Graph graph = builder.import();
  CHECK(graph.notes ==
        std::vector<std::string>{"initializers of type double became float (rounded): 'd'",
                                 "initializers of type float16 became float (exactly): 'h'"});
  CHECK(graph.nodes.at(1).shift == Floats{0.1f});
}

TEST_CASE("import: an output keeps its name and is a tensor of its own") {
  OnnxBuilder inner;  // Identity behind an inner tensor: that takes the name
  inner.input("x", {-1, 2}).output("y").node("Relu", {"x"}, {"r"}).node("Identity", {"r"}, {"y"});
  Graph graph = inner.import();
  REQUIRE(graph.nodes.size() == 1);
  CHECK(graph.values[graph.outputs[0]].name == "y");

  inner.output("r").output("z").node("Identity", {"r"}, {"z"});  // three names of one tensor
  graph = inner.import();
  REQUIRE(graph.nodes.size() == 3);
  REQUIRE(graph.outputs.size() == 3);
  CHECK(graph.values[graph.outputs[0]].name == "y");
  CHECK(graph.values[graph.outputs[1]].name == "r");
  CHECK(graph.values[graph.outputs[2]].name == "z");
  CHECK(graph.nodes[0].output == graph.outputs[1]);
  CHECK(graph.nodes[1].op == Op::reshape);
  CHECK(graph.nodes[1].inputs == std::vector{graph.outputs[1]});
  CHECK(graph.nodes[2].op == Op::reshape);

  OnnxBuilder constant = relu();
  constant.floats("c", {1, 2}, {1, 2}).output("c");
  check(constant.failure(), Error::Code::unsupported, "output 'c' is a constant or a shape");
  OnnxBuilder unknown = relu();
  check(unknown.output("z").failure(), Error::Code::format,
        "output 'z' is no input, initializer or result of a node");
  OnnxBuilder twice = relu();
  check(twice.output("y").failure(), Error::Code::format, "output 'y' is listed twice");
}

TEST_CASE("import: names and order") {
  OnnxBuilder missing;
  missing.input("x", {-1, 2}).output("y").node("Add", {"x", "w"}, {"y"}, {}, "sum");
  check(missing.failure(), Error::Code::format,
        "node 0 'sum' (Add): its input 'w' is no input, initializer or result of a node");
  OnnxBuilder unsorted;
  unsorted.input("x", {-1, 2}).output("y").node("Relu", {"a"}, {"y"}).node("Relu", {"x"}, {"a"});
  check(unsorted.failure(), Error::Code::format,
        "node 0 'y' (Relu): its input 'a' is made by itself or a later node");
  OnnxBuilder cycle;
  cycle.input("x", {-1, 2}).output("y").node("Add", {"x", "y"}, {"y"});
  check(cycle.failure(), Error::Code::format, "or form a cycle");

  for (const char* name : {"x", "w", "y"}) {
    OnnxBuilder twice = relu();
    twice.floats("w", {2}, {1, 2}).node("Relu", {"x"}, {name});
    check(twice.failure(), Error::Code::format,
          "tensor '" + std::string(name) + "' is defined twice");
  }
  OnnxBuilder initializers = relu();
  initializers.floats("w", {1}, {1}).floats("w", {1}, {1});
  check(initializers.failure(), Error::Code::format, "tensor 'w' is defined twice");
  OnnxBuilder inputs = relu();
  check(inputs.input("x", {-1, 2}).failure(), Error::Code::format, "tensor 'x' is defined twice");
  OnnxBuilder nameless = relu();
  check(nameless.floats("", {1}, {1}).failure(), Error::Code::format, "an initializer has no name");
  OnnxBuilder anonymous = relu();
  check(anonymous.input("", {-1, 2}).failure(), Error::Code::format, "an input has no name");
  OnnxBuilder bare;
  bare.input("x", {-1, 2}).output("y").node("Relu", {}, {"y"});
  check(bare.failure(), Error::Code::format, "node 0 'y' (Relu): has no input");
}

TEST_CASE("import: opsets") {
  for (const std::int64_t opset : {7, 21}) {
    const Graph graph = relu(opset).import();
    CHECK(graph.opset == opset);
  }
  for (const std::int64_t opset : {6, 22}) {
    check(relu(opset).failure(), Error::Code::unsupported,
          "uses opset " + std::to_string(opset) + ", octet reads 7 to 21");
  }
  OnnxBuilder none = relu();
  none.model.clear_opset_import();
  check(none.failure(), Error::Code::format, "names no opset of ONNX");
  OnnxBuilder other = relu();
  other.model.mutable_opset_import(0)->set_domain("com.microsoft");
  check(other.failure(), Error::Code::format, "names no opset of ONNX");
  OnnxBuilder both = relu();
  onnx::OperatorSetIdProto& ml = *both.model.add_opset_import();
  ml.set_domain("ai.onnx.ml");
  ml.set_version(3);
  CHECK(both.import().opset == 13);
}

TEST_CASE("import: everything that cannot be imported is told in one message") {
  OnnxBuilder builder;
  builder.input("x", {-1, 1, 4, 4}).floats("k", {1, 1, 3, 3}, Floats(9, 1.0f)).output("y");
  builder.node("Conv", {"x", "k"}, {"c"}, {}, "conv1").node("Relu", {"c"}, {"r"});
  builder.node("Erf", {"r"}, {"e"}, {}, "gelu").node("Erf", {"x"}, {"f"}, {}, "lost");
  builder.node("Transpose", {"x"}, {"t"}, {attribute("perm", Ints{1, 0, 2, 3})});
  builder.node("FusedGemm", {"x"}, {"g"});
  builder.model.mutable_graph()->mutable_node(5)->set_domain("com.microsoft");
  onnx::AttributeProto branch;
  branch.set_name("then_branch");
  branch.set_type(onnx::AttributeProto::GRAPH);
  branch.mutable_g()->set_name("then");
  builder.node("If", {"x"}, {"i"}, {branch});
  builder.node("Concat", {"e", "t", "g", "i"}, {"y"}, {attribute("axis", 1)});
  const TemporaryFolder folder;
  const std::string path = builder.write(folder);
  const Failure failure = failure_of([&] { import_onnx(path); });
  CHECK(failure.code == Error::Code::unsupported);
  // Relu behind the refused Conv has no fault of its own, and no output needs 'lost'.
  const std::string expected =
      path +
      ": 5 nodes cannot be imported:\n"
      "  node 0 'conv1' (Conv): convolutions and pooling come with a later version of octet\n"
      "  node 2 'gelu' (Erf): octet has no such operator; build the layer from those that it has\n"
      "  node 4 't' (Transpose): it moves the batch of [N, 1, 4, 4] to another place; export it "
      "with a perm that begins with 0\n"
      "  node 5 'g' (FusedGemm): it belongs to the domain 'com.microsoft'; octet reads ONNX's own "
      "operators: export without fused or custom ones\n"
      "  node 6 'i' (If): it holds a graph of its own; export the network without control flow, by "
      "tracing\n"
      "  octet imports: Add, BatchNormalization, Cast, Clip, Concat, Constant, ";
  CHECK(failure.message.substr(0, expected.size()) == expected);
}

TEST_CASE("import: nodes that no output needs are left out") {
  OnnxBuilder builder = relu();
  builder.node("Relu", {"y"}, {"dead"}).node("NonZero", {"dead"}, {"deader"});
  CHECK(builder.import().nodes.size() == 1);
}

TEST_CASE("import: sparse initializers are refused") {
  OnnxBuilder builder = relu();
  builder.model.mutable_graph()->add_sparse_initializer();
  check(builder.failure(), Error::Code::unsupported, "has sparse initializers");
}

}  // namespace octet::test::onnx_import_test
