// SPDX-License-Identifier: Apache-2.0
// Malformed models that protobuf reads: each fault of models, names and shapes has its own message.
// Those of data and nodes are in onnx_node_faults_test.cpp, of the wire format in
// onnx_wire_test.cpp, of external data in onnx_external_test.cpp.
#include "tests/tools/onnx_faults.h"

namespace octet::test::onnx_faults_test {
namespace {

using B = OnnxBuilder;

std::vector<Fault> model_faults() {
  return {
      {"no IR version", [](B& b) { b.model.clear_ir_version(); }, kFormat, "it has no IR version"},
      {"a negative IR version", [](B& b) { b.model.set_ir_version(-1); }, kFormat,
       "has the IR version -1"},
      {"no graph", [](B& b) { b.model.clear_graph(); }, kFormat, "it has no graph"},
      {"an empty graph", [](B& b) { graph(b).Clear(); }, kFormat, "its graph has no output"},
      {"no output", [](B& b) { graph(b).clear_output(); }, kFormat, "its graph has no output"},
      {"no opset", [](B& b) { b.model.clear_opset_import(); }, kFormat, "names no opset of ONNX"},
      {"opset 0", [](B& b) { b.model.mutable_opset_import(0)->set_version(0); }, kUnsupported,
       "uses opset 0,"},
      {"a negative opset", [](B& b) { b.model.mutable_opset_import(0)->set_version(-13); },
       kUnsupported, "uses opset -13,"},
      {"the largest opset", [](B& b) { b.model.mutable_opset_import(0)->set_version(kHuge); },
       kUnsupported, "uses opset 9223372036854775807,"},
      {"a node of a foreign domain", [](B& b) { node(b, 2).set_domain("com.example"); },
       kUnsupported, "node 2 'act' (Relu): it belongs to the domain 'com.example'"},
      {"an unknown operator", [](B& b) { node(b, 2).set_op_type("Frob"); }, kUnsupported,
       "node 2 'act' (Frob): octet has no such operator"},
      {"a node without an operator", [](B& b) { node(b, 2).clear_op_type(); }, kUnsupported,
       "node 2 'act' (): octet has no such operator"},
      {"a subgraph",
       [](B& b) {
         last(b, "If", {"a"}, {typed("then_branch", AttributeProto::GRAPH)});
         node(b, 2).mutable_attribute(0)->mutable_g();
       },
       kUnsupported, "(If): it holds a graph of its own"},
      {"sparse initializers", [](B& b) { graph(b).add_sparse_initializer(); }, kUnsupported,
       "has sparse initializers"},
      {"no input", [](B& b) { graph(b).clear_input(); }, kUnsupported,
       "has no input that is not a constant"},
  };
}

std::vector<Fault> name_faults() {
  return {
      {"two results of one name", [](B& b) { node(b, 1).set_output(0, "h"); }, kFormat,
       "tensor 'h' is defined twice"},
      {"one node with two results of one name", [](B& b) { node(b, 2).add_output("y"); }, kFormat,
       "tensor 'y' is defined twice"},
      {"a result named like an input", [](B& b) { node(b, 1).set_output(0, "x"); }, kFormat,
       "tensor 'x' is defined twice"},
      {"a result named like an initializer", [](B& b) { node(b, 1).set_output(0, "w"); }, kFormat,
       "tensor 'w' is defined twice"},
      {"two initializers of one name", [](B& b) { graph(b).mutable_initializer(1)->set_name("w"); },
       kFormat, "tensor 'w' is defined twice"},
      {"an initializer without a name", [](B& b) { weight(b).clear_name(); }, kFormat,
       "an initializer has no name"},
      {"an input without a name", [](B& b) { graph(b).mutable_input(0)->clear_name(); }, kFormat,
       "an input has no name"},
      {"an output twice", [](B& b) { b.output("y"); }, kFormat, "output 'y' is listed twice"},
      {"an output that nobody makes", [](B& b) { b.output("z"); }, kFormat,
       "output 'z' is no input, initializer or result"},
      {"an output without a name", [](B& b) { b.output(""); }, kFormat,
       "output '' is no input, initializer or result"},
      {"a constant output", [](B& b) { b.output("w"); }, kUnsupported, "output 'w' is a constant"},
      {"an unknown operand", [](B& b) { node(b, 1).set_input(0, "q"); }, kFormat,
       "node 1 'bias' (Add): its input 'q' is no input, initializer or result of a node"},
      {"a node that feeds itself", [](B& b) { node(b, 1).set_input(0, "a"); }, kFormat,
       "node 1 'bias' (Add): its input 'a' is made by itself or a later node"},
      {"a cycle", [](B& b) { node(b, 0).set_input(0, "y"); }, kFormat,
       "node 0 'fc' (MatMul): its input 'y' is made by itself or a later node: the nodes are not "
       "in order, or form a cycle"},
      {"a name with an escape", [](B& b) { node(b, 1).set_name("\x1b[2J"); }, kUnsupported,
       "a name of its node number 1 is not UTF-8"},
      {"an output's name that is no UTF-8",
       [](B& b) { graph(b).mutable_output(0)->set_name("\xc0\xaf"); }, kUnsupported,
       "a name of its output number 0"},
      {"a name of 5000 bytes", [](B& b) { node(b, 1).set_name(std::string(5000, 'n')); }, kLimit,
       "a name of its node number 1 has 5000 bytes, the limit is 4096"},
  };
}

std::vector<Fault> shape_faults() {
  return {
      {"an input of rank 0", [](B& b) { input_type(b).mutable_shape()->clear_dim(); }, kUnsupported,
       "input 'x' has rank 0"},
      {"an input without a shape", [](B& b) { input_type(b).clear_shape(); }, kUnsupported,
       "input 'x' has no shape"},
      {"an input without a type", [](B& b) { graph(b).mutable_input(0)->clear_type(); },
       kUnsupported, "input 'x' is no tensor"},
      {"an input of strings", [](B& b) { input_type(b).set_elem_type(TensorProto::STRING); },
       kUnsupported, "input 'x' has element type string"},
      {"an input of an unknown type", [](B& b) { input_type(b).set_elem_type(77); }, kUnsupported,
       "input 'x' has element type type 77"},
      {"an input with a negative dimension",
       [](B& b) { input_type(b).mutable_shape()->mutable_dim(1)->set_dim_value(-4); }, kFormat,
       "dimension 1 of input 'x' is -4"},
      {"an input with a dimension of 0",
       [](B& b) { input_type(b).mutable_shape()->mutable_dim(1)->set_dim_value(0); }, kUnsupported,
       "dimension 1 of input 'x' is 0"},
      {"an input with a dynamic dimension",
       [](B& b) { input_type(b).mutable_shape()->mutable_dim(1)->set_dim_param("C"); },
       kUnsupported, "dimension 1 of input 'x' is dynamic ('C')"},
      {"a dynamic dimension named by an escape",
       [](B& b) { input_type(b).mutable_shape()->mutable_dim(1)->set_dim_param("\x1b[2J"); },
       kUnsupported, "dimension 1 of input 'x' is dynamic;"},
      {"an input of 2^63 - 1 columns",
       [](B& b) { input_type(b).mutable_shape()->mutable_dim(1)->set_dim_value(kHuge); }, kLimit,
       "tensor 'x' has the shape [9223372036854775807]"},
      {"an input whose size overflows",
       [](B& b) {
         auto& shape = *input_type(b).mutable_shape();
         shape.mutable_dim(1)->set_dim_value(std::int64_t{1} << 33);
         shape.add_dim()->set_dim_value(std::int64_t{1} << 33);
       },
       kLimit, "tensor 'x' has the shape [8589934592, 8589934592]"},
      {"an input of rank 9",
       [](B& b) {
         for (int i = 0; i < 7; ++i) input_type(b).mutable_shape()->add_dim()->set_dim_value(1);
       },
       kLimit, "tensor 'x' has 9 dimensions"},
      {"a negative dimension",
       [](B& b) {
         set_dims(b, {-4, 3});
       },
       kFormat, "initializer 'w' has the shape [-4, 3] with a negative dimension"},
      {"the least dimension",
       [](B& b) {
         set_dims(b, {std::numeric_limits<std::int64_t>::min(), 3});
       },
       kFormat, "initializer 'w' has the shape [-9223372036854775808, 3]"},
      {"dimensions whose product overflows",
       [](B& b) {
         set_dims(b, {std::int64_t{1} << 32, std::int64_t{1} << 32});
       },
       kLimit, "initializer 'w' has the shape [4294967296, 4294967296] with more than"},
      {"dimensions whose product becomes 12 modulo 2^64",
       [](B& b) {
         set_dims(b, {std::int64_t{1} << 62, 4, 3});
       },
       kLimit, "initializer 'w' has the shape [4611686018427387904, 4, 3] with more than"},
      {"a dimension of 2^63 - 1", [](B& b) { set_dims(b, {kHuge}); }, kLimit,
       "initializer 'w' has the shape [9223372036854775807] with more than"},
      {"a negative dimension beside 0",
       [](B& b) {
         set_dims(b, {0, -1});
       },
       kFormat, "initializer 'w' has the shape [0, -1] with a negative"},
      {"17 dimensions", [](B& b) { set_dims(b, Ints(17, 1)); }, kLimit,
       "initializer 'w' has 17 dimensions, octet takes at most 16"},
      {"a weight with another number of rows",
       [](B& b) {
         set_dims(b, {3, 4});
       },
       kFormat,
       "node 0 'fc' (MatMul): its left operand has 4 columns, its right operand 'w' [3, 4] takes "
       "3"},
      {"a weight that is a scalar",
       [](B& b) {
         set_dims(b, {});
         weight(b).set_raw_data("1234");
       },
       kFormat, "node 0 'fc' (MatMul): its right operand has the shape []"},
      {"a bias of another size",
       [](B& b) {
         graph(b).mutable_initializer(1)->set_dims(0, 2);
         graph(b).mutable_initializer(1)->set_raw_data("12345678");
       },
       kFormat, "(Add): its constant 'b' [2] against the activation [N, 3] cannot be broadcast"},
  };
}

}  // namespace

TEST_CASE("onnx faults: models, names and shapes") {
  REQUIRE(good().import().nodes.size() == 3);
  std::set<std::string> messages;
  check_faults(model_faults(), messages);
  check_faults(name_faults(), messages);
  check_faults(shape_faults(), messages);
  CHECK(messages.size() >= 50);
}

}  // namespace octet::test::onnx_faults_test
