// SPDX-License-Identifier: Apache-2.0
// Reads scales and zero points, and says what a bad one means.
#include "tools/convert/onnx_quantization.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "engine/errors.h"

namespace octet::convert {
namespace {

using engine::message;
using onnx::TensorProto;

// Why a scale cannot be one; null if it can.
const char* fault_of(float scale) {
  if (std::isnan(scale)) return "the calibration data held NaN; calibrate with other data";
  if (std::isinf(scale)) return "an observer never saw data; calibrate again";
  if (scale == 0) return "an observer saw zeros only; calibrate with data like those to come";
  if (scale < 0) return "a scale is positive; export the model again";
  if (scale < std::numeric_limits<float>::min()) {
    return "a denormal number, an observer saw zeros only; calibrate with data like those to come";
  }
  return nullptr;
}

}  // namespace

std::optional<engine::DType> codes_dtype(std::int32_t type) noexcept {
  if (type == TensorProto::UINT8) return engine::DType::u8;
  if (type == TensorProto::INT8) return engine::DType::s8;
  return std::nullopt;
}

std::vector<float> read_scales(const OnnxNode& node, const Constant& scale) {
  if (!scale.is_float || scale.dims.size() > 1 || scale.size() == 0) {
    node.invalid("its scale '" + scale.name + "' " + to_text(scale.dims) +
                 " is neither a float nor a list of floats");
  }
  for (std::size_t i = 0; i < scale.size(); ++i) {
    const char* fault = fault_of(scale.floats[i]);
    if (fault == nullptr) continue;
    node.refuse(message("its scale '", scale.name, "', entry ", i, " of ", scale.size(), ", is ",
                        scale.floats[i], ": ", fault));
  }
  return scale.floats;
}

std::vector<std::int32_t> read_zero_points(const OnnxNode& node, const Constant& zeros) {
  if (zeros.is_float || zeros.type == TensorProto::INT16 || zeros.type == TensorProto::UINT16) {
    node.refuse("it quantizes to " + element_type_name(zeros.type) +
                ", octet computes with 8 bits: quantize to uint8 or int8");
  }
  std::vector<std::int32_t> result;
  // Constants lie within their type.
  for (const std::int64_t zero : zeros.ints) result.push_back(static_cast<std::int32_t>(zero));
  return result;
}

Quantization read_quantization(const OnnxNode& node, std::size_t scale, std::size_t zero_point,
                               std::int32_t otherwise) {
  const Constant& scales = node.need_constant(scale, "scale");
  Quantization result{otherwise, read_scales(node, scales),
                      std::vector<std::int32_t>(scales.size())};
  if (!node.has(zero_point)) return result;
  const Constant& zeros = node.need_constant(zero_point, "zero point");
  result.type = zeros.type;
  result.zero_point = read_zero_points(node, zeros);
  if (zeros.size() != scales.size()) {
    node.invalid(
        message("its scale has ", scales.size(), " entries, its zero point ", zeros.size()));
  }
  return result;
}

void attach_quantization(const OnnxNode& node, GraphBuilder& builder,
                         const Quantization& quantization, std::size_t axis, Constant& b) {
  if (b.is_float || !codes_dtype(b.type)) {
    node.invalid("its b is " + element_type_name(b.type) + ", neither uint8 nor int8");
  }
  if (quantization.type != b.type) {
    node.invalid("its b and the zero point of it have different types");
  }
  if (!quantization.is_per_tensor() &&
      b.dims[axis] != static_cast<std::int64_t>(quantization.scale.size())) {
    node.invalid(message("its b ", to_text(b.dims), " has ", quantization.scale.size(),
                         " scales or zero points along axis ", axis));
  }
  builder.spend(node, b.size());
  b.quantized = subtract_zero_points(b, quantization, axis);
}

Encoding encoding_of(const OnnxNode& node, const Quantization& quantization, std::size_t i) {
  const auto dtype = codes_dtype(quantization.type);
  if (!dtype) {
    node.refuse("it quantizes to " + element_type_name(quantization.type) +
                ", octet computes with 8 bits: quantize to uint8 or int8");
  }
  return {*dtype, quantization.scale[i], quantization.zero_point[i], 0};
}

Encoding read_encoding(const OnnxNode& node, std::size_t scale, std::size_t zero_point,
                       std::int32_t otherwise) {
  const Quantization quantization = read_quantization(node, scale, zero_point, otherwise);
  if (!quantization.is_per_tensor()) {
    node.refuse(message("an activation has ", quantization.scale.size(),
                        " scales; octet computes with one scale per activation"));
  }
  return encoding_of(node, quantization, 0);
}

std::size_t channel_axis(const OnnxNode& node, const Quantization& quantization, const Dims& dims) {
  if (quantization.is_per_tensor()) return 0;
  const std::size_t axis = node.resolve_axis(node.attribute("axis", std::int64_t{1}), dims.size());
  if (dims[axis] != static_cast<std::int64_t>(quantization.scale.size())) {
    node.invalid(message("it has ", quantization.scale.size(), " scales along axis ", axis, " of ",
                         to_text(dims), ", a wrong axis"));
  }
  return axis;
}

std::shared_ptr<const QuantizedConstant> subtract_zero_points(const Constant& integers,
                                                              const Quantization& quantization,
                                                              std::size_t axis) {
  auto result = std::make_shared<QuantizedConstant>();
  result->scale = quantization.scale;
  result->axis = axis;
  const std::size_t inner = elements_behind(integers.dims, axis);
  for (std::size_t i = 0; i < integers.size(); ++i) {
    const std::size_t channel = i / inner % quantization.scale.size();
    result->codes.push_back(
        static_cast<std::int32_t>(integers.ints[i] - quantization.zero_point[channel]));
  }
  return result;
}

void attach_weight_codes(const OnnxNode& node, GraphBuilder& builder, const Constant& b,
                         std::size_t m, std::size_t k, bool transpose, float factor, Node& linear) {
  if (b.quantized == nullptr || factor == 0) return;
  const QuantizedConstant& quantized = *b.quantized;
  if (std::ranges::any_of(quantized.codes,
                          [](std::int32_t code) { return code < -255 || code > 255; })) {
    return;  // of int32
  }
  const bool is_vector = b.dims.size() == 1;  // of one output
  const std::size_t along_m = is_vector ? 0 : b.dims.size() - (transpose ? 1 : 2);
  if (quantized.scale.size() != 1 && (is_vector || quantized.axis != along_m)) {
    builder.graph.notes.push_back(
        message(node.where(), ": the ", quantized.scale.size(), " scales of its weights '", b.name,
                "' ", to_text(b.dims), " run along axis ", quantized.axis,
                ", not along its outputs (a wrong axis?): it computes in float"));
    return;
  }
  const std::int32_t sign = factor < 0 ? -1 : 1;
  linear.weight_codes.resize(m * k);
  for (std::size_t row = 0; row < m; ++row) {
    for (std::size_t column = 0; column < k; ++column) {
      linear.weight_codes[row * k + column] = static_cast<std::int16_t>(
          sign * quantized.codes[transpose ? column * m + row : row * k + column]);
    }
  }
  linear.weight_scale = quantized.scale;
  for (float& scale : linear.weight_scale) scale *= std::abs(factor);
}

std::int32_t type_of(const GraphBuilder& builder, ValueId value) {
  return builder.graph.values[value].dtype == engine::DType::u8 ? TensorProto::UINT8
                                                                : TensorProto::INT8;
}

void drop_equal_matrices(const OnnxNode& node, const Shape& x, std::int64_t batch, Constant& b) {
  const std::size_t rank = b.dims.size();
  if (rank < 2 || b.size() == 0 || b.is_float) {
    node.refuse("its b has the shape " + to_text(b.dims) +
                "; octet takes a matrix of integers [K, N]");
  }
  const std::size_t first = x.size() - std::min(rank, x.size());  // of x's dimensions that b meets
  for (std::size_t i = 0; i + 2 < rank; ++i) {
    const std::size_t axis = first + i;
    const bool fits =
        rank <= x.size() && (b.dims[i] == 1 || b.dims[i] == (axis == 0 ? batch : x[axis]));
    if (fits) continue;
    node.refuse("its b " + to_text(b.dims) + " would repeat the activation " + to_text(x) +
                "; octet multiplies by one matrix [K, N]");
  }
  const std::size_t matrix = static_cast<std::size_t>(b.dims[rank - 1] * b.dims[rank - 2]);
  for (std::size_t i = matrix; i < b.size(); ++i) {
    if (b.ints[i] != b.ints[i - matrix]) {
      node.refuse("its b " + to_text(b.dims) +
                  " holds different matrices; octet multiplies by one matrix [K, N]");
    }
  }
  b.ints.resize(matrix);
  b.dims.erase(b.dims.begin(), b.dims.end() - 2);
}

float scale_with_alpha(float alpha, float a, float b) {
  const float wanted = alpha * a * b;
  const float scale = alpha * b;
  for (const float near : {scale, std::nextafter(scale, 0.0f), std::nextafter(scale, 2 * scale)}) {
    if (a * near == wanted) return near;
  }
  return scale;
}

ValueId emit_linear(const OnnxNode& node, GraphBuilder& builder, ValueId x, const Constant& b,
                    bool transpose, Node linear, float alpha, float a) {
  const auto m = static_cast<std::size_t>(b.dims[transpose ? 1 : 0]);
  const auto k = static_cast<std::size_t>(b.dims[transpose ? 0 : 1]);
  Shape shape = builder.shape(x);
  if (shape.size() < 2 || static_cast<std::size_t>(shape.back()) != k) {
    node.invalid(message("its a is ", to_text(shape), ", its b takes ", k, " columns"));
  }
  linear.op = Op::linear;
  linear.inputs = {x};
  attach_weight_codes(node, builder, b, m, k, transpose, 1, linear);
  if (linear.weight_codes.empty()) node.invalid("its b holds no codes of 8 bits");
  for (float& scale : linear.weight_scale) {
    scale = scale_with_alpha(alpha, a, scale);
    if (!(scale >= std::numeric_limits<float>::min() &&
          scale <= std::numeric_limits<float>::max())) {
      node.refuse(message("its alpha ", alpha, " brings a scale of its weights to ", scale,
                          ", not a normal number; export it with alpha 1"));
    }
  }
  for (std::size_t row = 0; row < m; ++row) {
    const float scale = linear.weight_scale[linear.weight_scale.size() == 1 ? 0 : row];
    for (std::size_t i = row * k; i < (row + 1) * k; ++i) {
      linear.weight.push_back(scale * static_cast<float>(linear.weight_codes[i]));
    }
  }
  shape.back() = static_cast<std::int64_t>(m);
  return builder.emit_hidden(node, std::move(linear), std::move(shape));
}

}  // namespace octet::convert
