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
  check_runs(dynamic_graph({-1, 2, 25, 6}, 17, 2).graph);  // a range goes over a pass of 24 rows
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

TEST_CASE("dynamic ops: faults") {
  const auto fault = [](GraphBuilder b, auto change) {
    change(b);
    return error_of([&] { check_graph(b.graph, "net.octet", {}); });
  };
  const auto linear = [&](auto change) { return fault(dynamic_graph({-1, 2, 3}, 4, 2), change); };
  const std::string where = "format: net.octet: node 0 'fc' (dynamic_linear): ";
  CHECK(linear([](auto& b) { b.node("fc").axis = 0; }) ==
        where + "axis 0 is outside 1 to 2, the dimensions of Nx2x3 without the batch");
  CHECK(linear([](auto& b) { b.node("fc").axis = 3; }) ==
        where + "axis 3 is outside 1 to 2, the dimensions of Nx2x3 without the batch");
  CHECK(linear([](auto& b) {
          b.tensor("x").shape = {-1, 2, 4};
        }) == where + "weight is 4x3, input has 4 columns");
  CHECK(linear([](auto& b) { b.tensor("s").shape = {2}, b.tensor("s").data = b.bytes(8); }) ==
        where + "weight_scale has 2 entries, weight has 4 rows");
  CHECK(linear([](auto& b) { b.tensor("b").shape = {2}, b.tensor("b").data = b.bytes(8); }) ==
        where + "bias has 2 entries, weight has 4 rows");
  CHECK(linear([](auto& b) { b.template set<float>("s", 1, 0); }) ==
        where + "channel 1: weight_scale 0 is not a positive, normal number");
  CHECK(linear([](auto& b) { b.node("fc").inputs[1] = b.index("b"); }) ==
        where + "weight is f32 4, must be s8 of rank 2");

  GraphBuilder wide = dynamic_graph({-1, 70000}, 1, 1);
  for (std::size_t i = 0; i < 70000; ++i) wide.set<std::int8_t>("w", i, -127);
  CHECK(fault(wide, [](auto&) {}) ==
        where +
            "channel 0: its accumulator could reach 2266950000 (|bias| 0 + 8890000 * 255), the "
            "limit is 2147483647; split the layer or use a larger weight scale");

  const GraphBuilder four = dynamic_graph({-1, 2, 3}, 4, 2);
  CHECK(error_of([&] { check_graph(four.graph, "net.octet", {.multiply_adds = 23}); }) ==
        "limit: net.octet: node 0 'fc' (dynamic_linear): needs 24 multiply-adds per sample, 23 are "
        "left of the limit multiply_adds, 23");

  const auto three = [&](auto change) { return fault(version_3_graph(), change); };
  const std::string node = "format: net.octet: node ";
  CHECK(three([](auto& b) { b.tensor("codes").scale = 2; }) ==
        node +
            "2 'quantize' (dynamic_quantize): output has scale 2 and zero point 0, must have 1 "
            "and 0: its own are found as it runs");
  CHECK(three([](auto& b) {
          b.tensor("scale").shape = {-1, 1};
        }) == node + "3 'quantize_scale' (dynamic_scale): output is f32 Nx1, must be f32 N");
  CHECK(three([](auto& b) { b.tensor("zero_point").dtype = DType::s8; }) ==
        node + "4 'quantize_zero_point' (dynamic_zero_point): output is s8 N, must be u8 N");
  CHECK(three([](auto& b) {
          b.node(OpType::clip, "clip", {b.index("sums")}, b.s32("clipped", {-1, 2, 1}));
        }) == node + "6 'clip' (clip): input is s32, must be f32, u8 or s8");
  CHECK(three([](auto& b) {
          b.node(OpType::add, "add", {b.index("h2"), b.index("h2")}, b.s32("added", {-1, 2, 2}));
        }) == node +
                  "6 'add' (add): inputs are f32 and f32, output is s32, must be all 8-bit or "
                  "all f32");
  CHECK(three([](auto& b) { b.node("sum").clip_min = 0; }) ==
        node + "5 'sum' (linear): output is s32, it cannot have bounds");
}

}  // namespace octet::test::ops_dynamic_test
