// SPDX-License-Identifier: Apache-2.0
// Scales and zero points as ONNX's quantized operators give them, and tensors of integers.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "tools/convert/onnx_builder.h"
#include "tools/convert/onnx_node.h"

namespace octet::convert {

// What ONNX calls the element types that octet's kernels take; nothing for others.
std::optional<engine::DType> codes_dtype(std::int32_t type) noexcept;

// real = scale * (q - zero_point), one entry or one per channel; both vectors have the same size.
struct Quantization {
  std::int32_t type = 0;  // TensorProto's, of q
  std::vector<float> scale;
  std::vector<std::int32_t> zero_point;

  bool is_per_tensor() const noexcept { return scale.size() == 1; }
};

// The operands number scale and zero_point; an absent zero point is 0, of type otherwise. Refused:
// a scale that is not a positive, normal number, or an element type that octet does not have; each
// with what to do about it. Throws octet::Error (format) where the two do not fit together.
Quantization read_quantization(const OnnxNode& node, std::size_t scale, std::size_t zero_point,
                               std::int32_t otherwise);

// The entries of a scale, and of a zero point of at most one dimension; refused and thrown as by
// read_quantization().
std::vector<float> read_scales(const OnnxNode& node, const Constant& scale);
std::vector<std::int32_t> read_zero_points(const OnnxNode& node, const Constant& zeros);

// Entry i as the encoding of an activation; refused unless it is of 8 bits.
Encoding encoding_of(const OnnxNode& node, const Quantization& quantization, std::size_t i);

// Of an activation: refused unless per tensor and of 8 bits.
Encoding read_encoding(const OnnxNode& node, std::size_t scale, std::size_t zero_point,
                       std::int32_t otherwise);

// The axis that entries of a per-channel quantization belong to: resolved, and as long as they are
// many. 0 per tensor.
std::size_t channel_axis(const OnnxNode& node, const Quantization& quantization, const Dims& dims);

// A constant's integers less their zero points, with their scales.
std::shared_ptr<const QuantizedConstant> subtract_zero_points(const Constant& integers,
                                                              const Quantization& quantization,
                                                              std::size_t axis);

// Gives b, a constant of integers, what DequantizeLinear would: its scales run along axis. Throws
// octet::Error (format) where the two do not fit together.
void attach_quantization(const OnnxNode& node, GraphBuilder& builder,
                         const Quantization& quantization, std::size_t axis, Constant& b);

// Gives linear the integers behind its weights, where there are any; b holds them as [.., k, m] if
// transpose, else [m, k]; their scales are multiplied by factor. Scales that run along k cannot be
// kept: then the layer computes in float, and a note says so.
void attach_weight_codes(const OnnxNode& node, GraphBuilder& builder, const Constant& b,
                         std::size_t m, std::size_t k, bool transpose, float factor, Node& linear);

// TensorProto's type of an activation of codes.
std::int32_t type_of(const GraphBuilder& builder, ValueId value);

// Matrices in front of the last two dimensions that are all the same count as one, where the
// activation has as many: x is its shape, whose batch was exported as `batch`. Refused otherwise.
void drop_equal_matrices(const OnnxNode& node, const Shape& x, std::int64_t batch, Constant& b);

// ONNX Runtime scales sums by (alpha * a) * b, the engine by a * weight_scale: a weight_scale near
// alpha * b that gives the same float, where there is one.
float scale_with_alpha(float alpha, float a, float b);

// Adds linear, of x times b, which holds [k][m] if transpose, else [m][k], in codes of 8 bits.
// a: the scale of x.
ValueId emit_linear(const OnnxNode& node, GraphBuilder& builder, ValueId x, const Constant& b,
                    bool transpose, Node linear, float alpha, float a);

}  // namespace octet::convert
