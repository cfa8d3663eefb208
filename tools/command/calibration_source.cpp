// SPDX-License-Identifier: Apache-2.0
// Batches of calibration samples.
#include "tools/command/calibration_source.h"

#include <algorithm>
#include <utility>

#include "tools/data/sha256.h"

namespace octet::command {
namespace {

constexpr std::size_t kBatch = 256;

}  // namespace

CalibrationSource::CalibrationSource(const data::Dataset& dataset, std::vector<TensorInfo> inputs,
                                     const Normalization& pixels, const std::string& model)
    : dataset_(dataset), inputs_(std::move(inputs)), pixels_(pixels), buffers_(inputs_.size()) {
  for (std::size_t i = 0; i < inputs_.size(); ++i) {
    check_feed(dataset.inputs[i], dataset.paths[i], inputs_[i], model);
  }
}

std::size_t CalibrationSource::next(std::vector<std::span<const float>>& inputs) {
  const std::size_t rows = std::min(kBatch, dataset_.samples() - next_);
  inputs.clear();
  if (rows == 0) return 0;
  for (std::size_t i = 0; i < inputs_.size(); ++i) {
    const Input bytes = feed(dataset_.inputs[i], next_, rows, inputs_[i], pixels_, buffers_[i]);
    inputs.emplace_back(static_cast<const float*>(bytes.data), bytes.bytes / sizeof(float));
  }
  next_ += rows;
  return rows;
}

std::string dataset_sha256(const data::Dataset& dataset) {
  data::Sha256 sha;
  for (const auto& array : dataset.inputs) sha.update(array.data.data(), array.data.size());
  return sha.hex();
}

}  // namespace octet::command
