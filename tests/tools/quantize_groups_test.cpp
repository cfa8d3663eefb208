// SPDX-License-Identifier: Apache-2.0
// Weight-only quantization: scales per group, nibbles, and whole networks of it.
#include "tools/convert/quantize_groups.h"

#include <doctest/doctest.h>

#include <cmath>

#include "tests/tools/quantized_network.h"

namespace octet::test::quantize_groups_test {

using convert::pack_nibbles;
using convert::quantize_groups;

TEST_CASE("quantize_groups: 8 bits reach 127 on the largest of each group, the last one short") {
  const auto result = quantize_groups(Reals{1.27f, -0.5f, -2.54f, 0, 0, 0.5f}, 3, 8, 2);
  CHECK(result.scale == Reals{0.01f, 2.54f / 127, 1, 0.5f / 127});
  CHECK(result.codes == std::vector<std::int8_t>{127, -50, -127, 0, 0, 127});
}

TEST_CASE("quantize_groups: 4 bits are exact where they can be, of either sign") {
  Reals weights;
  for (int i = -8; i < 8; ++i) weights.push_back(0.25f * static_cast<float>(i));
  for (const float sign : {1.0f, -1.0f}) {
    Reals turned = weights;
    for (float& w : turned) w *= sign;
    const auto result = quantize_groups(turned, 16, 4, 32);
    CHECK(result.scale == Reals{0.25f * sign});
    for (int i = -8; i < 8; ++i) CHECK(result.codes[static_cast<std::size_t>(i + 8)] == i);
  }
}

TEST_CASE("quantize_groups: 4 bits lose least among the scales, tiny weights included") {
  Random random(4);
  const Reals weights = random.uniform(32, -1, 1);
  const auto result = quantize_groups(weights, 32, 4, 32);
  const auto loss = [&](double scale) {
    double sum = 0;
    for (const float w : weights) {
      const double code = std::clamp(std::nearbyint(double{w} / scale), -8.0, 7.0);
      sum += (double{w} - scale * code) * (double{w} - scale * code);
    }
    return sum;
  };
  double extreme = 0;
  for (const float w : weights) {
    if (std::abs(w) > std::abs(extreme)) extreme = w;
  }
  for (int part = 48; part <= 80; ++part) {
    CHECK(loss(result.scale[0]) <= loss(extreme / -8 * part / 64) * (1 + 1e-6));
  }
  const auto tiny = quantize_groups(Reals{1e-45f, -1e-45f}, 2, 4, 2);
  CHECK(std::isnormal(tiny.scale[0]));
}

TEST_CASE("pack_nibbles: the low one first, every row from a byte on") {
  CHECK(pack_nibbles(std::vector<std::int8_t>{1, -2, 7, -8, 0, -1}, 3) ==
        std::vector<std::uint8_t>{0xE1, 0x07, 0x08, 0x0F});
}

TEST_CASE("weight-only: linears in float on groups, everything else in float") {
  Random random(3);
  FloatGraph g;
  ValueId v = g.input("input", {kBatch, 41});
  v = g.relu("relu1", g.linear("fc1", v, 30, random));
  v = g.linear("fc2", v, 20, random);
  g.output(g.softmax("probabilities", g.linear("fc3", v, 7, random), 1));
  g.output(v);
  // Weights of 8 bits and of 4: 127 and 8 steps of at most half a step's error for the largest.
  for (const auto& [bits, least] : {std::pair{8, 40.0}, std::pair{4, 18.0}}) {
    for (const std::size_t group : {0U, 1U, 7U, 32U, 100U}) {
      QuantizeOptions options;
      options.weight_only = QuantizeOptions::WeightOnly{static_cast<std::size_t>(bits), group};
      const Network network(g, options);
      CHECK(network.ops() == Texts{"group_linear -> f32", "group_linear -> f32",
                                   "group_linear -> f32", "softmax -> f32"});
      CHECK(network.quantized.graph.nodes[0].clip_min == 0);
      CHECK(network.sqnr_db(1) > least);
      check_runtime(network);
    }
  }
  QuantizeOptions mixed;
  mixed.weight_only = QuantizeOptions::WeightOnly{4, 32};
  mixed.keep_float = {"fc2"};
  CHECK(Network(g, mixed).ops() == Texts{"group_linear -> f32", "float_linear -> f32",
                                         "group_linear -> f32", "softmax -> f32"});
}

}  // namespace octet::test::quantize_groups_test
