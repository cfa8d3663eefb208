// SPDX-License-Identifier: Apache-2.0
// Evaluates the function once for each code.
#include "tools/convert/lookup_table.h"

#include "tools/convert/codes.h"

namespace octet::convert {

std::array<std::uint8_t, 256> lookup_table(const Encoding& input, const Encoding& output,
                                           const std::function<double(double)>& function) {
  std::array<float, 256> reals;
  const std::int32_t lowest = engine::lowest_code(input.dtype);
  for (std::int32_t i = 0; i < 256; ++i) {
    const float x = input.scale * static_cast<float>(lowest + i - input.zero_point);
    // Adding 0 changes no value; an offset is rounded once.
    const auto real = static_cast<float>(double{x} + input.offset);
    reals[static_cast<std::size_t>(i)] = static_cast<float>(function(double{real}));
  }
  std::array<std::uint8_t, 256> table;
  kernels::reference::quantize(reals.data(), reals.size(), quantize_params(output), table.data());
  return table;
}

}  // namespace octet::convert
