// SPDX-License-Identifier: Apache-2.0
// What a conversion cost, measured: accuracy with its interval, agreement with the float network,
// McNemar's test, the logits' signal-to-noise ratio. Streaming: nothing grows with the samples.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace octet::convert {

struct Interval {
  double low = 0;
  double high = 1;
};

// Wilson's score interval for a proportion at 95 % confidence; {0, 1} for no trials.
Interval wilson_interval(std::uint64_t successes, std::uint64_t trials) noexcept;

// McNemar's test, two-sided: the probability, if two classifiers were equally good, of a split of
// their disagreements at least as uneven as this one. Exact (binomial with p = 1/2) at any count:
// p = min(1, 2 * P[X <= min(b, c)]), X ~ B(b + c, 1/2).
double mcnemar_p(std::uint64_t only_first_right, std::uint64_t only_second_right) noexcept;

// The first index of the largest element; row is not empty.
std::size_t arg_max(std::span<const float> row) noexcept;

// Compares two networks' outputs, and both with the labels.
class Evaluation {
 public:
  // One sample: its label, the outputs of the network under test and, where there is one, of its
  // float reference (of the same length; for every sample or for none).
  void add(std::int64_t label, std::span<const float> result,
           std::span<const float> reference = {}) noexcept;

  std::uint64_t samples() const noexcept { return samples_; }
  std::uint64_t correct() const noexcept { return correct_; }
  double accuracy() const noexcept;
  Interval interval() const noexcept { return wilson_interval(correct_, samples_); }

  // Meaningful where references were given.
  std::uint64_t reference_correct() const noexcept { return reference_correct_; }
  double reference_accuracy() const noexcept;
  Interval reference_interval() const noexcept {
    return wilson_interval(reference_correct_, samples_);
  }
  // Part of the samples whose arg-max is the reference's, in [0, 1].
  double agreement() const noexcept;
  // Samples that the network (the reference) gets right and the other one does not.
  std::uint64_t only_result_right() const noexcept { return only_result_right_; }
  std::uint64_t only_reference_right() const noexcept { return only_reference_right_; }
  double mcnemar() const noexcept { return mcnemar_p(only_result_right_, only_reference_right_); }
  // 10 log10(sum reference^2 / sum (reference - result)^2) over all outputs, in dB; infinity where
  // all are equal, NaN without a reference or where it is all zeros.
  double sqnr_db() const noexcept;
  double largest_error() const noexcept { return largest_error_; }

 private:
  std::uint64_t samples_ = 0;
  std::uint64_t correct_ = 0;
  std::uint64_t reference_correct_ = 0;
  std::uint64_t agreeing_ = 0;
  std::uint64_t only_result_right_ = 0;
  std::uint64_t only_reference_right_ = 0;
  double signal_ = 0;
  double noise_ = 0;
  double largest_error_ = 0;
};

}  // namespace octet::convert
