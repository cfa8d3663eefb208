// SPDX-License-Identifier: Apache-2.0
// The op table: one line per OpType, in its order.
#include "engine/ops/op_table.h"

namespace octet::engine {

const Op& find_op(OpType type) noexcept {
  static constexpr Op kOps[kOpTypes] = {
      {compile_quantize, false},                              // quantize
      {compile_dequantize, false},                            // dequantize
      {compile_requantize, true},                             // requantize
      {compile_linear, false, linear_needs},                  // linear
      {compile_float_linear, false, float_matrix_needs},      // float_linear
      {compile_clip, true},                                   // clip
      {nullptr, false},                                       // reshape
      {compile_add, true},                                    // add
      {compile_affine, true},                                 // affine
      {compile_lookup, true},                                 // lookup
      {compile_transpose, false},                             // transpose
      {compile_concat, false},                                // concat
      {compile_slice, false},                                 // slice
      {compile_softmax, true},                                // softmax
      {compile_softmax, true},                                // log_softmax
      {compile_group_linear, false, float_matrix_needs},      // group_linear
      {compile_dynamic_linear, false, dynamic_linear_needs},  // dynamic_linear
      {compile_dynamic_quantize, false},                      // dynamic_quantize
      {compile_dynamic_quantize, false},                      // dynamic_scale
      {compile_dynamic_quantize, false},                      // dynamic_zero_point
  };
  return kOps[static_cast<std::size_t>(type)];
}

AxisExtents around_axis(const Tensor& tensor, std::size_t axis) noexcept {
  AxisExtents extents{1, static_cast<std::size_t>(tensor.shape[axis]), 1};
  for (std::size_t i = 1; i < tensor.shape.size(); ++i) {
    const auto extent = static_cast<std::size_t>(tensor.shape[i]);
    if (i < axis) extents.outer *= extent;
    if (i > axis) extents.inner *= extent;
  }
  return extents;
}

}  // namespace octet::engine
