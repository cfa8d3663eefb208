// SPDX-License-Identifier: Apache-2.0
// Decides, before any node is lowered, in which forms each value is needed and which encoding its
// producer should give it.
#pragma once

#include <vector>

#include "tools/convert/calibrate.h"
#include "tools/convert/graph.h"
#include "tools/convert/quantize.h"
#include "tools/convert/quantize_linear.h"

namespace octet::convert {

struct ValuePlan {
  bool codes = false;  // a consumer takes it in 8 bits
  bool reals = false;  // a consumer takes it in f32, or it is a graph output
  // Where the producer may choose. A value whose only consumer is a concat or a view takes the
  // encoding of that, so that nothing is requantized in between.
  Encoding encoding;
};

std::vector<ValuePlan> plan_quantization(const Graph& graph, const std::vector<Range>& ranges,
                                         const QuantizeOptions& options);

// Whether a linear is one of options.keep_float.
bool is_kept_float(const Node& node, const QuantizeOptions& options) noexcept;
// Whether it takes its input in f32: kept so, or by weight_only.
bool takes_floats(const Node& node, const QuantizeOptions& options) noexcept;

// The encoding of pixels: real = scale * p + offset.
Encoding pixel_encoding(const engine::Normalization& pixels);

}  // namespace octet::convert
