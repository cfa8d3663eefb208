// SPDX-License-Identifier: Apache-2.0
// What each kind of node becomes in its surroundings, and that the runtime computes it.
#include <doctest/doctest.h>

#include "tests/tools/quantized_network.h"

namespace octet::test::lower_ops_test {

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

TEST_CASE("unary functions and scalar affines become tables, with the range observed") {
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
  CHECK(network.tensor("sigmoid").scale < static_cast<float>(1.0 / 255));
  CHECK(network.tensor("sigmoid").zero_point == 0);
  CHECK(network.tensor("tanh").scale < static_cast<float>(2.0 / 255));
  CHECK(network.sqnr_db() > 30);
  check_runtime(network);
}

// Tables of [0, 1] in 255 steps would leave a rare event's probabilities a few codes.
TEST_CASE("small probabilities and small tanh keep their 8 bits") {
  Random random(27);
  for (const Unary function : {Unary::sigmoid, Unary::tanh}) {
    FloatGraph g;
    const ValueId h = g.linear("fc", g.input("x", {kBatch, 8}), 8, random);
    const bool sigmoid = function == Unary::sigmoid;
    const ValueId rare = g.affine("rare", h, {sigmoid ? 0.5f : 0.01f}, {sigmoid ? -7.0f : 0.0f});
    g.output(g.unary("p", rare, function));
    CHECK(Network(g).sqnr_db() > 30);
  }
  FloatGraph g;
  const ValueId p = g.softmax("p", g.linear("fc1", g.input("x", {kBatch, 8}), 200, random), 1);
  g.output(g.linear("y", p, 4, random));
  CHECK(Network(g).sqnr_db() > 30);
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

}  // namespace octet::test::lower_ops_test
