// SPDX-License-Identifier: Apache-2.0
// engine/ops/add.cpp: the order of the float operations, mixed dtypes, tables of either sign.
#include <doctest/doctest.h>

#include "tests/engine/run_graph.h"

namespace octet::test::ops_add_test {
namespace {

GraphBuilder add_graph(DType a_type, DType b_type, DType y_type, float y_scale) {
  GraphBuilder b;
  const auto x1 = b.q8("a", a_type, {-1, 5, 13}, 0.0371f, a_type == DType::u8 ? 131 : -7);
  const auto x2 = b.q8("b", b_type, {-1, 5, 13}, 0.0173f, b_type == DType::u8 ? 55 : 101);
  const auto y = b.q8("y", y_type, {-1, 5, 13}, y_scale, y_type == DType::u8 ? 120 : -9);
  b.node(OpType::add, "add", {x1, x2}, y);
  b.graph.inputs = {{x1, false, {}}, {x2, false, {}}};
  b.graph.outputs = {y};
  return b;
}

}  // namespace

TEST_CASE("add of codes, every combination of dtypes") {
  for (const DType a : {DType::u8, DType::s8}) {
    for (const DType b : {DType::u8, DType::s8}) {
      for (const DType y : {DType::u8, DType::s8}) {
        check_runs(add_graph(a, b, y, 0.051f).graph);
      }
    }
  }
}

TEST_CASE("add of codes: bounds, and scales whose sums end in ties") {
  GraphBuilder bounded = add_graph(DType::u8, DType::u8, DType::u8, 0.05f);
  bounded.graph.nodes[0].clip_min = -1;
  bounded.graph.nodes[0].clip_max = 2.5f;
  check_runs(bounded.graph);
  for (const DType dtype : {DType::u8, DType::s8}) {
    GraphBuilder ties = add_graph(dtype, dtype, dtype, 1);
    ties.tensor("a").scale = 0.5f;
    ties.tensor("b").scale = 0.5f;
    check_runs(ties.graph);
    // A third of a step: the sum depends on the order and on where codes begin.
    ties.tensor("a").scale = 1 / 3.0f;
    ties.tensor("b").scale = 1 / 6.0f;
    check_runs(ties.graph);
  }
}

TEST_CASE("add of a constant: every combination of dtypes, the same for all samples") {
  std::vector<std::uint8_t> bytes(65);
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::uint8_t>(i * 61);
  for (const DType a : {DType::u8, DType::s8}) {
    for (const DType b : {DType::u8, DType::s8}) {
      for (const DType y : {DType::u8, DType::s8}) {
        GraphBuilder g;
        const auto x = g.q8("x", a, {-1, 5, 13}, 0.0371f, a == DType::u8 ? 131 : -7);
        const auto c = g.operand("c", b, {1, 5, 13}, bytes, 0.0173f, b == DType::u8 ? 55 : 101);
        const auto z = g.q8("z", y, {-1, 5, 13}, 0.051f, y == DType::u8 ? 120 : -9);
        g.node(OpType::add, "add", {x, c}, z).clip_min = -3;
        g.graph.inputs = {{x, false, {}}};
        g.graph.outputs = {z};
        check_runs(g.graph);
        std::swap(g.graph.nodes[0].inputs[0], g.graph.nodes[0].inputs[1]);
        check_runs(g.graph);
      }
    }
  }
}

TEST_CASE("add of a tensor to itself, and of floats") {
  GraphBuilder twice;
  const auto x = twice.q8("x", DType::u8, {-1, 9}, 0.1f, 10);
  const auto y = twice.q8("y", DType::u8, {-1, 9}, 0.2f, 10);
  const auto z = twice.q8("z", DType::u8, {-1, 9}, 0.4f, 10);
  twice.node(OpType::add, "first", {x, x}, y);
  twice.node(OpType::add, "second", {y, y}, z);
  twice.graph.inputs = {{x, false, {}}};
  twice.graph.outputs = {z};
  check_runs(twice.graph);

  for (const bool clamped : {false, true}) {
    GraphBuilder b;
    const auto u = b.f32("u", {-1, 21});
    const auto v = b.f32("v", {-1, 21});
    const auto w = b.f32("w", {-1, 21});
    Node& node = b.node(OpType::add, "add", {u, v}, w);
    if (clamped) node.clip_min = 0.125f;
    b.graph.inputs = {{u, false, {}}, {v, false, {}}};
    b.graph.outputs = {w};
    check_runs(b.graph);
  }
}

}  // namespace octet::test::ops_add_test
