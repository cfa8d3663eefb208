// SPDX-License-Identifier: Apache-2.0
// The operators that the importer knows: one line each in onnx_ops.cpp.
#pragma once

#include <string>
#include <string_view>

#include "tools/convert/onnx_builder.h"
#include "tools/convert/onnx_node.h"

namespace octet::convert {

// Binds the node's outputs. Throws Refusal or octet::Error.
using OpImporter = void (*)(const OnnxNode& node, GraphBuilder& builder);

struct OpEntry {
  std::string_view name;
  OpImporter import;  // at least one input is an activation; null where there is no such form
  OpImporter fold;    // all inputs are constants; null where octet does not fold it
  bool takes_codes;   // import: activations may be of 8 bits
  bool all_outputs = false;  // gives more than the first
};

const OpEntry* find_op(std::string_view domain, std::string_view name) noexcept;  // or null
std::string supported_ops();  // "Add, BatchNormalization, ..."

// onnx_ops_linear.cpp
void import_gemm(const OnnxNode& node, GraphBuilder& builder);
void import_matmul(const OnnxNode& node, GraphBuilder& builder);
// onnx_ops_arithmetic.cpp
void import_add(const OnnxNode& node, GraphBuilder& builder);
void import_sub(const OnnxNode& node, GraphBuilder& builder);
void import_mul(const OnnxNode& node, GraphBuilder& builder);
void import_div(const OnnxNode& node, GraphBuilder& builder);
void import_batch_normalization(const OnnxNode& node, GraphBuilder& builder);
// onnx_ops_activation.cpp
void import_relu(const OnnxNode& node, GraphBuilder& builder);
void import_clip(const OnnxNode& node, GraphBuilder& builder);
void import_unary(const OnnxNode& node, GraphBuilder& builder);
void import_softmax(const OnnxNode& node, GraphBuilder& builder);
void import_identity(const OnnxNode& node, GraphBuilder& builder);
void import_dropout(const OnnxNode& node, GraphBuilder& builder);
void import_cast(const OnnxNode& node, GraphBuilder& builder);
// onnx_ops_shape.cpp
void import_shape(const OnnxNode& node, GraphBuilder& builder);
void import_reshape(const OnnxNode& node, GraphBuilder& builder);
void import_flatten(const OnnxNode& node, GraphBuilder& builder);
void import_squeeze(const OnnxNode& node, GraphBuilder& builder);
void import_unsqueeze(const OnnxNode& node, GraphBuilder& builder);
void import_transpose(const OnnxNode& node, GraphBuilder& builder);
// onnx_ops_axis.cpp
void import_concat(const OnnxNode& node, GraphBuilder& builder);
void import_split(const OnnxNode& node, GraphBuilder& builder);
void import_slice(const OnnxNode& node, GraphBuilder& builder);
// onnx_ops_quantize.cpp
void import_quantize_linear(const OnnxNode& node, GraphBuilder& builder);
void import_dequantize_linear(const OnnxNode& node, GraphBuilder& builder);
void fold_quantize_linear(const OnnxNode& node, GraphBuilder& builder);
void fold_dequantize_linear(const OnnxNode& node, GraphBuilder& builder);
// onnx_ops_qlinear.cpp
void import_qlinear_matmul(const OnnxNode& node, GraphBuilder& builder);
void import_qlinear_add(const OnnxNode& node, GraphBuilder& builder);
void import_qgemm(const OnnxNode& node, GraphBuilder& builder);
// onnx_ops_dynamic.cpp
void import_dynamic_quantize_linear(const OnnxNode& node, GraphBuilder& builder);
void import_matmul_integer(const OnnxNode& node, GraphBuilder& builder);
void import_dynamic_quantize_matmul(const OnnxNode& node, GraphBuilder& builder);
// onnx_fold.cpp, onnx_fold_shape.cpp
void fold_constant(const OnnxNode& node, GraphBuilder& builder);
void fold_identity(const OnnxNode& node, GraphBuilder& builder);
void fold_cast(const OnnxNode& node, GraphBuilder& builder);
void fold_clip(const OnnxNode& node, GraphBuilder& builder);
void fold_constant_of_shape(const OnnxNode& node, GraphBuilder& builder);
void fold_arithmetic(const OnnxNode& node, GraphBuilder& builder);
void fold_shape(const OnnxNode& node, GraphBuilder& builder);
void fold_reshape(const OnnxNode& node, GraphBuilder& builder);
void fold_flatten(const OnnxNode& node, GraphBuilder& builder);
void fold_squeeze(const OnnxNode& node, GraphBuilder& builder);
void fold_unsqueeze(const OnnxNode& node, GraphBuilder& builder);
void fold_transpose(const OnnxNode& node, GraphBuilder& builder);
void fold_gather(const OnnxNode& node, GraphBuilder& builder);
void fold_concat(const OnnxNode& node, GraphBuilder& builder);
void fold_slice(const OnnxNode& node, GraphBuilder& builder);

// Shared by the import and fold forms of one operator.
// Transpose's perm, checked; reversed dimensions by default.
std::vector<std::size_t> transpose_perm(const OnnxNode& node, std::size_t rank);
// Gemm and QGemm: refuse transA = 1; C must be one row for all samples, of m columns or one.
void refuse_trans_a(const OnnxNode& node);
void check_bias_shape(const OnnxNode& node, const Dims& c, std::size_t m);
// Squeeze and Unsqueeze: dims without, or with, the node's axes.
Dims squeezed(const OnnxNode& node, const Dims& dims);
Dims unsqueezed(const OnnxNode& node, const Dims& dims);
// Shape: the entries between its attributes start and end.
Constant shape_of(const OnnxNode& node, const Dims& dims);
// One axis of a Slice: count elements from start on, step apart.
struct SliceRange {
  std::size_t axis;
  std::int64_t start;
  std::int64_t step;
  std::int64_t count;
};
// In the order of the node's axes. dims[0] may be kBatch: then only a full slice of axis 0 is not
// refused, and it is left out.
std::vector<SliceRange> slice_ranges(const OnnxNode& node, const Dims& dims);

}  // namespace octet::convert
