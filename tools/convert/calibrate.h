// SPDX-License-Identifier: Apache-2.0
// Streaming observers of value ranges. Their memory does not depend on the number of samples and
// their result not on batch size, order of batches or thread count.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "tools/convert/graph.h"

namespace octet::convert {

struct Range {
  float min = 0;
  float max = 0;
};

enum class Calibration : std::uint8_t { minmax, percentile };

struct CalibrationOptions {
  Calibration method = Calibration::minmax;
  // In (50, 100]: at most 100 - percentile percent of the values lie below the range, as many
  // above.
  double percentile = 99.99;
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
// done; percentile reads the data twice and counts on.
std::vector<Range> calibrate(const Graph& graph, BatchSource& data,
                             const CalibrationOptions& options,
                             const std::function<void(std::size_t samples)>& progress = {});

}  // namespace octet::convert
