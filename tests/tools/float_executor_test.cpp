// SPDX-License-Identifier: Apache-2.0
// Every op against values worked by hand or the definition in double, and the promise that a
// sample's bits depend on nothing but the sample.
#include "tools/convert/float_executor.h"

#include <doctest/doctest.h>
#include <octet/octet.h>

#include <cmath>

#include "kernels/dispatch.h"
#include "kernels/reference.h"
#include "tests/engine/test_error.h"
#include "tests/tools/float_graph.h"

namespace octet::test::float_executor_test {
namespace {

using Reals = std::vector<float>;

// An executor's output for one input of samples 0, 1, 2, ...
Reals run_on_count(const convert::Graph& graph, std::size_t batch) {
  Reals x(batch * sample_elements(graph.values[graph.inputs[0]].shape));
  for (std::size_t i = 0; i < x.size(); ++i) x[i] = static_cast<float>(i);
  return run_float(graph, {x}, batch)[0];
}

// Every op once, all of it reaching the two outputs.
convert::Graph all_ops(Random& random) {
  FloatGraph g;
  const ValueId x = g.input("x", {kBatch, 2, 6});
  const ValueId z = g.input("z", {kBatch, 2, 5});
  const ValueId fc = g.linear("fc", x, 5, random);
  const ValueId bn = g.affine("bn", fc, {0.5f, 2}, {0.1f, -0.3f}, 5);
  const ValueId sum = g.add("sum", bn, z);
  g.last().clip_min = -1.5f;
  g.last().clip_max = 1.75f;
  const ValueId clip = g.clip("clip", sum, -1, 1);
  const ValueId turned = g.transpose("turned", clip, {0, 2, 1});
  const ValueId flat = g.reshape("flat", turned, {kBatch, 10});
  const ValueId part = g.slice("part", flat, 1, 2, 7);
  const ValueId both = g.concat("both", {part, flat, part}, 1);
  g.output(g.softmax("p", g.unary("tanh", both, Unary::tanh), 1));
  g.output(g.softmax("lp", g.unary("elu", turned, Unary::elu, 0.7f), 1, true));
  return g.graph;
}

}  // namespace

TEST_CASE("linear: y = w x + b along the last axis, then the clip") {
  FloatGraph g;
  const ValueId x = g.input("x", {kBatch, 2, 3});
  g.linear("fc", x, {1, 2, 3, -1, 0, 1}, {10, -20});
  g.output(g.graph.nodes[0].output);
  CHECK(run_on_count(g.graph, 1) == Reals{18, -18, 36, -18});
  g.last().clip_min = 0;
  g.last().clip_max = 20;
  CHECK(run_on_count(g.graph, 1) == Reals{18, 0, 20, 0});
  g.last().bias.clear();
  CHECK(run_on_count(g.graph, 1) == Reals{8, 2, 20, 2});
}

TEST_CASE("affine: channels repeat over the sample, not over the batch") {
  FloatGraph g;
  const ValueId x = g.input("x", {kBatch, 3, 2});
  g.output(g.affine("bn", x, {1, 10, 100}, {0, 1, 2}, 2));
  CHECK(run_on_count(g.graph, 2) == Reals{0, 1, 21, 31, 402, 502, 6, 7, 81, 91, 1002, 1102});
}

TEST_CASE("clip and add") {
  FloatGraph g;
  const ValueId x = g.input("x", {kBatch, 4});
  const ValueId c = g.clip("c", x, 1, 2);
  g.output(g.add("sum", c, x));
  CHECK(run_on_count(g.graph, 1) == Reals{1, 2, 4, 5});
  g.last().clip_max = 4.5f;
  CHECK(run_on_count(g.graph, 1) == Reals{1, 2, 4, 4.5f});
}

TEST_CASE("transpose, slice, concat and reshape move elements within each sample") {
  FloatGraph g;
  const ValueId x = g.input("x", {kBatch, 2, 3});
  const ValueId t = g.transpose("t", x, {0, 2, 1});
  g.output(t);
  g.output(g.slice("s", x, 2, 1, 2));
  g.output(g.concat("c", {x, g.slice("s2", x, 2, 2, 1)}, 2));
  g.output(g.concat("c1", {g.slice("s3", x, 1, 1, 1), x}, 1));
  g.output(g.reshape("r", x, {kBatch, 6}));
  const auto y = run_float(g.graph, {{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11}}, 2);
  CHECK(y[0] == Reals{0, 3, 1, 4, 2, 5, 6, 9, 7, 10, 8, 11});
  CHECK(y[1] == Reals{1, 2, 4, 5, 7, 8, 10, 11});
  CHECK(y[2] == Reals{0, 1, 2, 2, 3, 4, 5, 5, 6, 7, 8, 8, 9, 10, 11, 11});
  CHECK(y[3] == Reals{3, 4, 5, 0, 1, 2, 3, 4, 5, 9, 10, 11, 6, 7, 8, 9, 10, 11});
  CHECK(y[4] == Reals{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11});
}

TEST_CASE("transpose of rank 5 against its definition") {
  FloatGraph g;
  const ValueId x = g.input("x", {kBatch, 2, 3, 4, 5});
  g.output(g.transpose("t", x, {0, 3, 1, 4, 2}));
  const Reals y = run_on_count(g.graph, 2);
  std::size_t i = 0;
  for (std::size_t n = 0; n < 2; ++n) {
    for (std::size_t c = 0; c < 4; ++c) {
      for (std::size_t a = 0; a < 2; ++a) {
        for (std::size_t d = 0; d < 5; ++d) {
          for (std::size_t b = 0; b < 3; ++b) {
            const std::size_t from = (((n * 2 + a) * 3 + b) * 4 + c) * 5 + d;
            REQUIRE(y[i++] == static_cast<float>(from));
          }
        }
      }
    }
  }
}

TEST_CASE("unary functions: double, rounded once") {
  const Reals x{-8, -1, -0.25f, 0, 0.25f, 1, 8};
  const auto apply = [&](Unary function, float alpha = 0, float beta = 0) {
    FloatGraph g;
    g.output(g.unary("u", g.input("x", {kBatch, 7}), function, alpha, beta));
    return run_float(g.graph, {x}, 1)[0];
  };
  const auto expected = [&](auto function) {
    Reals y;
    for (const float v : x) y.push_back(static_cast<float>(function(static_cast<double>(v))));
    return y;
  };
  CHECK(apply(Unary::sigmoid) == expected([](double v) { return 1 / (1 + std::exp(-v)); }));
  CHECK(apply(Unary::tanh) == expected([](double v) { return std::tanh(v); }));
  CHECK(apply(Unary::leaky_relu, 0.5f) == expected([](double v) { return v < 0 ? v / 2 : v; }));
  CHECK(apply(Unary::elu, 2) == expected([](double v) { return v < 0 ? 2 * std::expm1(v) : v; }));
  CHECK(apply(Unary::hard_sigmoid, 0.25f, 0.5f) ==
        Reals{0, 0.25f, 0.4375f, 0.5f, 0.5625f, 0.75f, 1});
}

TEST_CASE("softmax over any axis") {
  FloatGraph g;
  const ValueId x = g.input("x", {kBatch, 2, 2});
  g.output(g.softmax("p1", x, 1));
  g.output(g.softmax("p2", x, 2));
  g.output(g.softmax("l2", x, 2, true));
  const float ln3 = std::log(3.0f);
  const auto y = run_float(g.graph, {{0, 0, ln3, 0}}, 1);
  const auto near = [](const Reals& values, std::vector<double> wanted) {
    for (std::size_t i = 0; i < wanted.size(); ++i) {
      CHECK(values[i] == doctest::Approx(wanted[i]).epsilon(1e-6));
    }
  };
  near(y[0], {0.25, 0.5, 0.75, 0.5});
  near(y[1], {0.5, 0.5, 0.75, 0.25});
  near(y[2], {std::log(0.5), std::log(0.5), std::log(0.75), std::log(0.25)});
}

TEST_CASE("a sample's bits do not depend on its batch, on earlier runs or on the table") {
  Random random(3);
  const convert::Graph graph = all_ops(random);
  constexpr std::size_t kSamples = 37;
  const Reals x = random.uniform(kSamples * 12, -1, 1);
  const Reals z = random.uniform(kSamples * 10, -1, 1);
  const auto whole = run_float(graph, {x, z}, kSamples);
  for (const auto* table : kernels::tables()) {
    if (!kernels::runs_here(*table, kernels::detect_cpu())) continue;
    convert::FloatExecutor executor(graph, table);
    for (const std::size_t step :
         {std::size_t{37}, std::size_t{1}, std::size_t{5}, std::size_t{32}}) {
      std::vector<Reals> parts(2);
      for (std::size_t begin = 0; begin < kSamples; begin += step) {
        const std::size_t n = std::min(step, kSamples - begin);
        const std::vector<std::span<const float>> inputs{std::span(x).subspan(begin * 12, n * 12),
                                                         std::span(z).subspan(begin * 10, n * 10)};
        const auto outputs = executor.run(inputs, n);
        for (std::size_t i = 0; i < 2; ++i) {
          parts[i].insert(parts[i].end(), outputs[i].begin(), outputs[i].end());
        }
      }
      CAPTURE(std::string(table->name));
      CAPTURE(step);
      CHECK(parts == whole);
    }
  }
}

TEST_CASE("linear: the bits of the specified order of summation") {
  Random random(4);
  FloatGraph g;
  const Reals weight = random.uniform(67 * 33, -1, 1);
  const Reals bias = random.uniform(33, -1, 1);
  g.output(g.linear("fc", g.input("x", {kBatch, 67}), weight, bias));
  const Reals x = random.uniform(5 * 67, -1, 1);
  const Reals y = run_float(g.graph, {x}, 5)[0];
  for (std::size_t m = 0; m < 5; ++m) {
    for (std::size_t n = 0; n < 33; ++n) {
      float sum = bias[n];
      for (std::size_t k = 0; k < 67; ++k) {
        const float product = x[m * 67 + k] * weight[n * 67 + k];
        sum = sum + product;
      }
      REQUIRE(y[m * 33 + n] == sum);
    }
  }
}

TEST_CASE("the observer sees every value once, inputs first") {
  Random random(6);
  const convert::Graph graph = all_ops(random);
  convert::FloatExecutor executor(graph);
  const Reals x = random.uniform(3 * 12, -1, 1);
  const Reals z = random.uniform(3 * 10, -1, 1);
  std::vector<ValueId> seen;
  executor.run(std::vector<std::span<const float>>{x, z}, 3,
               [&](ValueId value, std::span<const float> data) {
                 seen.push_back(value);
                 CHECK(data.size() == 3 * sample_elements(graph.values[value].shape));
               });
  std::vector<ValueId> expected{graph.inputs};
  for (const convert::Node& node : graph.nodes) expected.push_back(node.output);
  CHECK(seen == expected);
}

TEST_CASE("wrong inputs are refused with both numbers") {
  Random random(7);
  const convert::Graph graph = all_ops(random);
  const Reals x(3 * 12), z(3 * 10);
  const auto message = [&](std::vector<std::span<const float>> inputs) {
    return error_of([&] { convert::FloatExecutor(graph).run(inputs, 3); });
  };
  CHECK(message({x}) == "argument: net.onnx: has 2 inputs, was given 1");
  CHECK(message({x, x}) ==
        "argument: net.onnx: input 'z': 3 samples have 30 elements, was given 36");
  CHECK(message({x, z}) == "nothing");
}

}  // namespace octet::test::float_executor_test
