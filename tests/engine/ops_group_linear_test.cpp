// SPDX-License-Identifier: Apache-2.0
// engine/ops/group_linear.cpp: 8 and 4 bits, groups around the columns, the order of the nibbles,
// and what the check refuses.
#include <doctest/doctest.h>

#include <random>

#include "tests/engine/run_graph.h"
#include "tests/engine/test_error.h"

namespace octet::test::ops_group_linear_test {
namespace {

GraphBuilder group_graph(std::vector<std::int64_t> shape, std::int64_t channels, bool four_bits,
                         std::uint32_t group) {
  std::mt19937 random(3);
  const std::int64_t k = shape.back();
  GraphBuilder b;
  const auto x = b.f32("x", shape);
  shape.back() = channels;
  const auto y = b.f32("y", shape);
  const std::int64_t columns = four_bits ? (k + 1) / 2 : k;
  std::vector<std::uint8_t> codes(static_cast<std::size_t>(channels * columns));
  for (auto& code : codes) code = static_cast<std::uint8_t>(random() >> 24);
  const auto w = b.constant("w", four_bits ? DType::u8 : DType::s8, {channels, columns}, codes);
  const std::int64_t groups = (k - 1) / group + 1;
  std::vector<float> scale(static_cast<std::size_t>(channels * groups));
  for (auto& s : scale) s = static_cast<float>(random() >> 8) * 0x1p-30f;
  const auto s = b.constant("s", DType::f32, {channels, groups}, scale);
  std::vector<float> biases(static_cast<std::size_t>(channels), 0.25f);
  const auto bias = b.constant("b", DType::f32, {channels}, biases);
  b.node(OpType::group_linear, "fc", {x, w, s, bias}, y).group = group;
  b.graph.inputs = {{x, false, {}}};
  b.graph.outputs = {y};
  return b;
}

}  // namespace

TEST_CASE("group_linear: columns, k and groups around each other") {
  for (const bool four_bits : {false, true}) {
    check_runs(group_graph({-1, 1}, 1, four_bits, 1).graph);
    check_runs(group_graph({-1, 2}, 17, four_bits, 3).graph);
    check_runs(group_graph({-1, 33}, 65, four_bits, 32).graph);
    check_runs(group_graph({-1, 64}, 17, four_bits, 7).graph);
    check_runs(group_graph({-1, 33}, 3, four_bits, 4000000000U).graph);
    GraphBuilder rows = group_graph({-1, 2, 3, 12}, 5, four_bits, 4);
    rows.node("fc").clip_min = 0;
    rows.node("fc").clip_max = 1.5f;
    check_runs(rows.graph);
  }
}

TEST_CASE("group_linear: the low nibble is the first input") {
  GraphBuilder b = group_graph({-1, 3}, 1, true, 32);
  b.set<std::uint8_t>("w", 0, 0x87);  // 7, -8
  b.set<std::uint8_t>("w", 1, 0xF1);  // 1; the other nibble is no input
  b.set<float>("s", 0, 0.5f);
  const std::vector<float> x{1, 2, 4};
  Bytes bytes(12);
  std::memcpy(bytes.data(), x.data(), 12);
  const auto out = run(make_model(b.graph, *tables_here().front()), {bytes}, 1);
  float y;
  std::memcpy(&y, out[0].data(), sizeof y);
  CHECK(y == 0.25f + 0.5f * (7 - 16 + 4));
}

}  // namespace octet::test::ops_group_linear_test
