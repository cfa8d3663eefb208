// SPDX-License-Identifier: Apache-2.0
// Ranges by error and by entropy against their definitions on the values themselves, and the choice
// between methods by what they do to the outputs.
#include "tools/convert/choose_range.h"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <map>
#include <set>

#include "tests/tools/float_graph.h"
#include "tools/convert/calibrate.h"
#include "tools/convert/fold.h"
#include "tools/convert/try_ranges.h"

namespace octet::test::choose_range_test {

using convert::Calibration;
using convert::HistogramObserver;
using convert::Range;

namespace {

HistogramObserver histogram_of(const std::vector<float>& data) {
  const auto [min, max] = std::ranges::minmax(data);
  HistogramObserver histogram({min, max});
  histogram.observe(data);
  return histogram;
}

// Near a normal distribution: sums of uniform numbers, in (-6, 6).
std::vector<float> bell(Random& random, std::size_t n) {
  std::vector<float> data(n);
  for (float& x : data) {
    for (int i = 0; i < 12; ++i) x += random.uniform(-0.5f, 0.5f);
  }
  return data;
}

std::vector<float> relu(std::vector<float> data) {
  for (float& x : data) x = std::max(x, 0.0f);
  return data;
}

double mean_square_error(const std::vector<float>& data, Range range, bool symmetric) {
  const auto codes = convert::choose_codes(range, symmetric);
  double sum = 0;
  for (const float x : data) {
    const double d =
        static_cast<double>(x) - convert::through_codes(static_cast<double>(x), codes, symmetric);
    sum += d * d;
  }
  return sum / static_cast<double>(data.size());
}

}  // namespace

TEST_CASE("a value goes through its codes and back") {
  const auto u8 = convert::choose_codes({-1, 4.1f}, false);
  CHECK(u8.scale == doctest::Approx(0.02));
  CHECK(u8.zero_point == 50);
  for (const auto& [x, expected] : std::map<double, double>{
           {0, 0}, {0.0299, 0.02}, {0.0301, 0.04}, {-1, -1}, {-2, -1}, {4.1, 4.1}, {99, 4.1}}) {
    CHECK(convert::through_codes(x, u8, false) == doctest::Approx(expected));
  }
  const auto s8 = convert::choose_codes({-1, 1.27f}, true);
  CHECK(s8.zero_point == 0);
  CHECK(convert::through_codes(-5, s8, true) == doctest::Approx(-1.27));
  CHECK(convert::through_codes(0.017, s8, true) == doctest::Approx(0.02));
}

TEST_CASE("mse: no range of a grid does better on the values") {
  Random random(1);
  std::vector<float> one_sided = relu(bell(random, 2000));
  one_sided.insert(one_sided.end(), 3, 40.0f);
  std::vector<float> two_sided = bell(random, 2000);
  two_sided.insert(two_sided.end(), {30, -14});
  std::vector<float> negative = one_sided;
  for (float& x : negative) x = -x;
  for (const auto& data : {one_sided, two_sided, negative, bell(random, 500)}) {
    for (const bool symmetric : {false, true}) {
      const auto histogram = histogram_of(data);
      const Range all = histogram.range();
      const double got =
          mean_square_error(data, convert::mse_range(histogram, symmetric), symmetric);
      double least = std::numeric_limits<double>::infinity();
      for (int low = 0; low <= 10; ++low) {
        for (int high = 1; high <= 10; ++high) {
          const Range range{all.min * static_cast<float>(low) / 10,
                            all.max * static_cast<float>(high) / 10};
          if (range.min < range.max) {
            least = std::min(least, mean_square_error(data, range, symmetric));
          }
        }
      }
      CAPTURE(all.max);
      CAPTURE(symmetric);
      CHECK(got <= 1.01 * least);  // values are taken for the middle of their bin
      CHECK(got <= 1.001 * mean_square_error(data, all, symmetric));
    }
  }
}

TEST_CASE("entropy: cuts far outliers, keeps the bulk, and does not mind ReLU's zeros") {
  Random random(2);
  std::vector<float> data = bell(random, 50'000);
  data.insert(data.end(), {60, -60, 59});
  const Range two_sided = convert::entropy_range(histogram_of(data), false);
  CHECK(two_sided.max > 2.5);
  CHECK(two_sided.max < 30);
  CHECK(two_sided.min < -2.5);
  CHECK(two_sided.min > -30);
  const Range symmetric = convert::entropy_range(histogram_of(data), true);
  CHECK(symmetric.min == -symmetric.max);
  CHECK(symmetric.max < 30);

  std::vector<float> positive = relu(data);
  std::erase(positive, 0.0f);
  positive.push_back(0);
  const Range without = convert::entropy_range(histogram_of(positive), false);
  positive.insert(positive.end(), 100'000, 0.0f);
  const Range with = convert::entropy_range(histogram_of(positive), false);
  CHECK(with.max == without.max);
  CHECK(with.min == 0);
  CHECK(with.max > 2.5);
  CHECK(with.max < 30);
}

TEST_CASE("outliers on both sides: symmetric ranges shrink, and wherever 0 lies no side is lost") {
  Random random(7);
  const std::vector<float> bulk = bell(random, 50'000);
  for (const float low : {-60.0f, -59.5f, -49.0f, -30.0f, -57.3f}) {
    for (const float high : {60.0f, 59.0f, 49.0f, 30.0f, 59.507f}) {
      std::vector<float> data = bulk;
      data.insert(data.end(), {low, high});
      const auto histogram = histogram_of(data);
      CAPTURE(low);
      CAPTURE(high);
      for (const bool symmetric : {false, true}) {
        for (const Range range : {convert::mse_range(histogram, symmetric),
                                  convert::entropy_range(histogram, symmetric)}) {
          CHECK(range.max > 2);
          CHECK(range.min < -2);
        }
      }
    }
  }
  std::vector<float> outliers = bulk;
  outliers.insert(outliers.end(), {-60, 60});
  HistogramObserver many = histogram_of(outliers);
  for (int i = 0; i < 20; ++i) many.observe(bulk);  // two of a million: not worth their steps
  CHECK(convert::mse_range(many, true).max < 25);
  CHECK(convert::mse_range(many, false).min > -25);
  // 0 in the last bin of a coarse step.
  std::vector<float> data(bulk);
  for (float& x : data) x *= 300;
  data.insert(data.end(), {-4095.5f, 4096.5f});
  CHECK(convert::entropy_range(histogram_of(data), false).max > 600);
}

TEST_CASE("entropy: few values without outliers keep their range") {
  Random random(3);
  for (const std::size_t n : {std::size_t{100}, std::size_t{1000}, std::size_t{10'000}}) {
    const auto histogram = histogram_of(random.uniform(n, 0, 1));
    CHECK(convert::entropy_range(histogram, false).max > 0.9f * histogram.range().max);
  }
}

TEST_CASE("ranges of constants and of nothing") {
  for (const bool symmetric : {false, true}) {
    for (const float x : {0.0f, 3.0f, -3.0f}) {
      const auto histogram = histogram_of(std::vector<float>(10, x));
      for (const Range range : {convert::mse_range(histogram, symmetric),
                                convert::entropy_range(histogram, symmetric)}) {
        const auto codes = convert::choose_codes(range, symmetric);
        CHECK(convert::through_codes(static_cast<double>(x), codes, symmetric) ==
              doctest::Approx(static_cast<double>(x)));
      }
    }
    const HistogramObserver empty({-1, 1});
    CHECK(convert::mse_range(empty, symmetric).max == 1);
    CHECK(convert::entropy_range(empty, symmetric).max == 1);
    CHECK(empty.percentile(99).max == 1);
  }
}

TEST_CASE("parts of a histogram add up") {
  Random random(4);
  const auto data = random.uniform(1000, -1, 1);
  const auto whole = histogram_of(data);
  HistogramObserver first(whole.range());
  HistogramObserver second(whole.range());
  first.observe(std::span(data).first(300));
  second.observe(std::span(data).subspan(300));
  first.merge(second);
  CHECK(std::ranges::equal(first.counts(), whole.counts()));
}

TEST_CASE("folds share out the samples by what they hold") {
  FloatGraph g;
  g.output(g.add("sum", g.input("a", {kBatch, 2}), g.input("b", {kBatch, 2})));
  Random random(5);
  constexpr std::size_t kSamples = 200;
  const std::vector<std::vector<float>> data{random.uniform(2 * kSamples, -1, 1),
                                             random.uniform(2 * kSamples, -1, 1)};
  std::map<std::vector<float>, std::size_t> fold_of;
  for (const std::size_t step : {std::size_t{1}, std::size_t{7}, kSamples}) {
    std::size_t total = 0;
    for (std::size_t i = 0; i < convert::kFolds; ++i) {
      MemorySource source(g.graph, data, kSamples, step);
      convert::Fold fold(g.graph, source, i);
      fold.reset();
      std::vector<std::span<const float>> inputs;
      std::size_t samples = 0;
      while (const std::size_t batch = fold.next(inputs)) {
        REQUIRE(inputs.size() == 2);
        for (std::size_t s = 0; s < batch; ++s) {
          const auto [sample, is_new] =
              fold_of.emplace(std::vector<float>{inputs[0][2 * s], inputs[0][2 * s + 1],
                                                 inputs[1][2 * s], inputs[1][2 * s + 1]},
                              i);
          CHECK(is_new == (step == 1));
          CHECK(sample->second == i);
        }
        samples += batch;
      }
      CHECK(samples > kSamples / 8);
      total += samples;
    }
    CHECK(total == kSamples);
  }
}

TEST_CASE("auto: outliers are cut where the outputs do not need them, and kept where they do") {
  Random random(6);
  std::vector<std::vector<float>> data{random.uniform(1600, 0, 1)};
  for (std::size_t i = 0; i < data[0].size(); i += 97) data[0][i] = 50;
  for (const bool clipped : {false, true}) {
    FloatGraph g;
    const ValueId h = g.affine("h", g.input("x", {kBatch, 4}), {1}, {0});
    g.output(clipped ? g.clip("y", h, 0, 1) : g.affine("y", h, {2}, {1}));
    MemorySource source(g.graph, data, 400, 64);
    std::vector<Calibration> chosen;
    const auto ranges =
        convert::calibrate(g.graph, source, {Calibration::automatic, 97, false}, {}, &chosen);
    REQUIRE(chosen.size() == 3);
    CHECK(chosen[g.graph.inputs[0]] == Calibration::minmax);
    CHECK(chosen[g.graph.outputs[0]] == Calibration::minmax);
    CHECK(ranges[g.graph.inputs[0]].max == 50);
    if (clipped) {
      CHECK(chosen[h] ==
            Calibration::percentile);  // the only one that gives up one value in a hundred
      CHECK(ranges[h].max < 2);
    } else {
      CHECK(chosen[h] == Calibration::minmax);
      CHECK(ranges[h].max == 50);
    }
  }
}

TEST_CASE("a range is tried on its value alone, and its errors are counted exactly") {
  FloatGraph g;
  const ValueId h = g.affine("h", g.input("x", {kBatch, 1}), {2}, {0});
  const ValueId y = g.affine("y", h, {3}, {0});
  g.output(y);
  const std::vector<std::vector<float>> data{{0.125f, 4, -1}};  // h: 0.25, 8, -2
  const std::vector<Range> observed{{-1, 4}, {-2, 8}, {-6, 24}};
  convert::Candidates candidates(3);
  candidates[h] = {{0, 255}, {0, 0.25f * 255}, {-2, 253}};
  const double unit = 4294967296.0 * 9 / (24 * 24);  // h's squared error at the output
  for (const std::size_t step : {std::size_t{1}, std::size_t{3}}) {
    MemorySource source(g.graph, data, 3, step);
    convert::Errors errors(3, std::vector<std::uint64_t>(3));
    for (int i = 0; i < 2; ++i) {  // adds up
      convert::try_ranges(g.graph, observed, source, candidates, false, errors);
    }
    CHECK(errors[0] == std::vector<std::uint64_t>(3));
    CHECK(errors[y] == std::vector<std::uint64_t>(3));
    CHECK(errors[h] ==
          std::vector<std::uint64_t>{static_cast<std::uint64_t>(2 * unit * (0.25 * 0.25 + 2 * 2)),
                                     static_cast<std::uint64_t>(2 * unit * (2 * 2)),
                                     static_cast<std::uint64_t>(2 * unit * (0.25 * 0.25))});
  }
}

TEST_CASE("calibration methods have their names") {
  const std::set<std::string_view> names{"minmax", "percentile", "mse", "entropy", "auto"};
  for (const auto name : names) {
    const auto method = convert::find_calibration(name);
    REQUIRE(method.has_value());
    CHECK(convert::calibration_name(*method) == name);
  }
  CHECK(!convert::find_calibration("kl").has_value());
  CHECK(!convert::find_calibration("").has_value());
}

}  // namespace octet::test::choose_range_test
