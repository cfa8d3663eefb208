// SPDX-License-Identifier: Apache-2.0
// Raw pixels as inputs: who takes their exact mean, and what the others get.
#include "tools/convert/lowering.h"

#include <doctest/doctest.h>

#include <cmath>
#include <cstring>

#include "tests/tools/quantized_network.h"

namespace octet::test::lowering_test {

TEST_CASE("pixels: raw bytes in, the offset exactly in the first bias") {
  const float mean = 0.1307f;
  const float std = 0.3081f;
  Random random(13);
  for (const bool image : {false, true}) {
    FloatGraph g;
    ValueId x = image ? g.input("x", {kBatch, 2, 3, 4}) : g.input("x", {kBatch, 24});
    if (image) x = g.reshape("flat", g.transpose("nhwc", x, {0, 2, 3, 1}), {kBatch, 24});
    g.output(g.linear("fc", x, 5, random));
    const Network network(g, with_pixels(mean, std));
    const engine::GraphInput& input = network.quantized.graph.inputs[0];
    CHECK(input.has_normalization);
    CHECK(input.normalization.mean == mean);
    CHECK(input.normalization.std == std);
    const engine::Tensor& tensor = network.tensor("x");
    CHECK(tensor.dtype == DType::u8);
    CHECK(tensor.scale == static_cast<float>(1 / (255 * double{std})));
    CHECK(tensor.zero_point == 0);
    CHECK(network.ops().back() == "linear -> f32");
    CHECK(network.quantized.notes.empty());
    check_runtime(network);

    // The float layer with the dequantized weights, on the exact pixels: off by the rounding of
    // the bias, half a step of the accumulator, and float's rounding.
    convert::Graph exact = network.graph;
    const engine::Tensor& weight = network.tensor("fc.weight");
    const engine::Tensor& scales = network.tensor("fc.weight_scale");
    convert::Node& linear = exact.nodes.back();
    for (std::size_t i = 0; i < linear.weight.size(); ++i) {
      float scale;
      std::memcpy(&scale, scales.data.data() + i / 24 * sizeof scale, sizeof scale);
      linear.weight[i] = scale * static_cast<float>(static_cast<std::int8_t>(weight.data[i]));
    }
    const Reals wanted = run_float(exact, network.data, kSamples)[0];
    const Reals got = network.naive()[0].reals;
    for (std::size_t i = 0; i < wanted.size(); ++i) {
      float scale;
      std::memcpy(&scale, scales.data.data() + i % 5 * sizeof scale, sizeof scale);
      REQUIRE(std::abs(wanted[i] - got[i]) < 0.5f * tensor.scale * scale + 1e-4f);
    }
  }
}

TEST_CASE("pixels: a table and a float op take the exact mean, too") {
  const auto options = with_pixels(0.3f, 0.5f);
  FloatGraph g;
  const ValueId x = g.input("x", {kBatch, 6});
  g.output(g.softmax("p", x, 1));
  g.output(x);
  const Network network(g, options);
  CHECK(network.ops() == Texts{"dequantize -> f32", "affine -> f32", "softmax -> f32"});
  const auto wanted = run_float(network.graph, network.data, kSamples);
  const auto got = network.naive();
  for (std::size_t i = 0; i < wanted[0].size(); ++i) {
    REQUIRE(std::abs(wanted[0][i] - got[0].reals[i]) < 1e-6f);
    REQUIRE(std::abs(wanted[1][i] - got[1].reals[i]) < 1e-6f);
  }
  check_runtime(network);

  FloatGraph h;
  h.output(h.unary("tanh", h.input("x", {kBatch, 6}), Unary::tanh));
  const Network table(h, options);
  CHECK(table.ops() == Texts{"lookup -> u8", "dequantize -> f32"});
  CHECK(table.quantized.notes.empty());
  const Reals tanh = run_float(table.graph, table.data, kSamples)[0];
  const Reals looked_up = table.naive()[0].reals;
  for (std::size_t i = 0; i < tanh.size(); ++i) {
    REQUIRE(std::abs(tanh[i] - looked_up[i]) <= 1.0001f / 255);  // half of 2 / 255
  }
  check_runtime(table);
}

TEST_CASE("pixels: where nothing takes an offset, an integer zero point and a note") {
  Random random(14);
  FloatGraph g;
  const ValueId x = g.input("x", {kBatch, 6});
  const ValueId y = g.linear("fc1", x, 6, random);
  g.output(g.linear("fc2", g.add("sum", x, y), 3, random));
  const Network network(g, with_pixels(0.1307f, 0.3081f));
  CHECK(network.ops() == Texts{"linear -> u8", "lookup -> u8", "add -> u8", "linear -> f32"});
  // rne(255 * 0.1307) = rne(33.3285): off by 0.3285 steps of 1 / (255 * 0.3081).
  CHECK(network.tensor("x_requantized").zero_point == 33);
  REQUIRE(network.quantized.notes.size() == 1);
  CHECK(network.quantized.notes[0].find("node 'sum' (add): takes the pixels 'x' with the integer "
                                        "zero point 33, off by up to 0.00418") == 0);
  CHECK(network.sqnr_db() > 36);
  check_runtime(network);
}

TEST_CASE("pixels: clip moves with the offset") {
  Random random(15);
  FloatGraph g;
  const ValueId clip = g.clip("clip", g.input("x", {kBatch, 6}), -0.25f, 0.5f);
  g.output(g.linear("fc", clip, 3, random));
  const Network network(g, with_pixels(0.5f, 0.5f));
  CHECK(network.ops() == Texts{"clip -> u8", "linear -> f32"});
  CHECK(network.quantized.graph.nodes[0].clip_min == 0.75f);
  CHECK(network.quantized.graph.nodes[0].clip_max == 1.5f);
  CHECK(network.sqnr_db() > 36);
  check_runtime(network);
}

}  // namespace octet::test::lowering_test
