// SPDX-License-Identifier: Apache-2.0
// Cross-layer equalization: the same floats, alike weights, and int8 that a badly scaled network
// lost.
#include "tools/convert/equalize.h"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "tests/tools/quantized_network.h"

namespace octet::test::equalize_test {
namespace {

constexpr std::size_t kNeurons = 24;

enum class Between { relu, leaky_relu, nothing, relu6, sigmoid, output };

// 8 -> 24 -> 24 -> 5; neuron i of both hidden layers is scaled by 2^(i % 13 - 6) and read by the
// inverse.
FloatGraph layers(bool rescaled, Between between = Between::relu) {
  Random random(1);
  FloatGraph g;
  ValueId v = g.input("x", {kBatch, 8});
  const auto scale_of = [&](std::size_t i) {
    return rescaled ? std::ldexp(1.0f, static_cast<int>(i % 13) - 6) : 1.0f;
  };
  std::size_t k = 8;
  for (const std::size_t n : {kNeurons, kNeurons, std::size_t{5}}) {
    auto weight = random.uniform(n * k, -1, 1);
    auto bias = random.uniform(n, -0.5f, 0.5f);
    for (std::size_t i = 0; i < weight.size(); ++i) {
      if (n == kNeurons) weight[i] *= scale_of(i / k);
      if (k == kNeurons) weight[i] /= scale_of(i % k);
    }
    for (std::size_t i = 0; n == kNeurons && i < n; ++i) bias[i] *= scale_of(i);
    const std::string name = "fc" + std::to_string(g.graph.nodes.size());
    v = g.linear(name, v, weight, bias);
    if (n != kNeurons) break;
    k = n;
    if (between == Between::relu) v = g.relu(name + ".relu", v);
    if (between == Between::relu6) v = g.clip(name + ".relu6", v, 0, 6);
    if (between == Between::leaky_relu) v = g.unary(name + ".leaky", v, Unary::leaky_relu, 0.25f);
    if (between == Between::sigmoid) v = g.unary(name + ".sigmoid", v, Unary::sigmoid);
    if (between == Between::output) g.output(v);
  }
  g.output(v);
  return g;
}

double sqnr_of(const FloatGraph& g, bool per_channel = true) {
  QuantizeOptions options;
  options.per_channel = per_channel;
  return Network(g, options).sqnr_db();
}

}  // namespace

TEST_CASE(
    "equalization: the same floats to the last bit, and largest weights within a factor of two") {
  Random random(2);
  for (const auto between : {Between::relu, Between::leaky_relu, Between::nothing}) {
    const FloatGraph bad = layers(true, between);
    convert::Graph graph = bad.graph;
    CHECK(convert::equalize(graph) > kNeurons);
    const std::vector<std::vector<float>> data{random.uniform(100 * 8, -2, 2)};
    CHECK(run_float(graph, data, 100) == run_float(bad.graph, data, 100));

    std::vector<const convert::Node*> linears;
    for (const auto& node : graph.nodes) {
      if (node.op == Op::linear) linears.push_back(&node);
    }
    REQUIRE(linears.size() == 3);
    for (std::size_t l = 0; l + 1 < linears.size(); ++l) {
      for (std::size_t i = 0; i < kNeurons; ++i) {
        float made = 0;
        float read = 0;
        const std::size_t k = linears[l]->weight.size() / kNeurons;
        for (std::size_t j = 0; j < k; ++j) {
          made = std::max(made, std::abs(linears[l]->weight[i * k + j]));
        }
        for (std::size_t m = i; m < linears[l + 1]->weight.size(); m += kNeurons) {
          read = std::max(read, std::abs(linears[l + 1]->weight[m]));
        }
        CHECK(made / read >= 0.5f);
        CHECK(made / read <= 2);
      }
    }
    CHECK(convert::equalize(graph) == 0);
  }
}

TEST_CASE("equalization gives back what badly scaled neurons lost") {
  const double good = sqnr_of(layers(false));
  const FloatGraph bad = layers(true);
  CHECK(sqnr_of(bad) < good - 10);
  CHECK(sqnr_of(bad, false) < 10);
  FloatGraph repaired = bad;
  REQUIRE(convert::equalize(repaired.graph) > 0);
  CHECK(sqnr_of(repaired) > good - 3);
  CHECK(sqnr_of(repaired, false) > 25);
}

TEST_CASE("equalization keeps away from what is not homogeneous or is seen by others") {
  for (const auto between : {Between::relu6, Between::sigmoid, Between::output}) {
    convert::Graph graph = layers(true, between).graph;
    const auto before = graph.nodes;
    CHECK(convert::equalize(graph) == 0);
    for (std::size_t i = 0; i < before.size(); ++i) {
      CHECK(graph.nodes[i].weight == before[i].weight);
    }
  }
  // Two readers.
  FloatGraph two = layers(true, Between::nothing);
  Random random(3);
  two.output(two.linear("other", two.graph.nodes[0].output, 3, random));
  convert::Graph graph = two.graph;
  convert::equalize(graph);
  CHECK(graph.nodes[0].weight == two.graph.nodes[0].weight);
}

TEST_CASE("equalization leaves dead neurons and the ends of the floats alone") {
  FloatGraph g;
  const ValueId x = g.input("x", {kBatch, 1});
  const float tiny = std::numeric_limits<float>::min();
  // dead; never read; 2^-20 would make tiny's bias denormal; an ordinary one
  const ValueId h = g.relu("relu", g.linear("fc1", x, {0, 4, 1e12f, 64}, {1, 1, tiny, 1}));
  g.output(g.linear("fc2", h, {1, 0, 1, 1}, {0}));
  CHECK(convert::equalize(g.graph) == 1);
  CHECK(g.graph.nodes[0].weight == std::vector<float>{0, 4, 1e12f, 8});
  CHECK(g.graph.nodes[0].bias == std::vector<float>{1, 1, tiny, 0.125f});
  CHECK(g.graph.nodes[2].weight == std::vector<float>{1, 0, 1, 8});
}

}  // namespace octet::test::equalize_test
