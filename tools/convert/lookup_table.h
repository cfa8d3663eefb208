// SPDX-License-Identifier: Apache-2.0
// Any function of one 8-bit tensor as 256 codes.
#pragma once

#include <array>
#include <cstdint>
#include <functional>

#include "tools/convert/quantize_linear.h"

namespace octet::convert {

// Entry i for the input code lowest + i: QuantizeLinear of float(function(x)), x the float that
// DequantizeLinear gives (plus the offset), function in double. The bytes are codes of
// output.dtype.
std::array<std::uint8_t, 256> lookup_table(const Encoding& input, const Encoding& output,
                                           const std::function<double(double)>& function);

}  // namespace octet::convert
