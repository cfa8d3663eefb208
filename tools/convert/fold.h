// SPDX-License-Identifier: Apache-2.0
// Splits calibration data by what the samples hold, so that the split depends neither on batches
// nor on order.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "tools/convert/calibrate.h"
#include "tools/convert/graph.h"

namespace octet::convert {

inline constexpr std::size_t kFolds = 4;

// About a quarter of a source's samples; each sample is in one of the kFolds folds.
class Fold final : public BatchSource {
 public:
  // graph and source must outlive this; fold < kFolds.
  Fold(const Graph& graph, BatchSource& source, std::size_t fold)
      : graph_(graph), source_(source), fold_(fold) {}

  void reset() override { source_.reset(); }
  std::size_t next(std::vector<std::span<const float>>& inputs) override;

 private:
  std::span<const float> sample_of(std::span<const std::span<const float>> inputs,
                                   std::size_t input, std::size_t sample) const;
  std::size_t fold_of(std::span<const std::span<const float>> inputs, std::size_t sample) const;

  const Graph& graph_;
  BatchSource& source_;
  std::size_t fold_;
  std::vector<std::vector<float>> batch_;  // of each input
};

}  // namespace octet::convert
