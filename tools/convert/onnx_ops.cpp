// SPDX-License-Identifier: Apache-2.0
// The table of ONNX operators.
#include "tools/convert/onnx_ops.h"

#include <algorithm>
#include <span>

namespace octet::convert {
namespace {

constexpr OpEntry kOps[] = {
    {"Add", import_add, fold_arithmetic, false},
    {"BatchNormalization", import_batch_normalization, nullptr, false},
    {"Cast", import_cast, fold_cast, true},
    {"Clip", import_clip, fold_clip, true},
    {"Concat", import_concat, fold_concat, true},
    {"Constant", nullptr, fold_constant, false},
    {"ConstantOfShape", nullptr, fold_constant_of_shape, false},
    {"DequantizeLinear", import_dequantize_linear, fold_dequantize_linear, true},
    {"Div", import_div, fold_arithmetic, false},
    {"Dropout", import_dropout, fold_identity, true},
    {"DynamicQuantizeLinear", import_dynamic_quantize_linear, nullptr, false, true},
    {"Elu", import_unary, nullptr, false},
    {"Flatten", import_flatten, fold_flatten, true},
    {"Gather", nullptr, fold_gather, false},
    {"Gemm", import_gemm, nullptr, false},
    {"HardSigmoid", import_unary, nullptr, false},
    {"Identity", import_identity, fold_identity, true},
    {"LeakyRelu", import_unary, nullptr, false},
    {"LogSoftmax", import_softmax, nullptr, false},
    {"MatMul", import_matmul, nullptr, false},
    {"MatMulInteger", import_matmul_integer, nullptr, true},
    {"Mul", import_mul, fold_arithmetic, false},
    {"QLinearMatMul", import_qlinear_matmul, nullptr, true},
    {"QuantizeLinear", import_quantize_linear, fold_quantize_linear, true},
    {"Relu", import_relu, nullptr, true},
    {"Reshape", import_reshape, fold_reshape, true},
    {"Shape", import_shape, fold_shape, true},
    {"Sigmoid", import_unary, nullptr, false},
    {"Slice", import_slice, fold_slice, true},
    {"Softmax", import_softmax, nullptr, false},
    {"Softplus", import_unary, nullptr, false},
    {"Split", import_split, nullptr, true, true},
    {"Squeeze", import_squeeze, fold_squeeze, true},
    {"Sub", import_sub, fold_arithmetic, false},
    {"Tanh", import_unary, nullptr, false},
    {"Transpose", import_transpose, fold_transpose, true},
    {"Unsqueeze", import_unsqueeze, fold_unsqueeze, true},
};

// Of the domain com.microsoft, as ONNX Runtime's tools write them.
constexpr OpEntry kMicrosoftOps[] = {
    {"DequantizeLinear", import_dequantize_linear, fold_dequantize_linear, true},
    {"DynamicQuantizeMatMul", import_dynamic_quantize_matmul, nullptr, false},
    {"QGemm", import_qgemm, nullptr, true},
    {"QLinearAdd", import_qlinear_add, nullptr, true},
    {"QuantizeLinear", import_quantize_linear, fold_quantize_linear, true},
};

const OpEntry* find(std::span<const OpEntry> entries, std::string_view name) noexcept {
  const auto found = std::ranges::find(entries, name, &OpEntry::name);
  return found == entries.end() ? nullptr : &*found;
}

}  // namespace

const OpEntry* find_op(std::string_view domain, std::string_view name) noexcept {
  if (domain == "com.microsoft") return find(kMicrosoftOps, name);
  return domain.empty() || domain == "ai.onnx" ? find(kOps, name) : nullptr;
}

std::string supported_ops() {
  std::string text;
  for (const OpEntry& entry : kOps) {
    if (!text.empty()) text += ", ";
    text += entry.name;
  }
  text += ", and of com.microsoft DynamicQuantizeMatMul, QGemm and QLinearAdd";
  return text;
}

}  // namespace octet::convert
