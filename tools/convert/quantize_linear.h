// SPDX-License-Identifier: Apache-2.0
// Weights and bias of a linear layer in int8 and int32.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "engine/graph.h"
#include "tools/convert/graph.h"

namespace octet::convert {

struct LinearParameters {
  std::vector<std::int8_t> weight;  // [m][k], in [-127, 127]
  std::vector<float> scale;         // [m], or [1] per tensor
  std::vector<std::int32_t> bias;  // [m], at scale input.scale * scale[m]; holds the input's offset
  std::size_t raised = 0;          // channels whose scale was raised so that the bias fits int32
};

struct WeightOptions {
  bool per_channel = true;
  bool clip_weights = false;
};

// weight_scale = max |w| / 127, or with clip_weights the part of it, 1 to 1/2 in steps of 1/64,
// that makes the sum of (w - weight_scale * q)^2 least; weights by QuantizeLinear's formula; bias =
// rne((bias + offset * sum of the quantized weights) / (input.scale * weight_scale)), so that the
// layer computes what its quantized weights say for the exact pixels. Raised where needed: to keep
// weight_scale, the multiplier and the product with the input's scale normal numbers, and (PyTorch
// and ONNX Runtime do so too) to keep |bias| + sum |w| * max |a - zero_point| in int32. A channel
// of zeros has the scale that gives its bias 24 bits, without a bias the multiplier 1.
// output_scale: 0 for an f32 output. Throws octet::Error (unsupported) where the weights alone
// could overflow; source is the file for the message.
LinearParameters quantize_linear(const Node& node, std::size_t k, const Encoding& input,
                                 float output_scale, const WeightOptions& options,
                                 const std::string& source);

}  // namespace octet::convert
