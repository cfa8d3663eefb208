// SPDX-License-Identifier: Apache-2.0
// engine/ops/clip.cpp: codes and floats, bounds anywhere.
#include <doctest/doctest.h>

#include <limits>
#include "tests/engine/run_graph.h"

namespace octet::test::ops_clip_test {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr std::pair<float, float> kBounds[] = {
    {0.0f, kInfinity}, {-kInfinity, 0.3f}, {-1.04f, 2.06f}, {50.0f, 60.0f}, {-60.0f, -50.0f}};

}  // namespace

TEST_CASE("clip of codes") {
  for (const DType dtype : {DType::u8, DType::s8}) {
    for (const auto& [lo, hi] : kBounds) {
      GraphBuilder b;
      const auto x = b.q8("x", dtype, {-1, 70}, 0.05f, 60);
      const auto y = b.q8("y", dtype, {-1, 70}, 0.05f, 60);
      Node& node = b.node(OpType::clip, "c", {x}, y);
      node.clip_min = lo;
      node.clip_max = hi;
      b.graph.inputs = {{x, false, {}}};
      b.graph.outputs = {y};
      check_runs(b.graph);
    }
  }
}

TEST_CASE("clip of floats") {
  for (const auto& [lo, hi] : kBounds) {
    GraphBuilder b;
    const auto x = b.f32("x", {-1, 21});
    const auto y = b.f32("y", {-1, 21});
    Node& node = b.node(OpType::clip, "c", {x}, y);
    node.clip_min = lo;
    node.clip_max = hi;
    b.graph.inputs = {{x, false, {}}};
    b.graph.outputs = {y};
    check_runs(b.graph);
  }
}

}  // namespace octet::test::ops_clip_test
