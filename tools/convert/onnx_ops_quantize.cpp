// SPDX-License-Identifier: Apache-2.0
// QuantizeLinear and DequantizeLinear, of activations and of constants.
#include <algorithm>
#include <utility>

#include "engine/errors.h"
#include "tools/convert/codes.h"
#include "tools/convert/onnx_ops.h"
#include "tools/convert/onnx_quantization.h"

namespace octet::convert {
namespace {

using engine::message;
using onnx::TensorProto;

// An activation that has a scale per channel is parted into that many.
constexpr std::size_t kMaxParts = 4096;

void refuse_blocks(const OnnxNode& node) {
  if (node.attribute("block_size", std::int64_t{0}) != 0) {
    node.refuse("it quantizes in blocks; octet takes a scale per tensor or per channel");
  }
}

// The element type of QuantizeLinear's result where no zero point tells it.
std::int32_t output_type(const OnnxNode& node) {
  const std::int64_t type = node.attribute("output_dtype", std::int64_t{0});
  return type == 0 ? TensorProto::UINT8 : static_cast<std::int32_t>(type);
}

// What says that no observer ever saw this tensor.
void note_defaults(const OnnxNode& node, GraphBuilder& builder, const Encoding& encoding) {
  if (encoding.scale != 1 || encoding.zero_point != 0) return;
  builder.graph.notes.push_back(
      node.where() +
      ": has scale 1 and zero point 0, what an observer gives that never saw data; "
      "run calibration data through the prepared network before converting it");
}

Node make_step(Op op, ValueId x, const Encoding& encoding) {
  Node step;
  step.op = op;
  step.inputs = {x};
  step.encoding = encoding;
  return step;
}

// A scale per channel of an activation: each channel on its own, then joined again.
void emit_per_channel(const OnnxNode& node, GraphBuilder& builder, Op op, ValueId x,
                      const Quantization& quantization) {
  const Shape shape = builder.shape(x);
  const std::size_t axis = channel_axis(node, quantization, shape);
  const std::size_t channels = quantization.scale.size();
  if (axis == 0 || channels > kMaxParts) {
    node.refuse(message("it has ", channels, " scales along axis ", axis, " of an activation ",
                        to_text(shape), "; octet takes up to ", kMaxParts,
                        " along another axis than the batch: quantize activations per tensor"));
  }
  Shape part_shape = shape;
  part_shape[axis] = 1;
  Node concat;
  concat.op = Op::concat;
  concat.axis = axis;
  for (std::size_t i = 0; i < channels; ++i) {
    Node slice;
    slice.op = Op::slice;
    slice.inputs = {x};
    slice.axis = axis;
    slice.start = i;
    const ValueId part = builder.emit_hidden(node, std::move(slice), part_shape);
    Node step = make_step(op, part, encoding_of(node, quantization, i));
    concat.inputs.push_back(builder.emit_hidden(node, std::move(step), part_shape));
  }
  builder.emit(node, std::move(concat), shape);
}

void import_step(const OnnxNode& node, GraphBuilder& builder, Op op, ValueId x,
                 const Quantization& quantization) {
  if (!quantization.is_per_tensor()) {
    emit_per_channel(node, builder, op, x, quantization);
    return;
  }
  const Encoding encoding = encoding_of(node, quantization, 0);
  if (op == Op::quantize) note_defaults(node, builder, encoding);
  builder.emit(node, make_step(op, x, encoding), builder.shape(x));
}

}  // namespace

void import_quantize_linear(const OnnxNode& node, GraphBuilder& builder) {
  refuse_blocks(node);
  const ValueId x = node.activation(0, "x");
  if (builder.is_codes(x)) node.invalid("its x holds codes already");
  import_step(node, builder, Op::quantize, x, read_quantization(node, 1, 2, output_type(node)));
}

void import_dequantize_linear(const OnnxNode& node, GraphBuilder& builder) {
  refuse_blocks(node);
  const ValueId x = node.activation(0, "x");
  if (!builder.is_codes(x)) node.invalid("its x is float already");
  const bool is_u8 = builder.graph.values[x].dtype == engine::DType::u8;
  const std::int32_t type = is_u8 ? TensorProto::UINT8 : TensorProto::INT8;
  const Quantization quantization = read_quantization(node, 1, 2, type);
  if (quantization.type != type) {
    node.invalid("its x is " + element_type_name(type) + ", its zero point " +
                 element_type_name(quantization.type));
  }
  import_step(node, builder, Op::dequantize, x, quantization);
}

void fold_quantize_linear(const OnnxNode& node, GraphBuilder& builder) {
  refuse_blocks(node);
  const Constant& x = node.need_weights(0, "x");
  const Quantization quantization = read_quantization(node, 1, 2, output_type(node));
  const std::size_t axis = channel_axis(node, quantization, x.dims);
  Constant result;
  result.is_float = false;
  result.type = quantization.type;
  result.dims = x.dims;
  builder.spend(node, x.size());
  const std::size_t run = quantization.is_per_tensor() ? x.size() : elements_behind(x.dims, axis);
  std::vector<std::uint8_t> codes(run);
  for (std::size_t begin = 0; begin < x.size(); begin += run) {
    const std::size_t channel = begin / run % quantization.scale.size();
    const Encoding encoding = encoding_of(node, quantization, channel);
    kernels::reference::quantize(x.floats.data() + begin, run, quantize_params(encoding),
                                 codes.data());
    for (const std::uint8_t code : codes) result.ints.push_back(code_of(code, encoding.dtype));
  }
  builder.define(node, std::move(result));
}

void fold_dequantize_linear(const OnnxNode& node, GraphBuilder& builder) {
  refuse_blocks(node);
  const Constant& x = node.need_constant(0, "x");
  if (x.is_float || (!codes_dtype(x.type) && x.type != TensorProto::INT32)) {
    node.refuse("its x '" + x.name + "' is " + element_type_name(x.type) +
                "; octet dequantizes uint8, int8 and int32");
  }
  const Quantization quantization = read_quantization(node, 1, 2, x.type);
  if (quantization.type != x.type) {
    node.invalid("its x is " + element_type_name(x.type) + ", its zero point " +
                 element_type_name(quantization.type));
  }
  if (x.type == TensorProto::INT32 &&
      std::ranges::any_of(quantization.zero_point, [](std::int32_t zero) { return zero != 0; })) {
    node.invalid("its x is int32, whose zero point must be 0");
  }
  if (std::ranges::find(x.ints, kBatchSize) != x.ints.end()) {
    node.refuse(
        "it computes with the size of the batch, which is known only when the network runs; export "
        "the scale as a constant");
  }
  const std::size_t axis = channel_axis(node, quantization, x.dims);
  builder.spend(node, x.size());
  Constant result;
  result.type = TensorProto::FLOAT;
  result.dims = x.dims;
  result.quantized = subtract_zero_points(x, quantization, axis);
  const std::size_t inner = elements_behind(x.dims, axis);
  for (std::size_t i = 0; i < x.size(); ++i) {
    const float scale = quantization.scale[i / inner % quantization.scale.size()];
    result.floats.push_back(scale * static_cast<float>(result.quantized->codes[i]));
  }
  builder.define(node, std::move(result));
}

}  // namespace octet::convert
