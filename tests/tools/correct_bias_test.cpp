// SPDX-License-Identifier: Apache-2.0
// Bias correction: no mean error is left, nothing depends on the order of the data, and float
// layers stay as they are.
#include "tools/convert/correct_bias.h"

#include <doctest/doctest.h>

#include <cmath>

#include "tests/tools/quantized_network.h"

namespace octet::test::correct_bias_test {
namespace {

// Positive inputs and few coarse weights: rounding errs to one side.
FloatGraph biased() {
  Random random(5);
  FloatGraph g;
  ValueId v = g.input("x", {kBatch, 12});
  v = g.relu("relu", g.linear("fc1", v, random.uniform(std::size_t{12} * 9, -0.2f, 1),
                              random.uniform(9, -1, 1)));
  g.output(
      g.linear("fc2", v, random.uniform(std::size_t{9} * 4, -0.2f, 1), random.uniform(4, -1, 1)));
  convert::simplify(g.graph);
  return g;
}

std::vector<Reals> samples() {
  Random random(6);
  Reals x = random.uniform(std::size_t{kSamples} * 12, 0, 1);
  x[5] = 40;  // a rare value that makes all steps coarse
  return {x};
}

struct Run {
  std::vector<double> mean_error = std::vector<double>(4);
  std::vector<Reals> biases;
};

Run run(bool corrected, std::size_t step, bool reversed, const QuantizeOptions& options = {}) {
  const FloatGraph source = biased();
  convert::Graph graph = source.graph;
  std::vector<Reals> data = samples();
  if (reversed) {
    Reals turned;
    for (std::size_t s = kSamples; s-- > 0;) {
      turned.insert(turned.end(), data[0].begin() + static_cast<std::ptrdiff_t>(s * 12),
                    data[0].begin() + static_cast<std::ptrdiff_t>((s + 1) * 12));
    }
    data = {turned};
  }
  MemorySource batches(graph, data, kSamples, step);
  const auto ranges = convert::calibrate(graph, batches, {});
  if (corrected) convert::correct_biases(graph, ranges, options, batches);
  const auto quantized = convert::quantize(graph, ranges, options);
  NaiveTensor fed;
  fed.reals = data[0];
  const auto got = NaiveGraph(quantized.graph).run({fed}, kSamples)[0].reals;
  const auto wanted = run_float(source.graph, data, kSamples)[0];
  Run result;
  for (std::size_t i = 0; i < got.size(); ++i) {
    result.mean_error[i % 4] += (double{got[i]} - double{wanted[i]}) / kSamples;
  }
  for (const auto& node : graph.nodes) {
    if (node.op == Op::linear) result.biases.push_back(node.bias);
  }
  return result;
}

double largest(const std::vector<double>& values) {
  double result = 0;
  for (const double value : values) result = std::max(result, std::abs(value));
  return result;
}

}  // namespace

TEST_CASE("bias correction: the mean of the outputs comes back") {
  const double before = largest(run(false, 16, false).mean_error);
  const double after = largest(run(true, 16, false).mean_error);
  CAPTURE(before);
  CAPTURE(after);
  CHECK(after < before / 5);
}

TEST_CASE("bias correction: batches and order change nothing") {
  const auto expected = run(true, kSamples, false).biases;
  CHECK(run(true, 1, false).biases == expected);
  CHECK(run(true, 7, true).biases == expected);
  CHECK(run(false, 7, false).biases != expected);
}

TEST_CASE("bias correction: a linear that stays in float keeps its bias") {
  QuantizeOptions options;
  options.keep_float = {"fc1"};
  const auto plain = run(false, 8, false, options).biases;
  const auto corrected = run(true, 8, false, options).biases;
  CHECK(corrected[0] == plain[0]);
  CHECK(corrected[1] != plain[1]);
}

}  // namespace octet::test::correct_bias_test
