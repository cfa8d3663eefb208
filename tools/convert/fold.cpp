// SPDX-License-Identifier: Apache-2.0
#include "tools/convert/fold.h"

#include <bit>

namespace octet::convert {

std::span<const float> Fold::sample_of(std::span<const std::span<const float>> inputs,
                                       std::size_t input, std::size_t sample) const {
  const std::size_t elements = sample_elements(graph_.values[graph_.inputs[input]].shape);
  return inputs[input].subspan(sample * elements, elements);
}

std::size_t Fold::fold_of(std::span<const std::span<const float>> inputs,
                          std::size_t sample) const {
  std::uint64_t hash = 14695981039346656037U;  // FNV-1a, word by word
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    for (const float x : sample_of(inputs, i, sample)) {
      hash = (hash ^ std::bit_cast<std::uint32_t>(x)) * 1099511628211U;
    }
  }
  return (hash ^ hash >> 32) % kFolds;
}

std::size_t Fold::next(std::vector<std::span<const float>>& inputs) {
  std::vector<std::span<const float>> all;
  while (const std::size_t batch = source_.next(all)) {
    batch_.assign(all.size(), {});
    std::size_t samples = 0;
    for (std::size_t s = 0; s < batch; ++s) {
      if (fold_of(all, s) != fold_) continue;
      ++samples;
      for (std::size_t i = 0; i < all.size(); ++i) {
        const auto sample = sample_of(all, i, s);
        batch_[i].insert(batch_[i].end(), sample.begin(), sample.end());
      }
    }
    if (samples == 0) continue;
    inputs.assign(batch_.begin(), batch_.end());
    return samples;
  }
  return 0;
}

}  // namespace octet::convert
