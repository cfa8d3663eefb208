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

// The values whose codes are pixels: inputs, with options.pixels, and views of them.
std::vector<bool> find_pixels(const Graph& graph, const QuantizeOptions& options);

// How a linear computes: as the options say, but dynamic only on what is not pixels, whose codes
// are known before.
enum class LinearForm {
  integer,  // from 8 bits
  floats,   // one of options.keep_float
  groups,   // weight_only
  dynamic,
};
LinearForm linear_form(const Node& node, const std::vector<bool>& pixels,
                       const QuantizeOptions& options);

// The encoding of pixels: real = scale * p + offset.
Encoding pixel_encoding(const engine::Normalization& pixels);

}  // namespace octet::convert
