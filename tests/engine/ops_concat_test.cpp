// SPDX-License-Identifier: Apache-2.0
// engine/ops/concat.cpp: concat and slice along every axis.
#include <doctest/doctest.h>

#include "tests/engine/run_graph.h"

namespace octet::test::ops_concat_test {
namespace {

std::uint32_t add_tensor(GraphBuilder& b, const std::string& name, bool is_float,
                         const std::vector<std::int64_t>& shape) {
  return is_float ? b.f32(name, shape) : b.q8(name, DType::s8, shape, 0.1f, 3);
}

}  // namespace

TEST_CASE("concat: two and three inputs, one of them twice") {
  for (const bool is_float : {false, true}) {
    for (const std::uint32_t axis : {1u, 2u, 3u}) {
      GraphBuilder b;
      std::vector<std::int64_t> shape = {-1, 2, 3, 5};
      const auto x1 = add_tensor(b, "x1", is_float, shape);
      shape[axis] = 4;
      const auto x2 = add_tensor(b, "x2", is_float, shape);
      shape[axis] += axis == 1 ? 2 : axis == 2 ? 3 : 5;
      const auto y = add_tensor(b, "y", is_float, shape);
      shape[axis] += 4;
      const auto z = add_tensor(b, "z", is_float, shape);
      b.node(OpType::concat, "two", {x1, x2}, y).axis = axis;
      b.node(OpType::concat, "three", {x2, x1, x2}, z).axis = axis;
      b.graph.inputs = {{x1, false, {}}, {x2, false, {}}};
      b.graph.outputs = {y, z};
      check_runs(b.graph);
    }
  }
}

TEST_CASE("slice: begin, middle, end") {
  for (const bool is_float : {false, true}) {
    for (const std::uint32_t axis : {1u, 2u, 3u}) {
      for (const std::uint32_t start : {0u, 1u, 2u}) {
        GraphBuilder b;
        std::vector<std::int64_t> shape = {-1, 4, 4, 4};
        const auto x = add_tensor(b, "x", is_float, shape);
        shape[axis] = 2;
        const auto y = add_tensor(b, "y", is_float, shape);
        Node& node = b.node(OpType::slice, "s", {x}, y);
        node.axis = axis;
        node.start = start;
        b.graph.inputs = {{x, false, {}}};
        b.graph.outputs = {y};
        check_runs(b.graph);
      }
    }
  }
}

}  // namespace octet::test::ops_concat_test
