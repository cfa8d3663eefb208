// SPDX-License-Identifier: Apache-2.0
// Gemm and MatMul -> linear: the constant right operand becomes weight [m][k].
#include <cmath>
#include <utility>

#include "tools/convert/onnx_ops.h"
#include "tools/convert/onnx_quantization.h"

namespace octet::convert {
namespace {

// Products of finite numbers that left float's range.
void check_finite(const OnnxNode& node, const std::vector<float>& values, const char* role) {
  for (const float value : values) {
    if (!std::isfinite(value)) {
      node.invalid(std::string("its ") + role + " times alpha or beta leaves float's range");
    }
  }
}

float scaled(float factor, float value) {
  return static_cast<float>(static_cast<double>(factor) * static_cast<double>(value));
}

// factor * matrix as [m][k], from [k][m] if transpose.
std::vector<float> make_weight(const std::vector<float>& matrix, std::size_t m, std::size_t k,
                               bool transpose, float factor) {
  std::vector<float> weight(m * k);
  for (std::size_t row = 0; row < m; ++row) {
    for (std::size_t column = 0; column < k; ++column) {
      const float value = transpose ? matrix[column * m + row] : matrix[row * k + column];
      weight[row * k + column] = scaled(factor, value);
    }
  }
  return weight;
}

// Gemm's C as the bias of each of m outputs.
std::vector<float> make_bias(const OnnxNode& node, const Constant& c, std::size_t m, float beta) {
  check_bias_shape(node, c.dims, m);
  std::vector<float> bias(m);
  for (std::size_t i = 0; i < m; ++i) bias[i] = scaled(beta, c.floats[c.size() == 1 ? 0 : i]);
  return bias;
}

// The integers behind a dequantized bias, which floats may have rounded.
void attach_bias_codes(const Constant& c, std::size_t m, Node& linear) {
  if (c.quantized == nullptr || c.size() != m) return;
  linear.bias_codes = c.quantized->codes;
  linear.bias_scale = c.quantized->scale;
}

[[noreturn]] void refuse_left_constant(const OnnxNode& node) {
  node.refuse("its left operand '" + node.constant(0)->name +
              "' is a constant, so the batch would no longer be in front; export the layer as x "
              "times weights");
}

[[noreturn]] void refuse_two_activations(const OnnxNode& node) {
  node.refuse(
      "both operands are activations; octet multiplies an activation by constant weights only "
      "(attention comes with a later version)");
}

}  // namespace

void refuse_trans_a(const OnnxNode& node) {
  if (node.attribute("transA", std::int64_t{0}) == 0) return;
  node.refuse(
      "transA = 1 turns the batch from rows into columns; export the layer with one sample per row "
      "of A");
}

void check_bias_shape(const OnnxNode& node, const Dims& c, std::size_t m) {
  Dims dims = c;
  while (!dims.empty() && dims.front() == 1) dims.erase(dims.begin());
  if (c.size() > 2) node.invalid("its C has the shape " + to_text(c));
  if (dims.size() > 1) {
    node.refuse("its C of shape " + to_text(c) +
                " gives each sample of the batch its own bias; octet takes a scalar, [" +
                std::to_string(m) + "] or [1, " + std::to_string(m) + "]");
  }
  if (dims.size() == 1 && static_cast<std::size_t>(dims[0]) != m) {
    node.invalid("its C has the shape " + to_text(c) + ", the product has " + std::to_string(m) +
                 " columns");
  }
}

void import_gemm(const OnnxNode& node, GraphBuilder& builder) {
  if (node.constant(0) != nullptr) refuse_left_constant(node);
  const ValueId x = node.activation(0, "A");
  if (node.has(1) && node.constant(1) == nullptr) refuse_two_activations(node);
  const Constant& b = node.need_weights(1, "B");
  refuse_trans_a(node);
  const Shape& shape = builder.shape(x);
  if (shape.size() != 2) node.invalid("its A has the shape " + to_text(shape) + ", not rank 2");
  if (b.dims.size() != 2 || b.size() == 0) {
    node.invalid("its B has the shape " + to_text(b.dims) + ", not rank 2 with elements");
  }
  const bool trans_b = node.attribute("transB", std::int64_t{0}) != 0;
  const auto m = static_cast<std::size_t>(b.dims[trans_b ? 0 : 1]);
  const auto k = static_cast<std::size_t>(b.dims[trans_b ? 1 : 0]);
  if (static_cast<std::size_t>(shape[1]) != k) {
    node.invalid("its A has " + std::to_string(shape[1]) + " columns, its B '" + b.name + "' " +
                 to_text(b.dims) + " takes " + std::to_string(k));
  }
  const float beta = node.attribute("beta", 1.0f);
  Node linear;
  linear.op = Op::linear;
  linear.inputs = {x};
  builder.spend(node, b.size());
  const float alpha = node.attribute("alpha", 1.0f);
  linear.weight = make_weight(b.floats, m, k, !trans_b, alpha);
  check_finite(node, linear.weight, "B");
  attach_weight_codes(node, builder, b, m, k, !trans_b, alpha, linear);

  const Shape out{kBatch, static_cast<std::int64_t>(m)};
  if (!node.has(2) || node.constant(2) != nullptr) {
    if (node.has(2)) {
      const Constant& c = node.need_weights(2, "C");
      linear.bias = make_bias(node, c, m, beta);
      if (beta == 1.0f) attach_bias_codes(c, m, linear);
    }
    check_finite(node, linear.bias, "C");
    builder.emit(node, std::move(linear), out);
    return;
  }
  const ValueId c = node.activation(2, "C");
  if (beta != 1.0f || builder.shape(c) != out) {
    node.refuse("its C is an activation of shape " + to_text(builder.shape(c)) + " with beta " +
                std::to_string(beta) + "; octet adds an activation of the result's shape " +
                to_text(out) + " with beta 1");
  }
  Node add;
  add.op = Op::add;
  add.inputs = {builder.emit_hidden(node, std::move(linear), out), c};
  builder.emit(node, std::move(add), out);
}

void import_matmul(const OnnxNode& node, GraphBuilder& builder) {
  if (node.constant(0) != nullptr) refuse_left_constant(node);
  const ValueId x = node.activation(0, "left operand");
  if (node.has(1) && node.constant(1) == nullptr) refuse_two_activations(node);
  const Constant& b = node.need_weights(1, "right operand");
  const Shape& shape = builder.shape(x);
  if (shape.size() < 2) {
    node.refuse("its left operand has the shape " + to_text(shape) +
                ", the sum would run over the batch; octet needs rank 2 or more");
  }
  const std::size_t rank = b.dims.size();
  if (rank == 0 || b.size() == 0) {
    node.invalid("its right operand has the shape " + to_text(b.dims));
  }
  for (std::size_t i = 0; i + 2 < rank; ++i) {
    if (b.dims[i] != 1 || rank > shape.size()) {
      node.refuse("its right operand '" + b.name + "' has the shape " + to_text(b.dims) +
                  "; octet multiplies by one matrix: [K, N], or [1, ..., K, N] of at most the left "
                  "operand's rank");
    }
  }
  const auto m = static_cast<std::size_t>(rank == 1 ? 1 : b.dims[rank - 1]);
  const auto k = static_cast<std::size_t>(b.dims[rank == 1 ? 0 : rank - 2]);
  if (static_cast<std::size_t>(shape.back()) != k) {
    node.invalid("its left operand has " + std::to_string(shape.back()) +
                 " columns, its right operand '" + b.name + "' " + to_text(b.dims) + " takes " +
                 std::to_string(k));
  }
  Node linear;
  linear.op = Op::linear;
  linear.inputs = {x};
  builder.spend(node, b.size());
  linear.weight = make_weight(b.floats, m, k, true, 1.0f);
  attach_weight_codes(node, builder, b, m, k, true, 1.0f, linear);
  Shape out = shape;
  out.back() = static_cast<std::int64_t>(m);
  if (rank > 1) {
    builder.emit(node, std::move(linear), out);
    return;
  }
  Node reshape;  // a vector on the right removes the last dimension
  reshape.op = Op::reshape;
  reshape.inputs = {builder.emit_hidden(node, std::move(linear), out)};
  out.pop_back();
  builder.emit(node, std::move(reshape), out);
}

}  // namespace octet::convert
