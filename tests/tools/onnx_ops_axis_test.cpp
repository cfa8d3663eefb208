// SPDX-License-Identifier: Apache-2.0
// Concat, Split and Slice along axes that are not the batch.
#include <doctest/doctest.h>

#include <limits>

#include "tests/tools/onnx_builder.h"

namespace octet::test::onnx_ops_axis_test {

using octet::Error;
using octet::convert::Graph;
using octet::convert::Node;
using octet::convert::Op;
using octet::convert::Shape;

namespace {

OnnxBuilder concat(const Ints& a, const Ints& b, int axis) {
  OnnxBuilder builder;
  builder.input("a", a).input("b", b).output("y");
  builder.node("Concat", {"a", "b"}, {"y"}, {attribute("axis", axis)});
  return builder;
}

// Split of x [N, 7, 2] into outputs named y0, y1, ..., all of them outputs of the graph.
OnnxBuilder split(std::size_t outputs, const std::vector<onnx::AttributeProto>& attributes,
                  std::int64_t opset, const Ints& sizes = {}) {
  OnnxBuilder builder(opset);
  builder.input("x", {-1, 7, 2});
  std::vector<std::string> names;
  for (std::size_t i = 0; i < outputs; ++i) names.push_back("y" + std::to_string(i));
  for (const std::string& name : names) builder.output(name);
  std::vector<std::string> inputs{"x"};
  if (!sizes.empty()) {
    builder.ints("sizes", sizes);
    inputs.push_back("sizes");
  }
  builder.node("Split", inputs, names, attributes, "split");
  return builder;
}

struct Piece {
  std::size_t start;
  std::int64_t extent;
  bool operator==(const Piece&) const = default;
};

// The slices along an axis, one per output.
std::vector<Piece> pieces(const OnnxBuilder& builder, std::size_t axis = 1) {
  const Graph graph = builder.import();
  std::vector<Piece> result;
  for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
    const Node& node = graph.nodes[i];
    CHECK(node.op == Op::slice);
    CHECK(node.axis == axis);
    CHECK(node.inputs == graph.inputs);
    CHECK(node.output == graph.outputs[i]);
    result.push_back({node.start, graph.values[node.output].shape[axis]});
  }
  return result;
}

OnnxBuilder slice(const Ints& dims, const Ints& starts, const Ints& ends, const Ints& axes,
                  const Ints& steps) {
  OnnxBuilder builder;
  builder.input("x", dims).output("y").ints("starts", starts).ints("ends", ends);
  builder.ints("axes", axes).ints("steps", steps);
  builder.node("Slice", {"x", "starts", "ends", "axes", "steps"}, {"y"}, {}, "slice");
  return builder;
}

}  // namespace

TEST_CASE("concat") {
  const Graph graph = concat({-1, 2, 5}, {-1, 2, 3}, -1).import();
  REQUIRE(graph.nodes.size() == 1);
  CHECK(graph.nodes[0].op == Op::concat);
  CHECK(graph.nodes[0].axis == 2);
  CHECK(graph.nodes[0].inputs == graph.inputs);
  CHECK(graph.values[graph.outputs[0]].shape == Shape{-1, 2, 8});

  CHECK(concat({-1, 2}, {-1, 2}, 0).failure().says("axis 0 is the batch"));
  const Failure differ = concat({-1, 2, 5}, {-1, 3, 5}, 2).failure();
  CHECK(differ.code == Error::Code::format);
  CHECK(differ.says("its inputs [N, 2, 5] and [N, 3, 5] differ beside axis 2"));
  CHECK(concat({-1, 2, 5}, {-1, 5}, 1).failure().says("its inputs have the ranks 3 and 2"));

  OnnxBuilder constant;
  constant.input("a", {-1, 2}).floats("b", {1, 2}, {1, 2}).output("y");
  constant.node("Concat", {"a", "b"}, {"y"}, {attribute("axis", 1)});
  CHECK(constant.failure().says("its input 'b' is a constant"));
}

TEST_CASE("split: given pieces as attribute and as input") {
  const std::vector<Piece> expected{{0, 4}, {4, 2}, {6, 1}};
  CHECK(pieces(split(3, {attribute("axis", 1), attribute("split", Ints{4, 2, 1})}, 12)) ==
        expected);
  CHECK(pieces(split(3, {attribute("axis", -2)}, 13, {4, 2, 1})) == expected);
}

TEST_CASE("split: equal pieces, and a smaller last one from opset 18") {
  CHECK(pieces(split(2, {attribute("axis", 2)}, 12), 2) == std::vector<Piece>{{0, 1}, {1, 1}});
  CHECK(pieces(split(2, {attribute("axis", 1), attribute("num_outputs", 2)}, 18)) ==
        std::vector<Piece>{{0, 4}, {4, 3}});
  const Failure uneven = split(2, {attribute("axis", 1)}, 13).failure();
  CHECK(uneven.code == Error::Code::format);
  CHECK(uneven.says("7 elements do not split into 2 equal pieces"));
  CHECK(split(2, {attribute("axis", 1), attribute("num_outputs", 3)}, 18)
            .failure()
            .says("num_outputs differs from its 2 outputs"));
}

TEST_CASE("split: unused outputs and errors") {
  OnnxBuilder unused = split(3, {attribute("axis", 1)}, 13, {4, 2, 1});
  unused.model.mutable_graph()->mutable_node(0)->set_output(0, "");
  unused.model.mutable_graph()->mutable_output()->DeleteSubrange(0, 1);
  CHECK(pieces(unused) == std::vector<Piece>{{4, 2}, {6, 1}});

  CHECK(split(2, {}, 13, {1, 1}).failure().says("axis 0 is the batch"));
  for (const Ints& sizes : {Ints{4, 2}, Ints{8, -1}, Ints{7, 0}, Ints{3, 3, 1},
                            Ints{std::numeric_limits<std::int64_t>::max(), 7}}) {
    const Failure failure = split(2, {attribute("axis", 1)}, 13, sizes).failure();
    CHECK(failure.code == Error::Code::format);
    CHECK(failure.says("do not split 7 elements"));
  }
}

TEST_CASE("slice: runs along one or more axes") {
  const std::int64_t max = std::numeric_limits<std::int64_t>::max();
  CHECK(pieces(slice({-1, 7, 2}, {2}, {5}, {1}, {1})) == std::vector<Piece>{{2, 3}});
  CHECK(pieces(slice({-1, 7, 2}, {-3}, {max}, {1}, {1})) == std::vector<Piece>{{4, 3}});
  CHECK(pieces(slice({-1, 7, 2}, {-100}, {-5}, {-2}, {1})) == std::vector<Piece>{{0, 2}});
  CHECK(pieces(slice({-1, 7, 2}, {6}, {5}, {1}, {-7})) == std::vector<Piece>{{6, 1}});

  OnnxBuilder old(9);
  old.input("x", {-1, 7, 2}).output("y");
  old.node("Slice", {"x"}, {"y"},
           {attribute("axes", Ints{1}), attribute("starts", Ints{1}), attribute("ends", Ints{3})});
  CHECK(pieces(old) == std::vector<Piece>{{1, 2}});

  const Graph graph = slice({-1, 7, 2}, {0, 1, 1}, {max, 3, 2}, {0, 1, 2}, {1, 1, 1}).import();
  REQUIRE(graph.nodes.size() == 2);
  CHECK(graph.nodes[0].axis == 1);
  CHECK(graph.nodes[0].start == 1);
  CHECK(graph.values[graph.nodes[0].output].shape == Shape{-1, 2, 2});
  CHECK(graph.nodes[1].axis == 2);
  CHECK(graph.nodes[1].start == 1);
  CHECK(graph.nodes[1].inputs == std::vector{graph.nodes[0].output});
  CHECK(graph.values[graph.outputs[0]].shape == Shape{-1, 2, 1});
  CHECK(graph.values[graph.nodes[0].output].name != graph.values[graph.outputs[0]].name);
}

TEST_CASE("slice: refusals") {
  CHECK(slice({-1, 7}, {0}, {1}, {0}, {1}).failure().says("it slices axis 0, the batch"));
  CHECK(slice({-1, 7}, {0}, {7}, {1}, {2}).failure().says("with a step other than 1"));
  CHECK(slice({-1, 7}, {5}, {5}, {1}, {1}).failure().says("its result is empty along axis 1"));
  CHECK(slice({-1, 7}, {0}, {5}, {1}, {0}).failure().says("a step is 0"));
  CHECK(slice({-1, 7}, {0, 0}, {5, 5}, {1, 1}, {1, 1}).failure().says("axis 1 twice"));
  CHECK(slice({-1, 7}, {0, 0}, {5}, {1}, {1}).failure().says("differ in number"));
}

}  // namespace octet::test::onnx_ops_axis_test
