// SPDX-License-Identifier: Apache-2.0
// Operators whose scales are found as the network runs, and products of bare integers.
#include <algorithm>
#include <utility>

#include "engine/errors.h"
#include "tools/convert/onnx_ops.h"
#include "tools/convert/onnx_quantization.h"

namespace octet::convert {
namespace {

using engine::message;
using onnx::TensorProto;

// ONNX takes the range of the whole tensor, the batch with it; octet that of each sample.
void check_batch(const OnnxNode& node, GraphBuilder& builder) {
  const std::int64_t batch = builder.exported_batch;
  if (batch > 1) {
    node.refuse(message("it quantizes by the range of all ", batch,
                        " samples of the batch that the network was exported with, octet by that "
                        "of each sample; export it with a batch of 1, or a dynamic one"));
  }
  if (batch == 1) return;
  builder.graph.notes.push_back(
      node.where() +
      ": each sample is quantized by its own range, ONNX takes one range for the whole batch: the "
      "results are ONNX's at batch 1");
}

// Bare integers, scale 1, with the zero points of operand zero_point where it is given.
Quantization integers(const OnnxNode& node, std::size_t zero_point, std::int32_t type) {
  Quantization result{type, {1.0f}, {0}};
  if (!node.has(zero_point)) return result;
  const Constant& zeros = node.need_constant(zero_point, "zero point");
  if (zeros.dims.size() > 1 || zeros.size() == 0) {
    node.refuse("its zero point '" + zeros.name + "' has the shape " + to_text(zeros.dims) +
                "; octet takes one, or one per column of b");
  }
  if (zeros.is_float || zeros.type != type) {
    node.invalid("its operand is " + element_type_name(type) + ", the zero point of it " +
                 element_type_name(zeros.type));
  }
  result.zero_point = read_zero_points(node, zeros);
  result.scale.assign(zeros.size(), 1.0f);
  return result;
}

// b's scales, operand 2, and zero points, operand 3: each one, or one per column.
Quantization scaled_integers(const OnnxNode& node, std::int32_t type) {
  Constant scale = node.need_weights(2, "b_scale");
  if (scale.dims.size() == 2 && scale.dims[0] == 1) scale.dims.erase(scale.dims.begin());
  Quantization result = integers(node, 3, type);
  result.scale = read_scales(node, scale);
  const std::size_t columns = std::max(result.scale.size(), result.zero_point.size());
  if (result.scale.size() == 1) result.scale.resize(columns, result.scale[0]);
  if (result.zero_point.size() == 1) result.zero_point.resize(columns, result.zero_point[0]);
  if (result.scale.size() != result.zero_point.size()) {
    node.invalid(message("b has ", result.scale.size(), " scales and ", result.zero_point.size(),
                         " zero points"));
  }
  return result;
}

// Operand 1, b of [K, N], for an activation x.
Constant integer_matrix(const OnnxNode& node, GraphBuilder& builder, ValueId x) {
  Constant b = node.need_constant(1, "b");
  builder.spend(node, b.size());  // for the copy
  drop_equal_matrices(node, builder.shape(x), builder.exported_batch, b);
  return b;
}

}  // namespace

void import_dynamic_quantize_linear(const OnnxNode& node, GraphBuilder& builder) {
  const ValueId x = node.activation(0, "x");
  check_batch(node, builder);
  const Shape shape = builder.shape(x);
  constexpr Op kResults[] = {Op::dynamic_quantize, Op::dynamic_scale, Op::dynamic_zero_point};
  for (int i = 0; i < 3 && i < node.proto().output_size(); ++i) {
    if (node.proto().output(i).empty()) continue;
    Node step;
    step.op = kResults[i];
    step.inputs = {x};
    builder.emit(node, std::move(step), i == 0 ? shape : Shape{kBatch}, i);
  }
}

void import_matmul_integer(const OnnxNode& node, GraphBuilder& builder) {
  const ValueId a = node.activation(0, "A");
  if (!builder.is_codes(a)) node.invalid("its A is no tensor of uint8 or int8");
  Constant b = integer_matrix(node, builder, a);
  attach_quantization(node, builder, integers(node, 3, b.type), 1, b);
  const Quantization quantization = integers(node, 2, type_of(builder, a));
  if (!quantization.is_per_tensor()) {
    node.refuse("A has a zero point for each row; octet takes one for all");
  }
  Node dequantize;
  dequantize.op = Op::dequantize;
  dequantize.inputs = {a};
  dequantize.encoding = encoding_of(node, quantization, 0);
  const Shape shape = builder.shape(a);
  const ValueId x = builder.emit_hidden(node, std::move(dequantize), shape);
  Node linear;
  linear.bare_integers = true;
  Node sums;
  sums.op = Op::sums;
  sums.inputs = {emit_linear(node, builder, x, b, true, std::move(linear), 1, 1)};
  const Shape output = builder.shape(sums.inputs[0]);
  builder.emit(node, std::move(sums), output);
}

void import_dynamic_quantize_matmul(const OnnxNode& node, GraphBuilder& builder) {
  const ValueId x = node.activation(0, "A");
  check_batch(node, builder);
  Constant b = integer_matrix(node, builder, x);
  attach_quantization(node, builder, scaled_integers(node, b.type), 1, b);
  Node linear;
  linear.dynamic = true;
  linear.axis = 1;
  if (node.has(4)) {
    const Constant& bias = node.need_weights(4, "bias");
    check_bias_shape(node, bias.dims, static_cast<std::size_t>(b.dims[1]));
    for (std::int64_t i = 0; i < b.dims[1]; ++i) {
      linear.bias.push_back(bias.floats[bias.size() == 1 ? 0 : static_cast<std::size_t>(i)]);
    }
  }
  builder.alias(node, emit_linear(node, builder, x, b, true, std::move(linear), 1, 1));
}

}  // namespace octet::convert
