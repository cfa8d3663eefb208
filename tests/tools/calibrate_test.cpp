// SPDX-License-Identifier: Apache-2.0
// Ranges and percentiles of known data, and that batches do not matter.
#include "tools/convert/calibrate.h"

#include <doctest/doctest.h>
#include <octet/octet.h>

#include <cmath>
#include <limits>

#include "tests/engine/test_error.h"
#include "tests/tools/float_graph.h"
#include "tools/convert/observers.h"

namespace octet::test::calibrate_test {

using convert::Calibration;
using convert::Range;

namespace {

bool operator_equal(Range a, Range b) {
  return a.min == b.min && a.max == b.max;
}

convert::Graph two_layers(Random& random) {
  FloatGraph g;
  const ValueId x = g.input("x", {kBatch, 4});
  const ValueId h = g.relu("relu", g.linear("fc1", x, 8, random));
  g.output(g.linear("fc2", h, 3, random));
  return g.graph;
}

std::string message_of(const convert::Graph& graph, const std::vector<std::vector<float>>& inputs,
                       std::size_t samples, const convert::CalibrationOptions& options = {}) {
  MemorySource source(graph, inputs, samples, 2);
  return error_of([&] { convert::calibrate(graph, source, options); });
}

}  // namespace

TEST_CASE("minmax: the range of every value") {
  FloatGraph g;
  const ValueId x = g.input("x", {kBatch, 2});
  const ValueId doubled = g.affine("doubled", x, {2}, {1});
  g.output(g.relu("relu", doubled));
  const std::vector<std::vector<float>> data{{-3, 0.5f, 2, -1, 0, 0}};
  MemorySource source(g.graph, data, 3, 2);
  std::vector<std::size_t> progress;
  const auto ranges =
      convert::calibrate(g.graph, source, {}, [&](std::size_t n) { progress.push_back(n); });
  REQUIRE(ranges.size() == 3);
  CHECK(operator_equal(ranges[0], {-3, 2}));
  CHECK(operator_equal(ranges[1], {-5, 5}));
  CHECK(operator_equal(ranges[2], {0, 5}));
  CHECK(progress == std::vector<std::size_t>{2, 3});
}

TEST_CASE("batch size and order of samples do not change the ranges") {
  Random random(1);
  const convert::Graph graph = two_layers(random);
  constexpr std::size_t kSamples = 100;
  const std::vector<std::vector<float>> data{random.uniform(kSamples * 4, -1, 1)};
  std::vector<std::vector<float>> reversed(1);
  for (std::size_t s = kSamples; s-- > 0;) {
    for (std::size_t i = 0; i < 4; ++i) reversed[0].push_back(data[0][s * 4 + i]);
  }
  for (const auto method : {Calibration::minmax, Calibration::percentile, Calibration::mse,
                            Calibration::entropy, Calibration::automatic}) {
    const convert::CalibrationOptions options{method, 97, false};
    const auto run = [&](const auto& inputs, std::size_t step) {
      MemorySource source(graph, inputs, kSamples, step);
      return convert::calibrate(graph, source, options);
    };
    const auto expected = run(data, kSamples);
    for (const std::size_t step : {std::size_t{1}, std::size_t{7}, std::size_t{64}}) {
      const auto same = run(data, step);
      const auto turned = run(reversed, step);
      for (std::size_t i = 0; i < expected.size(); ++i) {
        CHECK(operator_equal(same[i], expected[i]));
        CHECK(operator_equal(turned[i], expected[i]));
      }
    }
  }
}

TEST_CASE("percentile: cuts outliers on both sides, reads the data twice") {
  FloatGraph g;
  g.output(g.relu("relu", g.input("x", {kBatch, 1})));
  // 0, 1, ..., 997 and two outliers: 1 of 1,000 values on each side.
  std::vector<std::vector<float>> data(1);
  for (int i = 0; i < 998; ++i) data[0].push_back(static_cast<float>(i));
  data[0].push_back(-5000);
  data[0].push_back(5000);
  const auto run = [&](double percentile, std::vector<std::size_t>* progress = nullptr) {
    MemorySource source(g.graph, data, 1000, 300);
    return convert::calibrate(g.graph, source, {Calibration::percentile, percentile, false},
                              [&](std::size_t n) {
                                if (progress != nullptr) progress->push_back(n);
                              })[0];
  };
  CHECK(operator_equal(run(100), {-5000, 5000}));
  CHECK(operator_equal(run(99.9), {-5000, 5000}));  // half a value per side may go: none

  // One value per side may go. What is left is rounded outwards to a bin of 10,000 / 8,192.
  std::vector<std::size_t> progress;
  const Range kept = run(99.8, &progress);
  CHECK(kept.min <= 0);
  CHECK(kept.min > -10000.0 / 8192);
  CHECK(kept.max >= 997);
  CHECK(kept.max < 997 + 10000.0 / 8192);
  CHECK(progress == std::vector<std::size_t>{300, 600, 900, 1000, 1300, 1600, 1900, 2000});
}

TEST_CASE("percentile of a constant is the constant") {
  convert::HistogramObserver histogram({3, 3});
  const std::vector<float> data(10, 3.0f);
  histogram.observe(data);
  CHECK(operator_equal(histogram.percentile(99), {3, 3}));
}

TEST_CASE("the histogram keeps the values that it should, bin by bin") {
  // Ten values in the middle of ten different bins of width 1.
  convert::HistogramObserver histogram({0, convert::HistogramObserver::kBins});
  std::vector<float> data;
  for (int i = 0; i < 10; ++i) data.push_back(static_cast<float>(i * 100) + 0.5f);
  histogram.observe(data);
  CHECK(operator_equal(histogram.percentile(100), {0, 901}));
  CHECK(operator_equal(histogram.percentile(80), {100, 801}));
  CHECK(operator_equal(histogram.percentile(79), {100, 801}));
  CHECK(operator_equal(histogram.percentile(60), {200, 701}));
}

TEST_CASE("NaN and infinity name the sample and the node") {
  FloatGraph g;
  const ValueId x = g.input("x", {kBatch, 2});
  g.output(g.affine("scaled", x, {1e30f}, {0}));
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const char* remedy = "; calibrate with data that the float network can process";
  CHECK(message_of(g.graph, {{0, 1, 2, 3, 4, nan}}, 3) ==
        std::string("argument: net.onnx: input 'x': calibration sample 2 gives nan") + remedy);
  CHECK(message_of(g.graph, {{0, 1, 2, -1e30f, 4, 5}}, 3) ==
        std::string("argument: net.onnx: node 'scaled' (affine): calibration sample 1 gives -inf") +
            remedy);
  CHECK(message_of(g.graph, {{0, 1, 2, 3, 4, 5}}, 3) == "nothing");
}

TEST_CASE("no sample, a percentile out of range, data that changes") {
  Random random(2);
  const convert::Graph graph = two_layers(random);
  CHECK(message_of(graph, {{}}, 0) == "argument: net.onnx: the calibration data has no sample");
  const std::vector<std::vector<float>> data{random.uniform(8, -1, 1)};
  for (const double percentile : {50.0, 100.1, std::nan("")}) {
    CHECK(message_of(graph, data, 2, {Calibration::percentile, percentile, false})
              .find("is outside (50, 100]") != std::string::npos);
  }

  class Shrinking : public MemorySource {
   public:
    using MemorySource::MemorySource;
    void reset() override {
      ++resets_;
      MemorySource::reset();
    }
    std::size_t next(std::vector<std::span<const float>>& batch) override {
      const std::size_t n = MemorySource::next(batch);
      return n != 0 && resets_ > 1 ? (batch[0] = batch[0].first(4), 1) : n;
    }

   private:
    int resets_ = 0;
  };
  Shrinking source(graph, data, 2, 2);
  CHECK(error_of([&] {
          convert::calibrate(graph, source, {Calibration::percentile, 99, false});
        }) ==
        "argument: net.onnx: the calibration data had 2 samples when read first and 1 when read "
        "again");
}

TEST_CASE("an input that nothing uses has a range, too") {
  Random random(3);
  convert::Graph graph = two_layers(random);
  graph.values.push_back({"unused", {kBatch, 1}});
  graph.inputs.push_back(static_cast<ValueId>(graph.values.size() - 1));
  const std::vector<std::vector<float>> data{random.uniform(8, -1, 1), {4, 5}};
  MemorySource source(graph, data, 2, 2);
  CHECK(operator_equal(convert::calibrate(graph, source, {}).back(), {4, 5}));
}

}  // namespace octet::test::calibrate_test
