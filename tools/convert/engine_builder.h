// SPDX-License-Identifier: Apache-2.0
// The engine's graph while it is lowered to: tensors, constants with their bytes, nodes. Internal
// to quantize() and lower_quantized().
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "tools/convert/graph.h"
#include "tools/convert/quantize.h"

namespace octet::convert {

// The engine's op of the same name, for those that have only one form.
engine::OpType same_op(Op op) noexcept;

class EngineBuilder {
 public:
  using Tensor = std::uint32_t;  // an index into the engine graph's tensors

  // A tensor of 8 bits and what its bytes mean.
  struct Codes {
    Tensor tensor;
    Encoding encoding;
  };

  QuantizedGraph out;

  Tensor add_codes(const std::string& name, const Shape& shape, const Encoding& encoding);
  Tensor add_reals(const std::string& name, const Shape& shape);
  Tensor add_sums(const std::string& name, const Shape& shape);
  Tensor add_constant(const std::string& name, engine::DType dtype, const void* data,
                      std::size_t elements, std::vector<std::int64_t> shape);
  // With the float node's clip, axis, start, inner and perm where there is one.
  engine::Node& add_node(const std::string& name, engine::OpType op, std::vector<Tensor> inputs,
                         Tensor output, const Node* like = nullptr);
  // node, a linear of m outputs and k inputs, in floats.
  void add_float_linear(const Node& node, Tensor x, std::size_t m, std::size_t k, Tensor y);
  // Constants of a linear or dynamic_linear: weights [m][k], their scales, and m biases of s32 or
  // f32. Gives what the node reads, x first.
  std::vector<Tensor> add_int8_weights(const std::string& name, Tensor x,
                                       const std::vector<std::int8_t>& weight,
                                       const std::vector<float>& scale, engine::DType bias_dtype,
                                       const void* bias);
  // node, a linear, of floats x that are quantized as they come, with a range for each index of the
  // dimensions before axis.
  void add_dynamic_linear(const Node& node, Tensor x, std::size_t axis,
                          const std::vector<std::int8_t>& weight,
                          const std::vector<float>& weight_scale, Tensor y);
  // y = table[x], one entry for each code of x from the lowest on, in y's codes.
  void add_lookup(const std::string& name, Tensor x, const std::array<std::uint8_t, 256>& table,
                  Tensor y);
  // y = scale * q + offset in floats, of pixels x of that encoding; value: their name.
  void add_pixel_reals(const std::string& value, Tensor x, const Encoding& encoding, Tensor y);
  // y = scale * x + shift in floats, one entry for each channel.
  void add_affine(const std::string& name, Tensor x, const std::vector<float>& scale,
                  const std::vector<float>& shift, Tensor y, const Node* like = nullptr);
};

}  // namespace octet::convert
