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

std::size_t sample_elements(const Tensor& tensor) noexcept {
  std::size_t elements = 1;
  for (std::size_t i = tensor.is_constant ? 0 : 1; i < tensor.shape.size(); ++i) {
    elements *= static_cast<std::size_t>(tensor.shape[i]);
  }
  return elements;
}

}  // namespace octet::engine
