// SPDX-License-Identifier: Apache-2.0
// engine/ops/affine.cpp: channels with and without elements inside.
#include <doctest/doctest.h>

#include "tests/engine/run_graph.h"

namespace octet::test::ops_affine_test {

TEST_CASE("affine") {
  struct Case {
    std::vector<std::int64_t> shape;
    std::uint32_t inner;
  };
  for (const Case& c :
       {Case{{-1, 3}, 1}, Case{{-1, 3, 25}, 25}, Case{{-1, 4, 2, 3}, 2}, Case{{-1, 40, 3}, 1}}) {
    GraphBuilder b;
    const auto x = b.f32("x", c.shape);
    const auto y = b.f32("y", c.shape);
    const auto scale = b.constant<float>("scale", DType::f32, {3}, {1.1f, -0.3f, 7.0f});
    const auto shift = b.constant<float>("shift", DType::f32, {3}, {0.2f, 0.0f, -5.0f});
    b.node(OpType::affine, "a", {x, scale, shift}, y).inner = c.inner;
    b.graph.inputs = {{x, false, {}}};
    b.graph.outputs = {y};
    check_runs(b.graph);
  }
}

}  // namespace octet::test::ops_affine_test
