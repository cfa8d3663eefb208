// SPDX-License-Identifier: Apache-2.0
// Wilson (1927), McNemar (1947), and sums over the samples.
#include "tools/convert/metrics.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace octet::convert {
namespace {

double part(std::uint64_t count, std::uint64_t total) noexcept {
  return total == 0 ? 0 : static_cast<double>(count) / static_cast<double>(total);
}

}  // namespace

Interval wilson_interval(std::uint64_t successes, std::uint64_t trials) noexcept {
  if (trials == 0) return {};
  constexpr double z = 1.959963984540054;  // the standard normal's 97.5th percentile
  const double n = static_cast<double>(trials);
  const double p = part(successes, trials);
  const double denominator = 1 + z * z / n;
  const double centre = (p + z * z / (2 * n)) / denominator;
  const double half = z / denominator * std::sqrt(p * (1 - p) / n + z * z / (4 * n * n));
  // The exact bounds of no success and of nothing but successes, which rounding would miss.
  return {successes == 0 ? 0 : std::max(0.0, centre - half),
          successes == trials ? 1 : std::min(1.0, centre + half)};
}

double mcnemar_p(std::uint64_t only_first_right, std::uint64_t only_second_right) noexcept {
  const std::uint64_t discordant = only_first_right + only_second_right;
  const std::uint64_t fewer = std::min(only_first_right, only_second_right);
  const double n = static_cast<double>(discordant);
  const double k = static_cast<double>(fewer);
  // The largest term of the tail through logarithms (2^-n underflows), the others by their ratio.
  double term = std::exp(std::lgamma(n + 1) - std::lgamma(k + 1) - std::lgamma(n - k + 1) -
                         n * std::log(2.0));
  double tail = 0;
  for (std::uint64_t i = fewer;; --i) {
    tail += term;
    if (i == 0 || term < tail * 1e-18) break;
    term *= static_cast<double>(i) / static_cast<double>(discordant - i + 1);
  }
  return std::min(1.0, 2 * tail);
}

std::size_t arg_max(std::span<const float> row) noexcept {
  return static_cast<std::size_t>(std::max_element(row.begin(), row.end()) - row.begin());
}

void Evaluation::add(std::int64_t label, std::span<const float> result,
                     std::span<const float> reference) noexcept {
  ++samples_;
  const std::size_t guess = arg_max(result);
  const bool right = static_cast<std::int64_t>(guess) == label;
  correct_ += right;
  if (reference.empty()) return;
  const std::size_t reference_guess = arg_max(reference);
  const bool reference_right = static_cast<std::int64_t>(reference_guess) == label;
  reference_correct_ += reference_right;
  agreeing_ += guess == reference_guess;
  only_result_right_ += right && !reference_right;
  only_reference_right_ += reference_right && !right;
  for (std::size_t i = 0; i < result.size(); ++i) {
    const double wanted = reference[i];
    const double error = std::abs(wanted - result[i]);
    signal_ += wanted * wanted;
    noise_ += error * error;
    largest_error_ = std::max(largest_error_, error);
  }
}

double Evaluation::accuracy() const noexcept {
  return part(correct_, samples_);
}
double Evaluation::reference_accuracy() const noexcept {
  return part(reference_correct_, samples_);
}
double Evaluation::agreement() const noexcept {
  return part(agreeing_, samples_);
}

double Evaluation::sqnr_db() const noexcept {
  if (signal_ == 0) return std::numeric_limits<double>::quiet_NaN();
  if (noise_ == 0) return std::numeric_limits<double>::infinity();
  return 10 * std::log10(signal_ / noise_);
}

}  // namespace octet::convert
