// SPDX-License-Identifier: Apache-2.0
// Between floats and the codes of an encoding, by the formulas of QuantizeLinear and
// DequantizeLinear, as the engine computes them. Offsets are the caller's.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "engine/ops/dynamic.h"
#include "kernels/reference.h"
#include "tools/convert/graph.h"

namespace octet::convert {

inline kernels::QuantizeParams quantize_params(const Encoding& encoding) noexcept {
  return {encoding.scale, encoding.zero_point, engine::lowest_code(encoding.dtype),
          engine::highest_code(encoding.dtype)};
}

// The code that a byte of an 8-bit tensor holds.
inline std::int32_t code_of(std::uint8_t byte, engine::DType dtype) noexcept {
  return dtype == engine::DType::u8 ? std::int32_t{byte}
                                    : std::int32_t{static_cast<std::int8_t>(byte)};
}

inline float to_code(float x, const Encoding& encoding) noexcept {
  std::uint8_t byte;
  kernels::reference::quantize(&x, 1, quantize_params(encoding), &byte);
  return static_cast<float>(code_of(byte, encoding.dtype));
}

// Also of bounds that are no codes, infinities among them.
inline float to_real(float code, const Encoding& encoding) noexcept {
  return encoding.scale * (code - static_cast<float>(encoding.zero_point));
}

// x through its codes and back.
inline float round_trip(float x, const Encoding& encoding) noexcept {
  return to_real(to_code(x, encoding), encoding);
}

// What DynamicQuantizeLinear chooses for x.
inline Encoding dynamic_encoding(const engine::DynamicQuantizer& quantizer,
                                 std::span<const float> x) noexcept {
  const kernels::QuantizeParams chosen = quantizer.choose(x.data(), x.size());
  return {engine::DType::u8, chosen.scale, chosen.zero_point - quantizer.shift, 0};
}

}  // namespace octet::convert
