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

namespace octet::convert {

inline constexpr std::int64_t kBatch = -1;
using Shape = std::vector<std::int64_t>;  // activations: shape[0] == kBatch
using ValueId = std::uint32_t;
inline constexpr ValueId kNoValue = 0xffffffff;

// Float ops, canonical: the importer maps ONNX's many spellings to these.
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
};

enum class Unary : std::uint8_t { sigmoid, tanh, leaky_relu, elu, hard_sigmoid, softplus };

struct Value {
  std::string name;  // the ONNX tensor's name
  Shape shape;
};

struct Node {
  std::string name;  // the ONNX node's name, or its output's if it has none
  Op op = Op::linear;
  std::vector<ValueId> inputs;
  ValueId output = kNoValue;

  std::vector<float> weight;                                 // linear: [m][k]
  std::vector<float> bias;                                   // linear: [m] or empty
  std::vector<float> scale;                                  // affine: [c]
  std::vector<float> shift;                                  // affine: [c]
  std::size_t inner = 1;                                     // affine
  float clip_min = -std::numeric_limits<float>::infinity();  // linear, add, clip
  float clip_max = std::numeric_limits<float>::infinity();
  std::size_t axis = 0;   // concat, slice, softmax, log_softmax
  std::size_t start = 0;  // slice
  std::vector<std::size_t> perm;
  Unary function = Unary::sigmoid;
  float alpha = 0;  // leaky_relu, elu, hard_sigmoid
  float beta = 0;   // hard_sigmoid
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

// The function itself in double, for the float executor and the look-up tables.
double apply_unary(Unary function, double x, float alpha, float beta) noexcept;

}  // namespace octet::convert
