// SPDX-License-Identifier: Apache-2.0
// Each rewrite, checked by its node count and by outputs that must not change by a bit: the graphs
// hold small integers, so that float arithmetic is exact in any order.
#include "tools/convert/simplify.h"

#include <doctest/doctest.h>

#include "tests/tools/float_graph.h"

namespace octet::test::simplify_test {
namespace {

std::vector<std::vector<float>> integer_inputs(const convert::Graph& graph, std::size_t batch) {
  Random random(5);
  std::vector<std::vector<float>> inputs;
  for (const ValueId input : graph.inputs) {
    inputs.push_back(random.integers(batch * sample_elements(graph.values[input].shape)));
  }
  return inputs;
}

// Simplifies to the ops named, without changing outputs, their names, order or shapes.
void check_simplify(convert::Graph graph, const std::vector<std::string>& ops) {
  const auto inputs = integer_inputs(graph, 3);
  const auto before = run_float(graph, inputs, 3);
  std::vector<std::pair<std::string, Shape>> names;
  for (const ValueId v : graph.outputs)
    names.emplace_back(graph.values[v].name, graph.values[v].shape);

  convert::simplify(graph);
  std::vector<std::string> left;
  for (const convert::Node& node : graph.nodes) left.emplace_back(op_name(node));
  CHECK(left == ops);
  CHECK(run_float(graph, inputs, 3) == before);
  REQUIRE(graph.outputs.size() == names.size());
  for (std::size_t i = 0; i < names.size(); ++i) {
    CHECK(graph.values[graph.outputs[i]].name == names[i].first);
    CHECK(graph.values[graph.outputs[i]].shape == names[i].second);
  }
  // Every value left is an input or is made by a node, once.
  CHECK(graph.values.size() == graph.inputs.size() + graph.nodes.size());

  convert::Graph again = graph;
  convert::simplify(again);
  CHECK(again.nodes.size() == graph.nodes.size());
}

}  // namespace

TEST_CASE("affine after a linear folds into its rows") {
  Random random(1);
  FloatGraph g;
  const ValueId x = g.input("x", {kBatch, 5});
  const ValueId a = g.linear("fc", x, random.integers(20), {});
  g.output(g.affine("bn", a, {2, -1, 0, 3}, {1, 2, 3, 4}));
  check_simplify(g.graph, {"linear"});
}

TEST_CASE("affine after a linear of rank 4 folds along the last axis only") {
  Random random(2);
  for (const bool last_axis : {true, false}) {
    FloatGraph g;
    const ValueId x = g.input("x", {kBatch, 3, 2, 5});
    const ValueId a = g.linear("fc", x, random.integers(20), random.integers(4));
    // The other axis has 3 channels of 2 * 4 elements.
    g.output(last_axis ? g.affine("bn", a, {2, -1, 0, 3}, {1, 2, 3, 4})
                       : g.affine("bn", a, {2, -1, 3}, {1, 2, 3}, 8));
    if (last_axis) {
      check_simplify(g.graph, {"linear"});
    } else {
      check_simplify(g.graph, {"linear", "affine"});
    }
  }
}

TEST_CASE("affine folds into a linear before it through views") {
  Random random(3);
  FloatGraph g;
  const ValueId x = g.input("x", {kBatch, 5});
  const ValueId a = g.linear("fc", x, random.integers(5 * 12), random.integers(12));
  const ValueId image = g.reshape("image", a, {kBatch, 3, 2, 2});
  const ValueId nhwc = g.transpose("nhwc", image, {0, 2, 3, 1});
  const ValueId part = g.slice("part", nhwc, 1, 1, 1);  // rows of height 0 are dropped
  g.output(g.affine("bn", part, {2, -1, 3}, {1, 2, 3}));
  check_simplify(g.graph, {"linear", "reshape", "transpose", "slice"});
}

TEST_CASE("affine per channel of an image folds into the linear after Flatten") {
  Random random(4);
  FloatGraph g;
  const ValueId x = g.input("x", {kBatch, 3, 2, 2});
  const ValueId bn = g.affine("bn", x, {2, -1, 3}, {1, 2, 3}, 4);
  const ValueId flat = g.reshape("flat", bn, {kBatch, 12});
  g.output(g.linear("fc", flat, random.integers(12 * 4), {}));
  check_simplify(g.graph, {"reshape", "linear"});
}

TEST_CASE("affine folds into all linears after it, or into none") {
  Random random(5);
  for (const bool other_user : {false, true}) {
    FloatGraph g;
    const ValueId x = g.input("x", {kBatch, 2, 6});
    const ValueId bn = g.affine("bn", x, {2, -1, 3, 1, 2, 0}, {1, 2, 3, 4, 5, 6});
    const ValueId left = g.slice("left", bn, 2, 0, 3);
    const ValueId right = g.slice("right", bn, 2, 2, 4);
    g.output(g.linear("fc1", left, random.integers(6), {}));
    g.output(g.linear("fc2", right, random.integers(8), random.integers(2)));
    if (other_user) g.output(g.relu("relu", bn));
    if (other_user) {
      check_simplify(g.graph, {"affine", "slice", "slice", "linear", "linear", "clip"});
    } else {
      check_simplify(g.graph, {"slice", "slice", "linear", "linear"});
    }
  }
}

TEST_CASE("affine across the columns of a linear stays") {
  Random random(6);
  FloatGraph g;
  const ValueId x = g.input("x", {kBatch, 3, 4});
  const ValueId bn = g.affine("bn", x, {2, -1, 3}, {1, 2, 3}, 4);  // along axis 1, not the last
  g.output(g.linear("fc", bn, random.integers(8), {}));
  check_simplify(g.graph, {"affine", "linear"});
}

TEST_CASE("affine behind a clip does not fold into the linear before it") {
  Random random(7);
  FloatGraph g;
  const ValueId x = g.input("x", {kBatch, 3});
  const ValueId relu = g.relu("relu", g.linear("fc1", x, random.integers(12), {}));
  const ValueId bn = g.affine("bn", relu, {2, -1, 3, 1}, {1, 2, 3, 4});
  g.output(bn);
  check_simplify(g.graph, {"linear", "affine"});
  g.graph.outputs.clear();
  g.output(g.linear("fc2", bn, random.integers(8), {}));
  check_simplify(g.graph, {"linear", "linear"});
}

TEST_CASE("affines merge where their channels match") {
  const std::vector<float> two{2, -3};
  const std::vector<float> shift{1, 5};
  const auto ops = [](std::size_t n) { return std::vector<std::string>(n, "affine"); };
  const auto pair = [](std::vector<float> s1, std::vector<float> t1, std::size_t inner1,
                       std::vector<float> s2, std::vector<float> t2, std::size_t inner2) {
    FloatGraph g;
    const ValueId x = g.input("x", {kBatch, 4});
    g.output(g.affine("b", g.affine("a", x, s1, t1, inner1), s2, t2, inner2));
    return g.graph;
  };
  check_simplify(pair(two, shift, 2, {3, 2}, {0, 7}, 2), ops(1));
  check_simplify(pair(two, shift, 2, {3}, {1}, 1), ops(1));
  check_simplify(pair({3}, {1}, 1, two, shift, 2), ops(1));
  check_simplify(pair(two, shift, 1, two, shift, 2), ops(2));
}

TEST_CASE("clips fuse into linear, add and clip, through views") {
  Random random(8);
  FloatGraph g;
  const ValueId x = g.input("x", {kBatch, 4});
  const ValueId a = g.relu("relu", g.linear("fc", x, random.integers(16), {}));
  const ValueId view = g.reshape("view", g.add("sum", a, x), {kBatch, 2, 2});
  const ValueId b = g.clip("clip", view, -2, 6);
  g.output(g.clip("again", b, -5, 4));
  check_simplify(g.graph, {"linear", "add", "reshape"});

  convert::simplify(g.graph);
  CHECK(g.graph.nodes[0].clip_min == 0);
  CHECK(g.graph.nodes[1].clip_min == -2);
  CHECK(g.graph.nodes[1].clip_max == 4);
}

TEST_CASE("clips that do not overlap make a constant") {
  FloatGraph g;
  const ValueId x = g.input("x", {kBatch, 4});
  g.output(g.clip("b", g.clip("a", x, -3, -2), 1, 2));
  check_simplify(g.graph, {"clip"});
  convert::simplify(g.graph);
  CHECK(g.graph.nodes[0].clip_min == 1);
  CHECK(g.graph.nodes[0].clip_max == 1);
}

TEST_CASE("a value that others see is not fused away") {
  Random random(9);
  FloatGraph g;
  const ValueId x = g.input("x", {kBatch, 4});
  const ValueId a = g.linear("fc", x, random.integers(16), {});
  g.output(g.relu("relu", a));
  g.output(a);
  check_simplify(g.graph, {"linear", "clip"});

  FloatGraph h;
  const ValueId y = h.input("y", {kBatch, 4});
  const ValueId b = h.linear("fc", y, random.integers(16), {});
  h.output(h.relu("relu", b));
  h.output(h.affine("double", b, {2}, {0}));
  check_simplify(h.graph, {"linear", "clip", "affine"});
}

TEST_CASE("nodes that copy disappear") {
  FloatGraph g;
  const ValueId x = g.input("x", {kBatch, 1, 4});
  ValueId v = g.relu("relu", x);
  v = g.transpose("swap", v, {0, 2, 1});  // moves an extent of 1: a reshape
  v = g.reshape("flat", v, {kBatch, 4});
  v = g.slice("all", v, 1, 0, 4);
  v = g.concat("one", {v}, 1);
  v = g.affine("same", v, {1}, {0});
  v = g.clip("open", v, -std::numeric_limits<float>::infinity(),
             std::numeric_limits<float>::infinity());
  g.output(g.reshape("back", v, {kBatch, 1, 4}));
  check_simplify(g.graph, {"clip"});
}

TEST_CASE("transposes compose") {
  FloatGraph g;
  const ValueId x = g.input("x", {kBatch, 2, 3, 4});
  const ValueId a = g.transpose("a", x, {0, 2, 3, 1});
  const ValueId b = g.transpose("b", a, {0, 2, 1, 3});
  g.output(b);
  check_simplify(g.graph, {"transpose"});
  g.graph.outputs.clear();
  g.output(g.relu("relu", g.transpose("c", b, {0, 3, 2, 1})));  // back to x
  check_simplify(g.graph, {"clip"});
}

TEST_CASE("a graph that gives back its input keeps a reshape") {
  FloatGraph g;
  const ValueId x = g.input("x", {kBatch, 4});
  g.output(g.reshape("y", g.reshape("flat", x, {kBatch, 2, 2}), {kBatch, 4}));
  check_simplify(g.graph, {"reshape"});

  FloatGraph h;
  h.output(h.input("x", {kBatch, 4}));
  check_simplify(h.graph, {});
}

TEST_CASE("two outputs that are one value keep both names") {
  Random random(10);
  FloatGraph g;
  const ValueId x = g.input("x", {kBatch, 4});
  const ValueId a = g.linear("fc", x, random.integers(16), {});
  g.output(a);
  g.output(g.reshape("copy", a, {kBatch, 4}));
  g.output(a);
  check_simplify(g.graph, {"linear", "reshape"});
}

TEST_CASE("what no output needs is dropped") {
  Random random(11);
  FloatGraph g;
  const ValueId x = g.input("x", {kBatch, 4});
  g.input("unused", {kBatch, 2});
  const ValueId a = g.linear("fc", x, random.integers(16), {});
  g.linear("dead", g.relu("dead_relu", a), random.integers(16), {});
  g.output(g.clip("y", a, -1, 1));  // fuses, since the dead relu does not count
  check_simplify(g.graph, {"linear"});
}

}  // namespace octet::test::simplify_test
