// SPDX-License-Identifier: Apache-2.0
// The table of ONNX operators.
#include "tools/convert/onnx_ops.h"

#include <algorithm>
#include <iterator>

namespace octet::convert {
namespace {

constexpr OpEntry kOps[] = {
    {"Add", import_add, fold_arithmetic},
    {"BatchNormalization", import_batch_normalization, nullptr},
    {"Cast", import_cast, fold_cast},
    {"Clip", import_clip, nullptr},
    {"Concat", import_concat, fold_concat},
    {"Constant", nullptr, fold_constant},
    {"Div", import_div, fold_arithmetic},
    {"Dropout", import_dropout, fold_identity},
    {"Elu", import_unary, nullptr},
    {"Flatten", import_flatten, fold_flatten},
    {"Gather", nullptr, fold_gather},
    {"Gemm", import_gemm, nullptr},
    {"HardSigmoid", import_unary, nullptr},
    {"Identity", import_identity, fold_identity},
    {"LeakyRelu", import_unary, nullptr},
    {"LogSoftmax", import_softmax, nullptr},
    {"MatMul", import_matmul, nullptr},
    {"Mul", import_mul, fold_arithmetic},
    {"Relu", import_relu, nullptr},
    {"Reshape", import_reshape, fold_reshape},
    {"Shape", import_shape, fold_shape},
    {"Sigmoid", import_unary, nullptr},
    {"Slice", import_slice, fold_slice},
    {"Softmax", import_softmax, nullptr},
    {"Softplus", import_unary, nullptr},
    {"Split", import_split, nullptr},
    {"Squeeze", import_squeeze, fold_squeeze},
    {"Sub", import_sub, fold_arithmetic},
    {"Tanh", import_unary, nullptr},
    {"Transpose", import_transpose, fold_transpose},
    {"Unsqueeze", import_unsqueeze, fold_unsqueeze},
};

}  // namespace

const OpEntry* find_op(std::string_view name) noexcept {
  const auto found = std::find_if(std::begin(kOps), std::end(kOps),
                                  [&](const OpEntry& entry) { return entry.name == name; });
  return found == std::end(kOps) ? nullptr : found;
}

std::string supported_ops() {
  std::string text;
  for (const OpEntry& entry : kOps) {
    if (!text.empty()) text += ", ";
    text += entry.name;
  }
  return text;
}

}  // namespace octet::convert
