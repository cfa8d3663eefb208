// SPDX-License-Identifier: Apache-2.0
// Weights and bias of a quantized file's linear layer, as the engine takes them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "tools/convert/graph.h"

namespace octet::convert {

// Codes as a sum of int8 matrices side by side, which read the input's columns as often.
struct WeightParts {
  std::size_t parts;                // 1 to 3
  std::vector<std::int8_t> weight;  // [m][parts * k]
};

// codes [m][k] are q - zero_point, in [-255, 255].
WeightParts split_weights(const std::vector<std::int16_t>& codes, std::size_t k);

// rne(bias / (scale of the input * scale of the weights)) for each of m outputs, from the file's
// integers if it has them. Throws octet::Error (unsupported) where int32 does not hold one; source
// is the file for the message.
std::vector<std::int32_t> integer_bias(const Node& node, const Encoding& input, std::size_t m,
                                       const std::string& source);

}  // namespace octet::convert
