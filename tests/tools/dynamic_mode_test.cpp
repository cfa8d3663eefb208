// SPDX-License-Identifier: Apache-2.0
// --mode dynamic in the converter: which ops it gives, what pixels become, and the runtime beside a
// naive evaluation.
#include <doctest/doctest.h>

#include "tests/tools/quantized_network.h"

namespace octet::test::dynamic_mode_test {
namespace {

FloatGraph three_layers() {
  Random random(4);
  FloatGraph g;
  ValueId v = g.input("input", {kBatch, 3, 13});
  v = g.relu("relu1", g.linear("fc1", v, 30, random));
  v = g.linear("fc2", v, 20, random);
  g.output(g.softmax("probabilities", g.linear("fc3", v, 7, random), 2));
  g.output(v);
  return g;
}

QuantizeOptions dynamic() {
  QuantizeOptions options;
  options.dynamic = true;
  return options;
}

}  // namespace

TEST_CASE("dynamic: linears on rows quantized as they come, everything else in float") {
  for (const bool per_channel : {true, false}) {
    QuantizeOptions options = dynamic();
    options.per_channel = per_channel;
    const Network network(three_layers(), options);
    CHECK(network.ops() == Texts{"dynamic_linear -> f32", "dynamic_linear -> f32",
                                 "dynamic_linear -> f32", "softmax -> f32"});
    const engine::Graph& graph = network.quantized.graph;
    CHECK(graph.nodes[0].clip_min == 0);
    for (std::size_t i = 0; i < 3; ++i) {
      CHECK(graph.nodes[i].axis == 2);  // a range per row of [N, 3, columns]
      const engine::Tensor& scale = graph.tensors[graph.nodes[i].inputs[2]];
      const std::int64_t rows = graph.tensors[graph.nodes[i].inputs[1]].shape[0];
      CHECK(scale.shape == std::vector<std::int64_t>{per_channel ? rows : 1});
    }
    CHECK(network.sqnr_db(1) > 35);
    check_runtime(network);
  }
}

TEST_CASE("dynamic: nodes kept in float stay so") {
  QuantizeOptions options = dynamic();
  options.keep_float = {"fc2"};
  const Network network(three_layers(), options);
  CHECK(network.ops() == Texts{"dynamic_linear -> f32", "float_linear -> f32",
                               "dynamic_linear -> f32", "softmax -> f32"});
  check_runtime(network);
}

TEST_CASE("dynamic: pixels, whose codes are known, go straight into int8") {
  QuantizeOptions options = dynamic();
  options.pixels = Normalization{0.25f, 0.5f};
  const Network network(three_layers(), options);
  CHECK(network.ops() ==
        Texts{"linear -> f32", "dynamic_linear -> f32", "dynamic_linear -> f32", "softmax -> f32"});
  CHECK(network.sqnr_db(1) > 35);
  check_runtime(network);
}

}  // namespace octet::test::dynamic_mode_test
