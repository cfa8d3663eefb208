// SPDX-License-Identifier: Apache-2.0
// What each float graph becomes, and that the result computes it: equal, byte for byte, to a naive
// evaluation of the quantized graph, and close to the float graph by the theory of rounding noise.
#include "tools/convert/quantize.h"

#include <doctest/doctest.h>
#include <octet/octet.h>

#include <cmath>
#include <cstring>
#include <numeric>

#include "tests/engine/test_error.h"
#include "tests/tools/float_graph.h"
#include "tests/tools/naive_graph.h"
#include "tools/convert/metrics.h"
#include "tools/convert/model_writer.h"
#include "tools/convert/simplify.h"

using namespace octet;
using namespace octet::test;
using convert::QuantizedGraph;
using convert::QuantizeOptions;
using engine::DType;
using engine::Normalization;

namespace {

using Reals = std::vector<float>;
using Texts = std::vector<std::string>;

constexpr std::size_t kSamples = 64;

// A float graph with data for its inputs, simplified, calibrated on the data and quantized. With
// pixels the data are pixels / 255, normalized.
struct Network {
  convert::Graph graph;
  std::vector<Reals> data;
  std::vector<NaiveTensor> fed;  // the data as the quantized graph takes them
  QuantizedGraph quantized;

  explicit Network(const FloatGraph& source, const QuantizeOptions& options = {})
      : graph(source.graph) {
    convert::simplify(graph);
    Random random(99);
    for (const ValueId input : graph.inputs) {
      const std::size_t size = kSamples * sample_elements(graph.values[input].shape);
      NaiveTensor tensor;
      Reals reals = random.uniform(size, -1, 1);
      if (options.pixels) {
        for (float& x : reals) {
          tensor.codes.push_back(static_cast<std::int32_t>((x + 1) * 127.5f));
          x = static_cast<float>((tensor.codes.back() / 255.0 - double{options.pixels->mean}) /
                                 double{options.pixels->std});
        }
      } else {
        tensor.reals = reals;
      }
      data.push_back(std::move(reals));
      fed.push_back(std::move(tensor));
    }
    MemorySource samples(graph, data, kSamples, 10);
    quantized = convert::quantize(graph, convert::calibrate(graph, samples, {}), options);
  }

  std::vector<NaiveTensor> naive() const { return NaiveGraph(quantized.graph).run(fed, kSamples); }

  // Of one output against the float graph's.
  double sqnr_db(std::size_t output = 0) const {
    convert::Evaluation evaluation;
    evaluation.add(0, naive()[output].reals, run_float(graph, data, kSamples)[output]);
    return evaluation.sqnr_db();
  }

  // "linear -> u8"
  Texts ops() const {
    Texts result;
    for (const engine::Node& node : quantized.graph.nodes) {
      result.push_back(std::string(op_name(node.op)) + " -> " +
                       std::string(dtype_name(quantized.graph.tensors[node.output].dtype)));
    }
    return result;
  }

  const engine::Tensor& tensor(const std::string& name) const {
    for (const engine::Tensor& t : quantized.graph.tensors) {
      if (t.name == name) return t;
    }
    throw std::logic_error("no tensor " + name);
  }
};

// The runtime on every batch split gives what the naive evaluation gives.
void check_runtime(const Network& network) {
  const engine::Graph& graph = network.quantized.graph;
  const Model model = Model::parse(convert::write_model(graph), "net.octet");
  Session session(model);
  const auto expected = network.naive();
  for (const std::size_t step : {kSamples, std::size_t{1}, std::size_t{13}}) {
    std::vector<Reals> got(graph.outputs.size());
    for (std::size_t begin = 0; begin < kSamples; begin += step) {
      const std::size_t n = std::min(step, kSamples - begin);
      std::vector<std::vector<std::uint8_t>> bytes;
      for (std::size_t i = 0; i < graph.inputs.size(); ++i) {
        const std::size_t size = sample_elements(graph.tensors[graph.inputs[i].tensor]);
        std::vector<std::uint8_t>& out = bytes.emplace_back();
        if (graph.inputs[i].has_normalization) {
          const auto& codes = network.fed[i].codes;
          for (std::size_t j = begin * size; j < (begin + n) * size; ++j) {
            out.push_back(static_cast<std::uint8_t>(codes[j]));
          }
        } else {
          out.resize(n * size * sizeof(float));
          std::memcpy(out.data(), network.fed[i].reals.data() + begin * size, out.size());
        }
      }
      std::vector<Reals> parts;
      std::vector<Input> inputs;
      std::vector<Output> outputs;
      for (const auto& in : bytes) inputs.push_back(octet::input(in));
      for (const std::uint32_t out : graph.outputs) {
        parts.emplace_back(n * sample_elements(graph.tensors[out]));
      }
      for (Reals& part : parts) outputs.push_back(octet::output(part));
      REQUIRE(session.run(inputs, outputs, n) == OCTET_OK);
      for (std::size_t i = 0; i < parts.size(); ++i) {
        got[i].insert(got[i].end(), parts[i].begin(), parts[i].end());
      }
    }
    for (std::size_t i = 0; i < got.size(); ++i) CHECK(got[i] == expected[i].reals);
  }
}

FloatGraph mlp(std::size_t k = 40) {
  Random random(11);
  FloatGraph g;
  ValueId v = g.input("input", {kBatch, static_cast<std::int64_t>(k)});
  v = g.relu("relu1", g.linear("fc1", v, 50, random));
  v = g.relu("relu2", g.linear("fc2", v, 30, random));
  g.output(g.linear("logits", v, 10, random));
  return g;
}

QuantizeOptions with_pixels(float mean, float std) {
  QuantizeOptions options;
  options.pixels = Normalization{mean, std};
  return options;
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
    Node& linear = exact.nodes.back();
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

TEST_CASE("a linear that is output and input: one float result, quantized for the next") {
  Random random(16);
  FloatGraph g;
  const ValueId h = g.linear("hidden", g.input("x", {kBatch, 8}), 8, random);
  g.output(h);
  g.output(g.linear("y", h, 4, random));
  const Network network(g);
  CHECK(network.ops() ==
        Texts{"quantize -> u8", "linear -> f32", "quantize -> u8", "linear -> f32"});
  CHECK(network.tensor("hidden").dtype == DType::f32);
  check_runtime(network);
}

TEST_CASE("residual add: 8 bits inside, float at the end") {
  Random random(17);
  FloatGraph g;
  const ValueId x = g.input("x", {kBatch, 8});
  const ValueId a = g.relu("relu", g.add("sum", x, g.linear("fc1", x, 8, random)));
  g.output(g.add("y", a, g.linear("fc2", a, 8, random)));
  const Network network(g);
  CHECK(network.ops() == Texts{"quantize -> u8", "linear -> u8", "add -> u8", "linear -> f32",
                               "dequantize -> f32", "add -> f32"});
  CHECK(network.quantized.graph.nodes[2].clip_min == 0);
  CHECK(network.sqnr_db() > 36);
  check_runtime(network);
}

TEST_CASE("concat: private inputs are made at its scale, others requantized") {
  Random random(18);
  for (const bool shared : {false, true}) {
    FloatGraph g;
    const ValueId x = g.input("x", {kBatch, 8});
    const ValueId a = g.linear("a", x, Reals(8 * 3, 0.1f), {});
    const ValueId b = g.linear("b", x, 5, random);
    const ValueId c = g.concat("c", {a, b}, 1);
    g.output(g.linear("y", c, 4, random));
    if (shared) g.output(g.linear("z", a, 4, random));
    const Network network(g);
    if (shared) {
      CHECK(network.ops() == Texts{"quantize -> u8", "linear -> u8", "linear -> u8",
                                   "requantize -> u8", "concat -> u8", "linear -> f32",
                                   "linear -> f32"});
      CHECK(network.tensor("a").scale < network.tensor("c").scale);
    } else {
      CHECK(network.ops() == Texts{"quantize -> u8", "linear -> u8", "linear -> u8", "concat -> u8",
                                   "linear -> f32"});
      CHECK(network.tensor("a").scale == network.tensor("c").scale);
    }
    CHECK(network.sqnr_db() > 36);
    check_runtime(network);
  }
}

TEST_CASE("views keep the encoding; slices join again without a requantize") {
  Random random(19);
  FloatGraph g;
  const ValueId h = g.linear("h", g.input("x", {kBatch, 2, 6}), 6, random);
  const ValueId t = g.transpose("t", h, {0, 2, 1});
  const ValueId left = g.slice("left", t, 1, 0, 2);
  const ValueId right = g.slice("right", t, 1, 2, 4);
  const ValueId swapped = g.concat("swapped", {right, left}, 1);
  const ValueId flat = g.reshape("flat", swapped, {kBatch, 12});
  g.output(g.linear("y", flat, 4, random));
  const Network network(g);
  CHECK(network.ops() == Texts{"quantize -> u8", "linear -> u8", "transpose -> u8", "slice -> u8",
                               "slice -> u8", "concat -> u8", "reshape -> u8", "linear -> f32"});
  CHECK(network.tensor("flat").scale == network.tensor("h").scale);
  CHECK(network.sqnr_db() > 36);
  check_runtime(network);
}

TEST_CASE("views of what is only wanted in float stay in float") {
  Random random(20);
  FloatGraph g;
  const ValueId h = g.linear("h", g.input("x", {kBatch, 6}), 6, random);
  const ValueId r = g.reshape("r", h, {kBatch, 2, 3});
  g.output(g.concat("y", {g.transpose("t", r, {0, 2, 1}), g.transpose("t2", r, {0, 2, 1})}, 2));
  const Network network(g);
  CHECK(network.ops() == Texts{"quantize -> u8", "linear -> f32", "reshape -> f32",
                               "transpose -> f32", "transpose -> f32", "concat -> f32"});
  check_runtime(network);
}

TEST_CASE("unary functions and scalar affines become tables, with the range they can reach") {
  Random random(21);
  FloatGraph g;
  const ValueId x = g.input("x", {kBatch, 8});
  const ValueId s = g.unary("sigmoid", g.linear("fc1", x, 8, random), Unary::sigmoid);
  const ValueId t = g.unary("tanh", g.linear("fc2", s, 8, random), Unary::tanh);
  const ValueId l = g.unary("leaky", g.linear("fc3", t, 8, random), Unary::leaky_relu, 0.1f);
  const ValueId a = g.affine("scaled", l, {-3}, {1});
  g.output(g.unary("softplus", a, Unary::softplus));
  const Network network(g);
  CHECK(network.ops() == Texts{"quantize -> u8", "linear -> u8", "lookup -> u8", "linear -> u8",
                               "lookup -> u8", "linear -> u8", "lookup -> u8", "lookup -> u8",
                               "lookup -> u8", "dequantize -> f32"});
  CHECK(network.tensor("sigmoid").scale == static_cast<float>(1.0 / 255));
  CHECK(network.tensor("sigmoid").zero_point == 0);
  CHECK(network.tensor("tanh").scale == static_cast<float>(2.0 / 255));
  CHECK(network.tensor("tanh").zero_point == 128);
  CHECK(network.sqnr_db() > 30);
  check_runtime(network);
}

TEST_CASE("softmax and a vector affine run in float between 8-bit layers") {
  Random random(22);
  FloatGraph g;
  const ValueId x = g.input("x", {kBatch, 8});
  const ValueId p = g.softmax("p", g.linear("fc1", x, 8, random), 1);
  const ValueId relu = g.relu("relu", g.linear("fc2", p, 4, random));
  const ValueId bn = g.affine("bn", relu, {1, 2, 3, 4}, {0, 1, 0, 1});
  g.output(g.unary("tanh", bn, Unary::tanh));
  const Network network(g);
  CHECK(network.ops() == Texts{"quantize -> u8", "linear -> f32", "softmax -> f32",
                               "quantize -> u8", "linear -> f32", "affine -> f32", "quantize -> u8",
                               "lookup -> u8", "dequantize -> f32"});
  REQUIRE(network.quantized.notes.size() == 1);
  CHECK(network.quantized.notes[0].find("node 'bn' (affine): stays in float") == 0);
  CHECK(network.sqnr_db() > 30);
  check_runtime(network);
}

TEST_CASE("log_softmax takes the accumulator's float, not 8 bits") {
  Random random(23);
  FloatGraph g;
  const ValueId x = g.input("x", {kBatch, 8});
  g.output(g.softmax("lp", g.linear("fc", x, 8, random), 1, true));
  const Network network(g);
  CHECK(network.ops() == Texts{"quantize -> u8", "linear -> f32", "log_softmax -> f32"});
  check_runtime(network);
}

TEST_CASE("an input used by several ops is quantized once") {
  Random random(24);
  FloatGraph g;
  const ValueId x = g.input("x", {kBatch, 8});
  g.output(g.linear("a", x, 3, random));
  g.output(g.linear("b", x, 3, random));
  g.output(g.clip("c", x, -0.5f, 0.5f));
  const Network network(g);
  CHECK(network.ops() == Texts{"quantize -> u8", "linear -> f32", "linear -> f32", "clip -> f32"});
  check_runtime(network);
}

TEST_CASE("several inputs, and graphs that compute nothing") {
  Random random(25);
  FloatGraph g;
  const ValueId x = g.input("x", {kBatch, 4});
  const ValueId y = g.input("y", {kBatch, 4});
  g.input("unused", {kBatch, 2});
  g.output(g.linear("z", g.add("sum", x, y), 3, random));
  g.output(y);
  for (const bool pixels : {false, true}) {
    const Network network(g, pixels ? with_pixels(0.5f, 0.25f) : QuantizeOptions{});
    CHECK(network.quantized.graph.inputs.size() == 3);
    CHECK(network.quantized.graph.outputs.size() == 2);
    check_runtime(network);
  }
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
