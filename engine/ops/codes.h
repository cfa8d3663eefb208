// SPDX-License-Identifier: Apache-2.0
// Codes of the file in the sign that a kernel table reads: a u8 code q and the s8 code q - 128 are
// the same.
#pragma once

#include <cstdint>

#include "engine/graph.h"
#include "kernels/kernels.h"

namespace octet::engine {

// What is added to a code of this dtype: 0, 128 or -128. Adding it flips the byte's top bit.
inline std::int32_t code_shift(DType dtype, kernels::Sign sign) noexcept {
  return (sign == kernels::Sign::u8 ? 0 : -128) - lowest_code(dtype);
}

inline std::int32_t shifted_zero_point(const Tensor& tensor, kernels::Sign sign) noexcept {
  return tensor.zero_point + code_shift(tensor.dtype, sign);
}

struct Codes {
  std::int32_t lo;
  std::int32_t hi;
};

// All codes of a table.
inline Codes all_codes(kernels::Sign sign) noexcept {
  return sign == kernels::Sign::u8 ? Codes{0, 255} : Codes{-128, 127};
}

// The node's bounds as codes of its output, by the formula of QuantizeLinear; in the table's sign.
Codes clip_codes(const Node& node, const Tensor& output, const kernels::Table& table);

// clip_codes() without the bounds: how values become codes of the tensor.
kernels::QuantizeParams quantize_params(const Tensor& tensor, kernels::Sign sign) noexcept;

}  // namespace octet::engine
