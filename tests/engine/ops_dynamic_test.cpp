// SPDX-License-Identifier: Apache-2.0
// engine/ops/dynamic_linear.cpp and dynamic_quantize.cpp: ranges per row and per sample, rows
// around the kernel's passes, floats that have no range, and what the check refuses.
#include <doctest/doctest.h>

#include <limits>
#include <random>

#include "tests/engine/evaluate.h"
#include "tests/engine/run_graph.h"
#include "tests/engine/test_error.h"

namespace octet::test::ops_dynamic_test {
namespace {

using Shape = std::vector<std::int64_t>;

GraphBuilder dynamic_graph(Shape shape, std::int64_t channels, std::uint32_t axis) {
  std::mt19937 random(7);
  const std::int64_t k = shape.back();
  GraphBuilder b;
  const auto x = b.f32("x", shape);
  shape.back() = channels;
  const auto y = b.f32("y", shape);
  std::vector<std::int8_t> codes(static_cast<std::size_t>(channels * k));
  for (auto& code : codes) code = static_cast<std::int8_t>(random() >> 24);
  const auto w = b.constant("w", DType::s8, {channels, k}, codes);
  std::vector<float> scale(static_cast<std::size_t>(channels));
  for (auto& s : scale) s = static_cast<float>(1 + (random() >> 8)) * 0x1p-30f;
  const auto s = b.constant("s", DType::f32, {channels}, scale);
  const auto bias = b.constant("b", DType::f32, {channels}, scale);
  b.node(OpType::dynamic_linear, "fc", {x, w, s, bias}, y).axis = axis;
  b.graph.inputs = {{x, false, {}}};
  b.graph.outputs = {y};
  return b;
}

std::vector<float> run_floats(const Graph& graph, const std::vector<float>& x, std::size_t batch) {
  Bytes bytes(x.size() * sizeof(float));
  std::memcpy(bytes.data(), x.data(), bytes.size());
  const auto out = run(make_model(graph, *tables_here().front()), {bytes}, batch);
  std::vector<float> y(out[0].size() / sizeof(float));
  std::memcpy(y.data(), out[0].data(), out[0].size());
  return y;
}

}  // namespace

TEST_CASE("dynamic_linear: columns, rows and ranges around each other") {
  check_runs(dynamic_graph({-1, 1}, 1, 1).graph);
  check_runs(dynamic_graph({-1, 65}, 33, 1).graph);
  check_runs(dynamic_graph({-1, 129}, 100, 1).graph);
  check_runs(dynamic_graph({-1, 3, 13}, 5, 1).graph);
  check_runs(dynamic_graph({-1, 3, 13}, 5, 2).graph);
  check_runs(dynamic_graph({-1, 2, 25, 6}, 17, 2).graph);  // a range goes over a pass of 96 rows
  check_runs(dynamic_graph({-1, 49, 5470}, 3, 2).graph);   // passes of 48 rows, and of 24
  check_runs(dynamic_graph({-1, 25, 8200}, 3, 2).graph);
  GraphBuilder clipped = dynamic_graph({-1, 3, 12}, 10, 1);
  clipped.node("fc").clip_min = 0;
  clipped.node("fc").clip_max = 0.5f;
  check_runs(clipped.graph);
}

// By hand: range [-1, 4.1], so scale 0.02, zero point 50.
TEST_CASE("dynamic_linear: the formula") {
  GraphBuilder b = dynamic_graph({-1, 2}, 1, 1);
  b.set<std::int8_t>("w", 0, 10);
  b.set<std::int8_t>("w", 1, -3);
  b.set<float>("s", 0, 0.5f);
  b.set<float>("b", 0, 100.0f);
  const float scale = (4.1f - -1.0f) / 255.0f;
  const float sum = (255 - 50) * 10 + (0 - 50) * -3;
  CHECK(run_floats(b.graph, {4.1f, -1.0f}, 1) == std::vector{sum * (scale * 0.5f) + 100.0f});
}

TEST_CASE("dynamic_linear: a sample has its own range, whatever is beside it") {
  const GraphBuilder b = dynamic_graph({-1, 2, 3}, 4, 1);
  const std::vector<float> a{1, 2, 3, -4, 5, 6};
  std::vector<float> both = a;
  both.insert(both.end(), {1000, 0, 0, 0, 0, -1000});
  std::vector<float> together = run_floats(b.graph, both, 2);
  together.resize(together.size() / 2);
  CHECK(run_floats(b.graph, a, 1) == together);
}

TEST_CASE("dynamic_linear: zeros, NaN, infinities and denormals are the same on every table") {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
  const GraphBuilder b = dynamic_graph({-1, 4}, 20, 1);
  const std::vector<std::vector<float>> rows{{0, -0.0f, 0, 0},
                                             {kNan, kNan, kNan, kNan},
                                             {kNan, 1, -2, 3},
                                             {kInfinity, 1, 2, 3},
                                             {-kInfinity, 1, 2, 3},
                                             {kInfinity, -kInfinity, 0, 0},
                                             {1e-45f, -1e-45f, 0, 0},
                                             {3e38f, -3e38f, 1, 0},
                                             {1e-38f, 0, 0, 2e-38f},
                                             {-1e-45f, -2e-45f, 0, 0},
                                             {5, 5, 5, 5},
                                             {-5, -5, -5, -5}};
  std::vector<float> x;
  for (const auto& row : rows) x.insert(x.end(), row.begin(), row.end());
  Bytes bytes(x.size() * sizeof(float));
  std::memcpy(bytes.data(), x.data(), bytes.size());
  const auto expected = evaluate(b.graph, {bytes}, rows.size());
  for (const octet::kernels::Table* table : tables_here()) {
    CAPTURE(std::string(table->name));
    CHECK(run(make_model(b.graph, *table), {bytes}, rows.size()) == expected);
  }
}

}  // namespace octet::test::ops_dynamic_test
