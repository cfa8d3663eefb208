// SPDX-License-Identifier: Apache-2.0
// Names and sizes of what a graph is made of.
#include "engine/graph.h"

#include <array>

namespace octet::engine {

std::string_view op_name(OpType op) noexcept {
  constexpr std::array<std::string_view, kOpTypes> kNames = {
      "quantize",       "dequantize",
      "requantize",     "linear",
      "float_linear",   "clip",
      "reshape",        "add",
      "affine",         "lookup",
      "transpose",      "concat",
      "slice",          "softmax",
      "log_softmax",    "group_linear",
      "dynamic_linear", "dynamic_quantize",
      "dynamic_scale",  "dynamic_zero_point"};
  const auto i = static_cast<std::size_t>(op);
  return i < kNames.size() ? kNames[i] : "unknown";
}

std::string_view dtype_name(DType dtype) noexcept {
  switch (dtype) {
    case DType::f32:
      return "f32";
    case DType::u8:
      return "u8";
    case DType::s8:
      return "s8";
    case DType::s32:
      return "s32";
  }
  return "unknown";
}

std::size_t dtype_bytes(DType dtype) noexcept {
  return is_q8(dtype) ? 1 : 4;
}

std::vector<std::int8_t> weight_codes(const Tensor& weight, std::size_t k) {
  std::vector<std::int8_t> codes(static_cast<std::size_t>(weight.shape[0]) * k);
  if (weight.dtype == DType::s8) {
    std::memcpy(codes.data(), weight.data.data(), codes.size());
    return codes;
  }
  const std::size_t row_bytes = (k + 1) / 2;
  for (std::size_t i = 0; i < codes.size(); ++i) {
    const std::size_t column = i % k;
    const unsigned byte = element<std::uint8_t>(weight, i / k * row_bytes + column / 2);
    const unsigned nibble = column % 2 == 0 ? byte & 15 : byte >> 4;
    codes[i] = static_cast<std::int8_t>(static_cast<int>(nibble ^ 8) - 8);
  }
  return codes;
}

std::size_t sample_elements(const Tensor& tensor) noexcept {
  std::size_t elements = 1;
  for (std::size_t i = tensor.is_constant ? 0 : 1; i < tensor.shape.size(); ++i) {
    elements *= static_cast<std::size_t>(tensor.shape[i]);
  }
  return elements;
}

}  // namespace octet::engine
