// SPDX-License-Identifier: Apache-2.0
// Gives a data set to the converter's calibration in batches.
#pragma once

#include <string>
#include <vector>

#include "tools/command/feed.h"
#include "tools/convert/calibrate.h"
#include "tools/data/dataset.h"

namespace octet::command {

// The data set and the inputs' names must outlive the source. Throws octet::Error (argument) if the
// data set does not fit the inputs, which are float32; model names their file.
class CalibrationSource final : public convert::BatchSource {
 public:
  CalibrationSource(const data::Dataset& dataset, std::vector<TensorInfo> inputs,
                    const Normalization& pixels, const std::string& model);

  void reset() override { next_ = 0; }
  std::size_t next(std::vector<std::span<const float>>& inputs) override;

 private:
  const data::Dataset& dataset_;
  std::vector<TensorInfo> inputs_;
  Normalization pixels_;
  std::vector<std::vector<std::byte>> buffers_;
  std::size_t next_ = 0;
};

// SHA-256 of the samples as their files hold them, input after input: what a model was calibrated
// on.
std::string dataset_sha256(const data::Dataset& dataset);

}  // namespace octet::command
