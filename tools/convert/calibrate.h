// SPDX-License-Identifier: Apache-2.0
// Streaming observers of value ranges. Their memory does not depend on the number of samples and
// their result not on batch size, order of batches or thread count.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "tools/convert/graph.h"

namespace octet::convert {

struct Range {
  float min = 0;
  float max = 0;
};

// Where a range ends:
//   minmax      at the outermost values
//   percentile  where few values lie beyond, see CalibrationOptions
//   mse         where the mean square of what rounding and clipping change is least
//   entropy     where the codes' distribution diverges least from the values' (Kullback-Leibler);
//               graph inputs keep minmax
//   automatic   each value by that of these methods whose range, tried alone, changes the outputs
//   least: by
//               cross-validation on four parts of the samples, made by their content; graph inputs
//               and outputs keep minmax. Takes a run of all samples per value and method.
enum class Calibration : std::uint8_t { minmax, percentile, mse, entropy, automatic };

// "minmax", "percentile", "mse", "entropy", "auto"; nothing for any other name.
std::string_view calibration_name(Calibration method) noexcept;
std::optional<Calibration> find_calibration(std::string_view name) noexcept;

struct CalibrationOptions {
  Calibration method = Calibration::minmax;
  // In (50, 100]: at most 100 - percentile percent of the values lie below the range, as many
  // above.
  double percentile = 99.99;
  bool symmetric =
      false;  // as QuantizeOptions::symmetric: which codes mse, entropy and automatic try
};

// Feeds calibration data: for each batch, one span of floats per graph input. reset() starts again
// from the first sample (percentile needs the range first, then the histogram). calibrate() calls
// it before each pass.
class BatchSource {
 public:
  virtual ~BatchSource() = default;
  virtual void reset() = 0;
  // Up to 64..256 samples; gives the batch size, 0 at the end. The spans live until the next call.
  virtual std::size_t next(std::vector<std::span<const float>>& inputs) = 0;
};

// The range of every value of the graph. Throws octet::Error (argument) if the data has no sample,
// or a value is NaN or infinite (named with the node that made it). progress is told the samples
// done; percentile, mse, entropy and automatic go over the samples twice and count on; automatic
// then tries its candidates untold. chosen, where given, becomes the method of each value.
std::vector<Range> calibrate(const Graph& graph, BatchSource& data,
                             const CalibrationOptions& options,
                             const std::function<void(std::size_t samples)>& progress = {},
                             std::vector<Calibration>* chosen = nullptr);

}  // namespace octet::convert
