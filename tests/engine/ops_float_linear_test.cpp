// SPDX-License-Identifier: Apache-2.0
// engine/ops/float_linear.cpp: the order of the sum, shapes around the vectors, bounds.
#include <doctest/doctest.h>

#include <limits>
#include <random>
#include "tests/engine/run_graph.h"

namespace octet::test::ops_float_linear_test {
namespace {

void check(std::vector<std::int64_t> shape, std::int64_t channels, float clip_min, float clip_max) {
  CAPTURE(channels);
  CAPTURE(shape.back());
  std::mt19937 random(3);
  const auto draw = [&](std::int64_t n) {
    std::vector<float> values(static_cast<std::size_t>(n));
    for (auto& v : values) v = static_cast<float>(random() >> 8) * 0x1p-23f - 1;
    return values;
  };
  const std::int64_t k = shape.back();
  GraphBuilder b;
  const auto x = b.f32("x", shape);
  shape.back() = channels;
  const auto y = b.f32("y", shape);
  const auto w = b.constant("w", DType::f32, {channels, k}, draw(channels * k));
  const auto bias = b.constant("b", DType::f32, {channels}, draw(channels));
  Node& node = b.node(OpType::float_linear, "fc", {x, w, bias}, y);
  node.clip_min = clip_min;
  node.clip_max = clip_max;
  b.graph.inputs = {{x, false, {}}};
  b.graph.outputs = {y};
  check_runs(b.graph);
}

constexpr float kInfinity = std::numeric_limits<float>::infinity();

}  // namespace

TEST_CASE("float_linear: columns and k around the vectors") {
  for (const std::int64_t k : {1, 2, 33}) {
    for (const std::int64_t channels : {1, 3, 8, 17, 64, 65}) {
      check({-1, k}, channels, -kInfinity, kInfinity);
    }
  }
}

TEST_CASE("float_linear: bounds, and more than one row per sample") {
  check({-1, 12}, 10, 0, kInfinity);
  check({-1, 12}, 10, -0.5f, 6);
  check({-1, 3, 12}, 5, -kInfinity, 1);
  check({-1, 2, 2, 7}, 16, -kInfinity, kInfinity);
}

}  // namespace octet::test::ops_float_linear_test
