// SPDX-License-Identifier: Apache-2.0
// Float graph + ranges -> quantized engine graph: static post-training quantization.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "engine/graph.h"
#include "tools/convert/calibrate.h"
#include "tools/convert/graph.h"

namespace octet::convert {

struct QuantizeOptions {
  bool per_channel = true;  // weight scales
  bool symmetric =
      false;  // activations: zero point in the middle (s8, restricted range), else asymmetric u8
  // Set: the graph's inputs become uint8 pixels, real = (p / 255 - mean) / std.
  std::optional<engine::Normalization> pixels;
};

// A quantized graph that owns its constants.
struct QuantizedGraph {
  engine::Graph graph;
  std::vector<std::vector<std::byte>> storage;  // what graph's constant tensors point to
  std::vector<std::string>
      notes;  // what a user should know: clipped biases, integer zero point used, ...
};

// Throws octet::Error (unsupported, format) with the node and a remedy, e.g. an accumulator that
// could overflow.
QuantizedGraph quantize(const Graph& graph, const std::vector<Range>& ranges,
                        const QuantizeOptions& options);

// scale and zero point of an activation range for [qmin, qmax]: the range is widened to hold 0;
// scale = (max - min) / (qmax - qmin), zero_point = rne(qmin - min / scale), all in double, scale
// rounded to a normal float; an empty range gives scale 1 (documented).
struct ScaleZeroPoint {
  float scale;
  std::int32_t zero_point;
};
ScaleZeroPoint choose_asymmetric(Range range, std::int32_t qmin, std::int32_t qmax);
ScaleZeroPoint choose_symmetric(Range range, std::int32_t qmax);

}  // namespace octet::convert
