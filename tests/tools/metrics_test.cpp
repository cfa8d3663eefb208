// SPDX-License-Identifier: Apache-2.0
// Statistics against values worked by hand or taken from tables.
#include "tools/convert/metrics.h"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <vector>

namespace octet::test::metrics_test {

using namespace convert;

namespace {

doctest::Approx near(double value, double epsilon = 1e-9) {
  return doctest::Approx(value).epsilon(epsilon);
}

}  // namespace

TEST_CASE("Wilson's interval") {
  // (p + z^2/2n +- z sqrt(p(1-p)/n + z^2/4n^2)) / (1 + z^2/n) for 81 of 263, z = 1.96 (Newcombe
  // 1998, table I, method 3: 0.2553 to 0.3662).
  const Interval newcombe = wilson_interval(81, 263);
  CHECK(std::round(newcombe.low * 1e4) == 2553);
  CHECK(std::round(newcombe.high * 1e4) == 3662);
  // No success: [0, z^2 / (n + z^2)].
  const Interval none = wilson_interval(0, 20);
  CHECK(none.low == 0);
  CHECK(none.high == near(3.841458820694124 / 23.841458820694124));
  const Interval all = wilson_interval(20, 20);
  CHECK(all.low == near(1 - none.high));
  CHECK(all.high == 1);
  CHECK(wilson_interval(0, 0).low == 0);
  CHECK(wilson_interval(0, 0).high == 1);
}

TEST_CASE("McNemar's exact test") {
  CHECK(mcnemar_p(0, 0) == 1);
  CHECK(mcnemar_p(1, 1) == 1);
  CHECK(mcnemar_p(0, 1) == 1);                                 // 2 * 1/2
  CHECK(mcnemar_p(0, 5) == near(2.0 / 32));                    // 2 * 2^-5
  CHECK(mcnemar_p(2, 8) == near(2 * (1 + 10 + 45) / 1024.0));  // 0.109375
  CHECK(mcnemar_p(8, 2) == mcnemar_p(2, 8));
  CHECK(mcnemar_p(5, 5) == 1);
  CHECK(mcnemar_p(0, 2000) == 0);  // 2^-1999 is no double
  // Large counts: the normal distribution's tail with continuity, (|b - c| - 1) / sqrt(b + c).
  CHECK(mcnemar_p(4900, 5100) == near(std::erfc(199 / 100.0 / std::sqrt(2.0)), 1e-3));
}

TEST_CASE("arg-max takes the first of equals") {
  CHECK(arg_max(std::vector<float>{1, 3, 2, 3}) == 1);
  CHECK(arg_max(std::vector<float>{-1}) == 0);
}

TEST_CASE("an evaluation counts and sums over samples") {
  Evaluation evaluation;
  const auto add = [&](std::int64_t label, std::vector<float> result,
                       std::vector<float> reference) { evaluation.add(label, result, reference); };
  add(0, {3, 1}, {3, 0});  // both right
  add(1, {2, 1}, {1, 2});  // only the reference right
  add(0, {2, 1}, {1, 2});  // only the result right
  add(1, {5, 0}, {4, 0});  // both wrong, in agreement
  CHECK(evaluation.samples() == 4);
  CHECK(evaluation.accuracy() == 0.5);
  CHECK(evaluation.reference_accuracy() == 0.5);
  CHECK(evaluation.agreement() == 0.5);
  CHECK(evaluation.only_result_right() == 1);
  CHECK(evaluation.only_reference_right() == 1);
  CHECK(evaluation.mcnemar() == 1);
  CHECK(evaluation.largest_error() == 1);
  // Signal 9 + 5 + 5 + 16, noise 1 + 2 + 2 + 1.
  CHECK(evaluation.sqnr_db() == near(10 * std::log10(35.0 / 6)));
  CHECK(evaluation.interval().low == wilson_interval(2, 4).low);
}

TEST_CASE("an evaluation at the edges") {
  Evaluation nothing;
  CHECK(nothing.accuracy() == 0);
  CHECK(std::isnan(nothing.sqnr_db()));

  Evaluation equal;
  equal.add(0, std::vector<float>{1, 2}, std::vector<float>{1, 2});
  CHECK(equal.sqnr_db() == std::numeric_limits<double>::infinity());
  CHECK(equal.accuracy() == 0);

  Evaluation alone;
  alone.add(1, std::vector<float>{1, 2});
  CHECK(alone.accuracy() == 1);
  CHECK(std::isnan(alone.sqnr_db()));
}

}  // namespace octet::test::metrics_test
