// SPDX-License-Identifier: Apache-2.0
// Weights of a linear layer in 8 or 4 bits with a scale per group of inputs: weight-only
// quantization.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace octet::convert {

// weight = scale * code; every `group` neighbours along k share a scale, the last ones of a row may
// be fewer.
struct GroupParameters {
  std::vector<std::int8_t> codes;  // [m][k]; of 8 bits in [-127, 127], of 4 in [-8, 7]
  std::vector<float> scale;        // [m][(k + group - 1) / group]
};

// weights [m][k]. Of 8 bits the scale is max |w| / 127. Of 4 bits it maps the weight of the largest
// magnitude to about -8 (so it may be negative): of 33 scales around that the one that makes the
// sum of (w - scale * code)^2 least. A group of zeros has the scale 1.
GroupParameters quantize_groups(std::span<const float> weights, std::size_t k, std::size_t bits,
                                std::size_t group);

// Codes of 4 bits two to a byte, the low nibble first; rows [k] begin at a byte.
std::vector<std::uint8_t> pack_nibbles(std::span<const std::int8_t> codes, std::size_t k);

}  // namespace octet::convert
