// SPDX-License-Identifier: Apache-2.0
// The converter's float graph: what the importer makes of an ONNX file, what the simplifier
// reduces, what the float executor runs and what the quantizer reads. Shapes have a symbolic batch
// in front.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include "engine/graph.h"

namespace octet::convert {

inline constexpr std::int64_t kBatch = -1;
using Shape = std::vector<std::int64_t>;  // activations: shape[0] == kBatch
using ValueId = std::uint32_t;
inline constexpr ValueId kNoValue = 0xffffffff;

// What the codes of an 8-bit tensor mean: real = scale * (q - zero_point) + offset. The offset is
// that of raw pixels and of views of them, else 0.
struct Encoding {
  engine::DType dtype = engine::DType::u8;
  float scale = 1;
  std::int32_t zero_point = 0;
  double offset = 0;

  bool operator==(const Encoding&) const = default;
};

// Float ops, canonical: the importer maps ONNX's many spellings to these. clip, reshape, transpose,
// concat and slice also run on codes, which they move without knowing what they mean.
enum class Op : std::uint8_t {
  linear,   // y[..., m] = bias[m] + sum over k of x[..., k] * weight[m][k]; clip. bias may be empty
            // (zeros)
  affine,   // element i of a sample: x * scale[c] + shift[c], c = (i / inner) % scale.size()
  add,      // two activations of one shape; clip
  clip,     // Relu is [0, inf]
  reshape,  // also Flatten, Squeeze, Unsqueeze
  transpose,    // perm of all dimensions, perm[0] == 0
  concat,       // axis >= 1
  slice,        // axis >= 1, [start, start + output extent); Split becomes one slice per output
  softmax,      // axis >= 1
  log_softmax,  // axis >= 1
  unary,        // function(x), see Unary
  quantize,     // f32 -> codes
  dequantize,   // codes -> f32
  sums,         // the sums of the linear of bare integers that makes its input -> s32
  // ONNX's DynamicQuantizeLinear of each sample
  dynamic_quantize,    // f32 -> codes
  dynamic_scale,       // f32 -> f32 [N]
  dynamic_zero_point,  // f32 -> u8 [N]
};

enum class Unary : std::uint8_t { sigmoid, tanh, leaky_relu, elu, hard_sigmoid, softplus };

struct Value {
  std::string name;  // the ONNX tensor's name
  Shape shape;
  engine::DType dtype = engine::DType::f32;  // or u8, s8: codes; or s32: sums
};

struct Node {
  std::string name;  // the ONNX node's name, or its output's if it has none
  Op op = Op::linear;
  std::vector<ValueId> inputs;
  ValueId output = kNoValue;

  std::vector<float> weight;  // linear: [m][k]
  std::vector<float> bias;    // linear: [m] or empty
  std::vector<float> scale;   // affine: [c]
  std::vector<float> shift;   // affine: [c]
  std::size_t inner = 1;      // affine
  // linear, add, clip; of codes: in codes
  float clip_min = -std::numeric_limits<float>::infinity();
  float clip_max = std::numeric_limits<float>::infinity();
  std::size_t axis = 0;   // concat, slice, softmax, log_softmax, dynamic linear
  std::size_t start = 0;  // slice
  std::vector<std::size_t> perm;
  Unary function = Unary::sigmoid;
  float alpha = 0;  // leaky_relu, elu, hard_sigmoid
  float beta = 0;   // hard_sigmoid

  // What a quantized graph holds in integers.
  Encoding encoding;                       // quantize: of the output; dequantize: of the input
  std::vector<std::int16_t> weight_codes;  // linear: q - zero_point of weight, [m][k], or empty
  std::vector<float> weight_scale;         // linear: [m] or [1]
  std::vector<std::int32_t> bias_codes;    // linear: q - zero_point of bias, or empty
  std::vector<float> bias_scale;           // linear: [m] or [1]
  // linear: x is quantized as it comes, by the range of all elements that differ in the dimensions
  // from axis on only.
  bool dynamic = false;
  // linear: of bare integers, whose bias could only be one: nothing is folded into it.
  bool bare_integers = false;
  // add of one input: a sample of codes, the other operand, in front of it or behind.
  std::vector<std::uint8_t> operand;
  Encoding operand_encoding;
  bool operand_first = false;
};

struct Graph {
  std::string source;  // the file, for messages
  std::string source_sha256;
  std::int64_t opset = 0;
  std::string producer;
  std::vector<Value> values;
  std::vector<Node> nodes;  // topological order
  std::vector<ValueId> inputs;
  std::vector<ValueId> outputs;
  std::vector<std::string> notes;  // what a user should know of the import, e.g. rounded weights
};

std::string_view op_name(const Node& node) noexcept;  // "linear", "sigmoid", ...

// Elements of one sample: the product of shape[1..].
std::size_t sample_elements(const Shape& shape) noexcept;

// The product of the dimensions behind axis.
std::size_t elements_behind(const Shape& shape, std::size_t axis) noexcept;

// The function itself in double, for the float executor and the look-up tables.
double apply_unary(Unary function, double x, float alpha, float beta) noexcept;

}  // namespace octet::convert
