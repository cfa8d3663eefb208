// SPDX-License-Identifier: Apache-2.0
// Operators on codes: each becomes dequantize, the float operator and quantize, which lowering
// joins again into the one step that it was.
#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "engine/errors.h"
#include "tools/convert/onnx_ops.h"
#include "tools/convert/onnx_quantization.h"

namespace octet::convert {
namespace {

using engine::message;
using onnx::TensorProto;

// The activation in floats; its operands number scale and zero_point tell what its codes mean.
ValueId dequantized(const OnnxNode& node, GraphBuilder& builder, std::size_t input,
                    std::size_t scale, std::size_t zero_point, const char* role) {
  const ValueId x = node.activation(input, role);
  if (!builder.is_codes(x)) node.invalid(std::string("its ") + role + " is float");
  Node step;
  step.op = Op::dequantize;
  step.inputs = {x};
  step.encoding = read_encoding(node, scale, zero_point, type_of(builder, x));
  if (step.encoding.dtype != builder.graph.values[x].dtype) {
    node.invalid(std::string("its ") + role + " and the zero point of it have different types");
  }
  const Shape shape = builder.shape(x);
  return builder.emit_hidden(node, std::move(step), shape);
}

void quantize_output(const OnnxNode& node, GraphBuilder& builder, ValueId value,
                     const Encoding& encoding) {
  Node step;
  step.op = Op::quantize;
  step.inputs = {value};
  step.encoding = encoding;
  const Shape shape = builder.shape(value);
  builder.emit(node, std::move(step), shape);
}

// Each `block` codes so many times in a row.
std::vector<std::uint8_t> repeat_blocks(const std::vector<std::uint8_t>& codes, std::size_t block,
                                        std::size_t times) {
  std::vector<std::uint8_t> repeated(codes.size() * times);
  if (times == 0) return repeated;
  for (std::size_t first = 0; first < codes.size(); first += block) {
    std::uint8_t* const out = repeated.data() + first * times;
    std::copy_n(codes.data() + first, block, out);
    for (std::size_t done = block; done < block * times; done *= 2) {
      std::copy_n(out, std::min(done, block * times - done), out + done);
    }
  }
  return repeated;
}

// A constant as one sample of the activation's shape, as bytes.
std::vector<std::uint8_t> spread_codes(const OnnxNode& node, GraphBuilder& builder,
                                       const Constant& constant, const Shape& shape) {
  Dims dims = constant.dims;
  if (dims.size() == shape.size() && dims.front() == 1) dims.erase(dims.begin());
  const Dims sample(shape.begin() + 1, shape.end());
  bool fits = dims.size() <= sample.size();
  for (std::size_t i = 1; fits && i <= dims.size(); ++i) {
    const std::int64_t own = dims[dims.size() - i];
    fits = own == 1 || own == sample[sample.size() - i];
  }
  if (!fits || constant.size() == 0) {
    node.refuse("its constant '" + constant.name + "' " + to_text(constant.dims) +
                " is not one sample of its activation " + to_text(shape) +
                ", the same for all; reshape it");
  }
  builder.spend(node, count_elements(sample, node.where()));
  std::vector<std::uint8_t> codes(constant.size());
  for (std::size_t i = 0; i < codes.size(); ++i)
    codes[i] = static_cast<std::uint8_t>(constant.ints[i]);
  std::size_t block = 1;  // codes of one element of the axis, those after it spread
  for (std::size_t i = 1; i <= sample.size(); ++i) {
    const auto extent = static_cast<std::size_t>(sample[sample.size() - i]);
    if (i > dims.size() || dims[dims.size() - i] == 1) codes = repeat_blocks(codes, block, extent);
    block *= extent;
  }
  return codes;
}

float finite_alpha(const OnnxNode& node) {
  const float alpha = node.attribute("alpha", 1.0f);
  if (!(alpha > 0 && alpha <= std::numeric_limits<float>::max())) {
    node.refuse(message("alpha is ", alpha, "; octet takes positive factors"));
  }
  return alpha;
}

// QGemm's C: int32 at the scale of a times that of b.
void add_bias(const OnnxNode& node, const Constant& b, std::size_t m, float a_scale, float alpha,
              Node& linear) {
  if (!node.has(6)) return;
  const Constant& c = node.need_constant(6, "C");
  if (c.is_float || c.type != TensorProto::INT32) {
    node.invalid("its C '" + c.name + "' is " + element_type_name(c.type) + ", not int32");
  }
  check_bias_shape(node, c.dims, m);
  linear.bias_scale = b.quantized->scale;
  for (float& scale : linear.bias_scale) {
    scale = a_scale * scale_with_alpha(alpha, a_scale, scale);
  }
  for (std::size_t i = 0; i < m; ++i) {
    linear.bias_codes.push_back(static_cast<std::int32_t>(c.ints[c.size() == 1 ? 0 : i]));
    linear.bias.push_back(linear.bias_scale[linear.bias_scale.size() == 1 ? 0 : i] *
                          static_cast<float>(linear.bias_codes[i]));
  }
}

}  // namespace

void import_qlinear_matmul(const OnnxNode& node, GraphBuilder& builder) {
  if (node.constant(0) != nullptr || node.constant(3) == nullptr) {
    node.refuse("octet multiplies an activation a by a constant b only");
  }
  const Encoding y = read_encoding(node, 6, 7, TensorProto::UINT8);
  Constant b = node.need_constant(3, "b");
  builder.spend(node, b.size());  // for the copy
  drop_equal_matrices(node, builder.shape(node.activation(0, "a")), builder.exported_batch, b);
  attach_quantization(node, builder, read_quantization(node, 4, 5, b.type), 1, b);
  const ValueId x = dequantized(node, builder, 0, 1, 2, "a");
  quantize_output(node, builder, emit_linear(node, builder, x, b, true, {}, 1, 1), y);
}

void import_qgemm(const OnnxNode& node, GraphBuilder& builder) {
  refuse_trans_a(node);
  const bool transpose = node.attribute("transB", std::int64_t{0}) == 0;
  const float alpha = finite_alpha(node);
  Constant b = node.need_constant(3, "B");
  if (b.dims.size() != 2 || b.size() == 0) {
    node.invalid("its B has the shape " + to_text(b.dims) + ", not rank 2 with elements");
  }
  attach_quantization(node, builder, read_quantization(node, 4, 5, b.type), transpose ? 1 : 0, b);
  const Encoding a = read_encoding(node, 1, 2, TensorProto::UINT8);
  Node linear;
  add_bias(node, b, static_cast<std::size_t>(b.dims[transpose ? 1 : 0]), a.scale, alpha, linear);
  const ValueId x = dequantized(node, builder, 0, 1, 2, "A");
  const ValueId y = emit_linear(node, builder, x, b, transpose, std::move(linear), alpha, a.scale);
  if (node.has(7)) {
    quantize_output(node, builder, y, read_encoding(node, 7, 8, TensorProto::UINT8));
  } else {
    builder.alias(node, y);
  }
}

void import_qlinear_add(const OnnxNode& node, GraphBuilder& builder) {
  const bool first = node.constant(0) != nullptr;
  const bool constant = first || node.constant(3) != nullptr;
  const std::size_t at = first ? 3 : 0;  // the operands of the activation, or the first
  Node add;
  add.op = Op::add;
  const Encoding y = read_encoding(node, 6, 7, TensorProto::UINT8);
  add.inputs = {dequantized(node, builder, at, at + 1, at + 2, first ? "B" : "A")};
  const Shape shape = builder.shape(add.inputs[0]);
  if (!constant) {
    add.inputs.push_back(dequantized(node, builder, 3, 4, 5, "B"));
    if (builder.shape(add.inputs[1]) != shape) {
      node.refuse("it adds activations of shapes " + to_text(shape) + " and " +
                  to_text(builder.shape(add.inputs[1])) +
                  "; octet adds equal shapes only: expand the smaller one's layer");
    }
  } else {
    const std::size_t other = 3 - at;
    const Constant& operand = node.need_constant(other, "operand");
    if (operand.is_float || !codes_dtype(operand.type)) {
      node.invalid("its constant '" + operand.name + "' is " + element_type_name(operand.type) +
                   ", neither uint8 nor int8");
    }
    add.operand_encoding = read_encoding(node, other + 1, other + 2, operand.type);
    if (codes_dtype(operand.type) != add.operand_encoding.dtype) {
      node.invalid("a constant and its zero point have different types");
    }
    add.operand = spread_codes(node, builder, operand, shape);
    add.operand_first = first;
  }
  quantize_output(node, builder, builder.emit_hidden(node, std::move(add), shape), y);
}

}  // namespace octet::convert
