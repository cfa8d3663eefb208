// SPDX-License-Identifier: Apache-2.0
#include "tools/convert/try_ranges.h"

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "tools/convert/choose_range.h"
#include "tools/convert/float_executor.h"

namespace octet::convert {
namespace {

// Fewer than 2^24 samples fit into 64 bits; a NaN counts as the most.
std::uint64_t fixed_point(double error) {
  return static_cast<std::uint64_t>((error < 256 ? error : 256.0) * 4294967296.0);
}

// Sums of squared errors of a batch.
class ErrorSum {
 public:
  ErrorSum(const Graph& graph, const std::vector<Range>& observed) {
    for (const ValueId output : graph.outputs) {
      const double largest =
          std::max(std::abs(observed[output].min), std::abs(observed[output].max));
      per_unit_.push_back(largest > 0 ? 1 / largest : 1);
      elements_.push_back(sample_elements(graph.values[output].shape));
    }
  }

  std::uint64_t of(const std::vector<std::vector<float>>& expected,
                   const std::vector<std::span<const float>>& got, std::size_t batch) const {
    std::uint64_t sum = 0;
    for (std::size_t s = 0; s < batch; ++s) {
      double error = 0;
      for (std::size_t o = 0; o < got.size(); ++o) {
        for (std::size_t i = s * elements_[o]; i < (s + 1) * elements_[o]; ++i) {
          const double d =
              (static_cast<double>(got[o][i]) - static_cast<double>(expected[o][i])) * per_unit_[o];
          error += d * d;
        }
      }
      sum += fixed_point(error);
    }
    return sum;
  }

 private:
  std::vector<double> per_unit_;  // of each output
  std::vector<std::size_t> elements_;
};

}  // namespace

void try_ranges(const Graph& graph, const std::vector<Range>& observed, BatchSource& data,
                const Candidates& candidates, bool symmetric, Errors& errors) {
  FloatExecutor executor(graph);
  const ErrorSum error_sum(graph, observed);
  std::vector<std::vector<float>> expected(graph.outputs.size());
  std::vector<float> coded;
  std::vector<std::span<const float>> inputs;
  const auto error_of = [&](ValueId tried, Range range, std::size_t batch) {
    const ScaleZeroPoint codes = choose_codes(range, symmetric);
    const auto through = [&](ValueId value, std::span<const float> values) {
      if (value != tried) return values;
      coded.clear();
      for (const float x : values) {
        coded.push_back(
            static_cast<float>(through_codes(static_cast<double>(x), codes, symmetric)));
      }
      return std::span<const float>(coded);
    };
    return error_sum.of(expected, executor.run(inputs, batch, {}, through), batch);
  };
  data.reset();
  while (const std::size_t batch = data.next(inputs)) {
    const auto outputs = executor.run(inputs, batch);
    for (std::size_t o = 0; o < outputs.size(); ++o) {
      expected[o].assign(outputs[o].begin(), outputs[o].end());
    }
    for (ValueId value = 0; value < candidates.size(); ++value) {
      for (std::size_t c = 0; c < candidates[value].size(); ++c) {
        errors[value][c] += error_of(value, candidates[value][c], batch);
      }
    }
  }
}

}  // namespace octet::convert
