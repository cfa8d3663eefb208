// SPDX-License-Identifier: Apache-2.0
// engine/ops/softmax.cpp: every axis, also in place.
#include <doctest/doctest.h>

#include "tests/engine/run_graph.h"

namespace octet::test::ops_softmax_test {

TEST_CASE("softmax and log_softmax along every axis") {
  for (const OpType op : {OpType::softmax, OpType::log_softmax}) {
    for (const std::uint32_t axis : {1u, 2u, 3u}) {
      GraphBuilder b;
      const auto x = b.f32("x", {-1, 3, 5, 2});
      const auto h = b.f32("h", {-1, 3, 5, 2});
      const auto y = b.f32("y", {-1, 3, 5, 2});
      b.node(OpType::clip, "keep", {x}, h).clip_max = 20;
      b.node(op, "s", {h}, y).axis = axis;
      b.graph.inputs = {{x, false, {}}};
      b.graph.outputs = {y};
      check_runs(b.graph);
    }
  }
}

}  // namespace octet::test::ops_softmax_test
