// SPDX-License-Identifier: Apache-2.0
// engine/ops/linear.cpp: shapes around the tile, all dtypes, zero points, bounds and scales.
#include <doctest/doctest.h>

#include <limits>
#include <random>
#include <utility>
#include "tests/engine/run_graph.h"

namespace octet::test::ops_linear_test {
namespace {

struct Case {
  DType in;
  DType out;  // f32 too
  std::vector<std::int64_t> shape;
  std::int64_t channels;
  bool per_channel;
  float clip_min = -std::numeric_limits<float>::infinity();
  float clip_max = std::numeric_limits<float>::infinity();
};

void check(const Case& c) {
  CAPTURE(c.channels);
  CAPTURE(c.shape.back());
  std::mt19937 random(7);
  const std::int64_t k = c.shape.back();
  std::vector<std::int8_t> weights(static_cast<std::size_t>(c.channels * k));
  for (auto& w : weights) w = static_cast<std::int8_t>(random() >> 24);
  weights[0] = -128;
  weights.back() = 127;
  std::vector<float> scales(static_cast<std::size_t>(c.per_channel ? c.channels : 1));
  for (auto& s : scales) s = 0.001f * static_cast<float>(1 + random() % 50);
  std::vector<std::int32_t> biases(static_cast<std::size_t>(c.channels));
  for (auto& v : biases) v = static_cast<std::int32_t>(random() >> 16) - 32768;

  GraphBuilder b;
  const auto x = b.q8("x", c.in, c.shape, 0.02f, c.in == DType::u8 ? 3 : -100);
  std::vector<std::int64_t> shape = c.shape;
  shape.back() = c.channels;
  const auto y = c.out == DType::f32 ? b.f32("y", shape)
                                     : b.q8("y", c.out, shape, 0.25f, c.out == DType::u8 ? 128 : 5);
  const auto w = b.constant("w", DType::s8, {c.channels, k}, weights);
  const auto s = b.constant("s", DType::f32, {static_cast<std::int64_t>(scales.size())}, scales);
  const auto bias = b.constant("b", DType::s32, {c.channels}, biases);
  Node& node = b.node(OpType::linear, "fc", {x, w, s, bias}, y);
  node.clip_min = c.clip_min;
  node.clip_max = c.clip_max;
  b.graph.inputs = {{x, false, {}}};
  b.graph.outputs = {y};
  check_runs(b.graph);
}

}  // namespace

TEST_CASE("linear: every pair of dtypes, bounds inside the range of codes") {
  for (const DType in : {DType::u8, DType::s8}) {
    for (const DType out : {DType::u8, DType::s8, DType::f32}) {
      check({in, out, {-1, 37}, 19, true});
      check({in, out, {-1, 37}, 19, false, 0.0f});
      check({in, out, {-1, 37}, 19, true, -3.3f, 6.0f});
    }
  }
}

TEST_CASE("linear: bounds outside the range of codes give its ends") {
  check({DType::u8, DType::u8, {-1, 8}, 5, true, 1e6f, 2e6f});
  check({DType::s8, DType::s8, {-1, 8}, 5, true, -2e6f, -1e6f});
}

TEST_CASE("linear: columns and k around the tiles") {
  for (const std::int64_t k : {1, 3, 4, 63, 64, 65}) {
    for (const std::int64_t channels : {1, 15, 16, 17, 64, 65}) {
      check({DType::u8, DType::s8, {-1, k}, channels, true});
    }
  }
}

TEST_CASE("linear: more than one row per sample, with and without padding between samples") {
  for (const DType out : {DType::u8, DType::f32}) {
    check({DType::u8, out, {-1, 3, 20}, 7, true});
    check({DType::s8, out, {-1, 2, 4, 16}, 8, true});
    check({DType::u8, out, {-1, 5, 1, 2, 33}, 3, false});
  }
}

TEST_CASE("linear: what leaves in the arena is read there") {
  // Two layers, so that the first writes rows that are padded, three to a sample.
  GraphBuilder b;
  const auto x = b.q8("x", DType::u8, {-1, 3, 4}, 0.1f, 0);
  const auto h = b.q8("h", DType::u8, {-1, 3, 5}, 0.2f, 9);
  const auto y = b.q8("y", DType::s8, {-1, 3, 2}, 0.2f, 0);
  const auto s = b.constant<float>("s", DType::f32, {1}, {0.05f});
  const auto w1 = b.constant<std::int8_t>(
      "w1", DType::s8, {5, 4},
      {1, -2, 3, -4, 5, 6, 7, 8, -9, 10, -11, 12, 13, 14, 15, 16, 17, -18, 19, 20});
  const auto b1 = b.constant<std::int32_t>("b1", DType::s32, {5}, {10, -20, 300, 0, 5});
  const auto w2 =
      b.constant<std::int8_t>("w2", DType::s8, {2, 5}, {9, -8, 7, -6, 5, 1, 1, 1, 1, -128});
  const auto b2 = b.constant<std::int32_t>("b2", DType::s32, {2}, {0, 77});
  b.node(OpType::linear, "fc1", {x, w1, s, b1}, h).clip_min = 0;
  b.node(OpType::linear, "fc2", {h, w2, s, b2}, y);
  b.graph.inputs = {{x, false, {}}};
  b.graph.outputs = {y};
  check_runs(b.graph);
}

TEST_CASE("linear: the multiplier is (sa * sw) / sy, in that order, by a true division") {
  // Exactly a half, so that odd sums are ties; by an inverse or in another order it is less.
  for (const float d : {41.0f, 47.0f, 49.0f, 55.0f, 61.0f, 83.0f}) {
    for (const auto& [sa, sw] : {std::pair{1.0f, d / 2}, std::pair{d, 0.5f}}) {
      GraphBuilder b;
      const auto x = b.q8("x", DType::u8, {-1, 1}, sa, 0);
      const auto y = b.q8("y", DType::u8, {-1, 1}, d, 0);
      const auto w = b.constant<std::int8_t>("w", DType::s8, {1, 1}, {1});
      const auto s = b.constant<float>("s", DType::f32, {1}, {sw});
      const auto bias = b.constant<std::int32_t>("b", DType::s32, {1}, {0});
      b.node(OpType::linear, "fc", {x, w, s, bias}, y);
      b.graph.inputs = {{x, false, {}}};
      b.graph.outputs = {y};
      for (const auto* table : tables_here()) {
        const auto outputs = run(make_model(b.graph, *table), {{std::byte{3}, std::byte{5}}}, 2);
        CHECK(outputs[0] == Bytes{std::byte{2}, std::byte{2}});
      }
    }
  }
}

TEST_CASE("linear: products beyond int32 give the highest code, in many rows too") {
  GraphBuilder b;
  const auto x = b.q8("x", DType::u8, {-1, 64}, 1.0f, 0);
  const auto y = b.q8("y", DType::u8, {-1, 64}, 1.0f, 3);
  const auto w =
      b.constant("w", DType::s8, {64, 64}, std::vector<std::int8_t>(std::size_t{64} * 64, 1));
  // 2e9 stays below 2^31 with multipliers below one, and 2e9 * 2 does not.
  std::vector<float> scales(64, 0.5f);
  scales.back() = 2.0f;
  const auto s = b.constant("s", DType::f32, {64}, scales);
  const auto bias = b.constant("b", DType::s32, {64}, std::vector<std::int32_t>(64, 2000000000));
  b.node(OpType::linear, "fc", {x, w, s, bias}, y);
  b.graph.inputs = {{x, false, {}}};
  b.graph.outputs = {y};
  for (const auto* table : tables_here()) {
    const Bytes zeros(std::size_t{30} * 64);
    CHECK(run(make_model(b.graph, *table), {zeros}, 30)[0] == Bytes(zeros.size(), std::byte{255}));
  }
}

}  // namespace octet::test::ops_linear_test
