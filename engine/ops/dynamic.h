// SPDX-License-Identifier: Apache-2.0
// ONNX's DynamicQuantizeLinear: the scale and the zero point of what is about to be quantized.
#pragma once

#include "engine/ops/codes.h"
#include "kernels/kernels.h"
#include "kernels/reference.h"

namespace octet::engine {

// The functions of a table that quantize floats by their own range, in the table's sign:
//   scale = (largest - least) / 255, or 1 where both are 0
//   zero_point = saturate(rne(0 - least / scale)) of u8
// NaN counts for nothing in the range. A range that a float cannot hold has an infinite scale: then
// sums become NaN, which the bounds of a dynamic_linear turn into the lower one.
struct DynamicQuantizer {
  decltype(kernels::FloatTable::range) range;
  decltype(kernels::Table::quantize) quantize_codes;
  std::int32_t shift;  // from u8 to the table's sign

  explicit DynamicQuantizer(const kernels::Table& table) noexcept
      : range(table.f32->range),
        quantize_codes(table.quantize),
        shift(code_shift(DType::u8, table.sign)) {}

  // For n elements; what quantize_codes needs.
  kernels::QuantizeParams choose(const float* x, std::size_t n) const noexcept {
    float least;
    float largest;
    range(x, n, &least, &largest);
    const float scale = least == largest ? 1.0f : (largest - least) / 255.0f;
    const float below = -least;
    std::uint8_t zero_point;  // of u8, whatever the table's sign
    kernels::reference::quantize(&below, 1, {scale, 0, 0, 255}, &zero_point);
    return {scale, shift + zero_point, shift, shift + 255};
  }
};

}  // namespace octet::engine
