// SPDX-License-Identifier: Apache-2.0
// Bounds in the reals -> bounds in codes, by the table's own quantize.
#include "engine/ops/codes.h"

namespace octet::engine {

kernels::QuantizeParams quantize_params(const Tensor& tensor, kernels::Sign sign) noexcept {
  const Codes all = all_codes(sign);
  return {tensor.scale, shifted_zero_point(tensor, sign), all.lo, all.hi};
}

Codes clip_codes(const Node& node, const Tensor& output, const kernels::Table& table) {
  const float bounds[2] = {node.clip_min, node.clip_max};
  std::uint8_t codes[2];
  table.quantize(bounds, 2, quantize_params(output, table.sign), codes);
  const auto decode = [&](std::uint8_t byte) {
    return table.sign == kernels::Sign::u8 ? std::int32_t{byte}
                                           : std::int32_t{static_cast<std::int8_t>(byte)};
  };
  return {decode(codes[0]), decode(codes[1])};
}

}  // namespace octet::engine
