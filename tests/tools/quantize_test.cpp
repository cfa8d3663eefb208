// SPDX-License-Identifier: Apache-2.0
// Whole networks: as close to the float graph as the theory of rounding noise allows, the same
// bytes every time, and what is refused.
#include "tools/convert/quantize.h"

#include <doctest/doctest.h>

#include <cmath>

#include "tests/engine/test_error.h"
#include "tests/tools/quantized_network.h"

namespace octet::test::quantize_test {
namespace {

FloatGraph mlp(std::size_t k = 40) {
  Random random(11);
  FloatGraph g;
  ValueId v = g.input("input", {kBatch, static_cast<std::int64_t>(k)});
  v = g.relu("relu1", g.linear("fc1", v, 50, random));
  v = g.relu("relu2", g.linear("fc2", v, 30, random));
  g.output(g.linear("logits", v, 10, random));
  return g;
}

}  // namespace

TEST_CASE("an MLP: one quantize, fused ReLU, logits in float from the accumulator") {
  const Network network(mlp());
  CHECK(network.ops() == Texts{"quantize -> u8", "linear -> u8", "linear -> u8", "linear -> f32"});
  const engine::Graph& graph = network.quantized.graph;
  REQUIRE(graph.inputs.size() == 1);
  CHECK(graph.tensors[graph.inputs[0].tensor].name == "input");
  CHECK_FALSE(graph.inputs[0].has_normalization);
  CHECK(graph.tensors[graph.outputs[0]].name == "logits");
  // After ReLU no code is spent on negative values.
  CHECK(network.tensor("fc1").zero_point == 0);
  CHECK(graph.nodes[1].clip_min == 0);
  CHECK(network.tensor("fc1.weight_scale").shape == Shape{50});
  CHECK(network.quantized.notes.empty());
  check_runtime(network);
}

// Rounding to steps of d adds noise of variance d^2 / 12. Uniform inputs in [-1, 1] (variance 1/3)
// in 255 steps: 48 dB; uniform weights in 254 steps: 48 dB. A hidden value after ReLU, normal
// before it and with a largest value of 4 sigma, has power sigma^2 / 2 and steps of 4 sigma / 255:
// 44 dB, and twice these steps, 6 dB less, where half the codes are negative. Each of three layers
// adds its weights' and its input's noise: 1 / (3 / 10^4.8 + 1 / 10^4.8 + 2 / 10^4.4) = 39.4 dB;
// symmetric 1 / (4 / 10^4.8 + 2 / 10^3.8) = 34.2 dB. Less 3 dB for the luck of one network.
TEST_CASE("keep_float: linears that stay in float, and what is converted around them") {
  QuantizeOptions options;
  options.keep_float = {"fc2"};
  const Network inner(mlp(), options);
  CHECK(inner.ops() == Texts{"quantize -> u8", "linear -> f32", "float_linear -> f32",
                             "quantize -> u8", "linear -> f32"});
  check_runtime(inner);
  options.keep_float = {"fc1", "fc2", "logits"};
  const Network all(mlp(), options);
  CHECK(all.ops() == Texts{"float_linear -> f32", "float_linear -> f32", "float_linear -> f32"});
  CHECK(all.naive()[0].reals == run_float(all.graph, all.data, kSamples)[0]);
  options.keep_float = {"fc1", "fc9"};
  CHECK(error_of([&] { Network(mlp(), options); }) ==
        "argument: net.onnx: has no linear node 'fc9' to keep in float; its linear nodes are "
        "'fc1', 'fc2', "
        "'logits'");
}

TEST_CASE("an MLP is as close to float as rounding noise allows") {
  for (const bool per_channel : {true, false}) {
    QuantizeOptions options;
    options.per_channel = per_channel;
    const double asymmetric = Network(mlp(), options).sqnr_db();
    options.symmetric = true;
    const Network network(mlp(), options);
    const double symmetric = network.sqnr_db();
    CAPTURE(asymmetric);
    CAPTURE(symmetric);
    CHECK(asymmetric > 36.4);
    CHECK(symmetric > 31.2);
    // More than noise allows would mean that something is not quantized.
    CHECK(asymmetric < 48);
    CHECK(symmetric < asymmetric);
    CHECK(network.ops()[1] == "linear -> s8");
    CHECK(network.tensor("fc1").zero_point == 0);
    CHECK(network.tensor("fc1.weight_scale").shape == Shape{per_channel ? 50 : 1});
    check_runtime(network);
  }
}

TEST_CASE("the output range is the one after a fused clip") {
  Random random(12);
  FloatGraph g;
  const ValueId x = g.input("x", {kBatch, 8});
  const ValueId relu6 = g.clip("clip", g.linear("fc1", x, 8, random), -0.25f, 0.5f);
  g.output(g.linear("fc2", relu6, 4, random));
  const Network network(g);
  CHECK(network.tensor("fc1").scale == 0.75f / 255);
  CHECK(network.tensor("fc1").zero_point == 85);
}

TEST_CASE("values that are always 0 have a usable scale") {
  FloatGraph g;
  const ValueId x = g.input("x", {kBatch, 4});
  const ValueId dead = g.relu("relu", g.linear("fc1", x, Reals(8, 0.0f), {-1, -2}));
  g.output(g.linear("y", dead, {1, 2, 0, 0}, {0.5f, -3}));
  const Network network(g);
  CHECK(network.tensor("fc1").scale == 1);
  const Reals y = network.naive()[0].reals;
  CHECK(y[0] == doctest::Approx(0.5f).epsilon(0.005));  // half a step of 1 / 127 * 2
  CHECK(y[1] == -3);
  check_runtime(network);
}

TEST_CASE("the same graph gives the same bytes") {
  const Network a(mlp(), with_pixels(0.1f, 0.3f));
  const Network b(mlp(), with_pixels(0.1f, 0.3f));
  CHECK(convert::write_model(a.quantized.graph) == convert::write_model(b.quantized.graph));
}

TEST_CASE("what cannot be quantized is refused with a remedy") {
  const auto error = [](const FloatGraph& g, std::vector<convert::Range> ranges,
                        const QuantizeOptions& options = {}) {
    return error_of([&] { convert::quantize(g.graph, ranges, options); });
  };
  Random random(26);
  FloatGraph g;
  g.output(g.linear("fc", g.input("x", {kBatch, 2}), 2, random));
  const std::vector<convert::Range> ranges{{-1, 1}, {-2, 2}};
  CHECK(error(g, ranges) == "nothing");
  CHECK(error(g, {{-1, 1}}) == "argument: net.onnx: has 2 values, was given 1 ranges");
  CHECK(error(g, {{1, -1}, {-2, 2}}) == "argument: net.onnx: value 'x': its range [1, -1] is none");
  CHECK(
      error(g, ranges, with_pixels(33.3f, 0.3f)) ==
      "argument: net.onnx: the pixels' mean 33.3 is outside [0, 1]; give it for pixels of 0 to 1, "
      "as p / 255");
  CHECK(error(g, ranges, with_pixels(0.1f, 0)) ==
        "argument: net.onnx: the pixels' standard deviation 0 is outside [1e-6, 1e6]; give it for "
        "pixels of 0 to 1, as p / 255");
  CHECK(error(g, ranges, with_pixels(std::nanf(""), 1)).find("the pixels' mean nan") !=
        std::string::npos);
  g.last().weight[1] = std::nanf("");
  CHECK(error(g, ranges) ==
        "unsupported: net.onnx: node 'fc' (linear): has a parameter that is NaN or infinite; train "
        "it again");
}

}  // namespace octet::test::quantize_test
