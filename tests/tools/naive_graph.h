// SPDX-License-Identifier: Apache-2.0
// A second reading of the arithmetic's rules for the tests: evaluates an engine graph node by node,
// element by element, with nothing of kernels/ or the runtime except softmax.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstring>
#include <stdexcept>
#include <string>
#include <vector>

#include "engine/graph.h"
#include "kernels/softmax.h"

namespace octet::test {

// A tensor of one batch: codes of 8-bit tensors, reals of f32 ones.
struct NaiveTensor {
  std::vector<std::int32_t> codes;
  std::vector<float> reals;
};

class NaiveGraph {
 public:
  explicit NaiveGraph(const engine::Graph& graph) : graph_(graph), values_(graph.tensors.size()) {}

  // inputs: of each graph input. Gives the outputs.
  std::vector<NaiveTensor> run(const std::vector<NaiveTensor>& inputs, std::size_t batch) {
    batch_ = batch;
    for (std::size_t i = 0; i < inputs.size(); ++i) values_[graph_.inputs[i].tensor] = inputs[i];
    for (const engine::Node& node : graph_.nodes) evaluate(node);
    std::vector<NaiveTensor> outputs;
    for (const std::uint32_t output : graph_.outputs) outputs.push_back(values_[output]);
    return outputs;
  }

 private:
  using OpType = engine::OpType;
  using Tensor = engine::Tensor;

  template <class T>
  static T constant(const Tensor& tensor, std::size_t i) {
    T value;
    std::memcpy(&value, tensor.data.data() + i * sizeof value, sizeof value);
    return value;
  }

  static float clip(const engine::Node& node, float x) {
    return std::min(std::max(x, node.clip_min), node.clip_max);
  }

  static float real(const Tensor& tensor, std::int32_t code) {
    return tensor.scale * static_cast<float>(code - tensor.zero_point);
  }

  // saturate(rne(x) + zero_point); a large x must not leave the integers.
  static std::int32_t saturate(const Tensor& tensor, float x) {
    const double rounded = std::nearbyint(static_cast<double>(x)) + tensor.zero_point;
    return static_cast<std::int32_t>(
        std::clamp(rounded, static_cast<double>(engine::lowest_code(tensor.dtype)),
                   static_cast<double>(engine::highest_code(tensor.dtype))));
  }

  static std::int32_t quantize(const Tensor& tensor, float x) {
    return saturate(tensor, x / tensor.scale);
  }

  // Bounds in the reals act on the codes they quantize to.
  static std::int32_t clip_code(const engine::Node& node, const Tensor& tensor, std::int32_t q) {
    return std::min(std::max(q, quantize(tensor, node.clip_min)), quantize(tensor, node.clip_max));
  }

  void evaluate(const engine::Node& node) {
    const Tensor& x = graph_.tensors[node.inputs[0]];
    const Tensor& y = graph_.tensors[node.output];
    const NaiveTensor& in = values_[node.inputs[0]];
    NaiveTensor out;
    switch (node.op) {
      case OpType::quantize:
        for (const float v : in.reals) out.codes.push_back(quantize(y, v));
        break;
      case OpType::dequantize:
        for (const std::int32_t q : in.codes) out.reals.push_back(real(x, q));
        break;
      case OpType::requantize:
        for (const std::int32_t q : in.codes) out.codes.push_back(quantize(y, real(x, q)));
        break;
      case OpType::linear:
        out = linear(node, x, y, in);
        break;
      case OpType::clip:
        for (const std::int32_t q : in.codes) out.codes.push_back(clip_code(node, y, q));
        for (const float v : in.reals) out.reals.push_back(clip(node, v));
        break;
      case OpType::reshape:
        out = in;
        break;
      case OpType::add:
        out = add(node, x, y, in);
        break;
      case OpType::affine: {
        const Tensor& scale = graph_.tensors[node.inputs[1]];
        const Tensor& shift = graph_.tensors[node.inputs[2]];
        const auto channels = static_cast<std::size_t>(scale.shape[0]);
        for (std::size_t i = 0; i < in.reals.size(); ++i) {
          const std::size_t c = i % elements(x) / node.inner % channels;
          const float product = in.reals[i] * constant<float>(scale, c);
          out.reals.push_back(product + constant<float>(shift, c));
        }
        break;
      }
      case OpType::lookup:
        for (const std::int32_t q : in.codes) {
          const auto entry = static_cast<std::size_t>(q - engine::lowest_code(x.dtype));
          const Tensor& table = graph_.tensors[node.inputs[1]];
          out.codes.push_back(y.dtype == engine::DType::u8
                                  ? std::int32_t{constant<std::uint8_t>(table, entry)}
                                  : std::int32_t{constant<std::int8_t>(table, entry)});
        }
        break;
      case OpType::transpose:
      case OpType::slice:
      case OpType::concat:
        move_elements(node, out);
        break;
      case OpType::softmax:
      case OpType::log_softmax:
        softmax(node, in, out);
        break;
      case OpType::float_linear:
        out = float_linear(node, in);
        break;
      case OpType::group_linear:
        out = group_linear(node, in);
        break;
      case OpType::dynamic_linear:
        out = dynamic_linear(node, x, in);
        break;
      case OpType::dynamic_quantize:
      case OpType::dynamic_scale:
      case OpType::dynamic_zero_point:
        throw std::logic_error("an op that the converter makes of ONNX's own only");
    }
    values_[node.output] = std::move(out);
  }

  NaiveTensor linear(const engine::Node& node, const Tensor& x, const Tensor& y,
                     const NaiveTensor& in) const {
    const Tensor& weight = graph_.tensors[node.inputs[1]];
    const Tensor& scales = graph_.tensors[node.inputs[2]];
    const Tensor& bias = graph_.tensors[node.inputs[3]];
    const auto rows = static_cast<std::size_t>(weight.shape[0]);
    const auto columns = static_cast<std::size_t>(weight.shape[1]);
    NaiveTensor out;
    for (std::size_t begin = 0; begin < in.codes.size(); begin += columns) {
      for (std::size_t m = 0; m < rows; ++m) {
        std::int64_t acc = constant<std::int32_t>(bias, m);
        for (std::size_t k = 0; k < columns; ++k) {
          acc += std::int64_t{in.codes[begin + k] - x.zero_point} *
                 constant<std::int8_t>(weight, m * columns + k);
        }
        if (acc != static_cast<std::int32_t>(acc)) throw std::logic_error("accumulator overflow");
        const float scale = x.scale * constant<float>(scales, scales.shape[0] == 1 ? 0 : m);
        const auto sum = static_cast<float>(static_cast<std::int32_t>(acc));
        if (engine::is_q8(y.dtype)) {
          const float mult = scale / y.scale;
          out.codes.push_back(clip_code(node, y, saturate(y, sum * mult)));
        } else {
          out.reals.push_back(clip(node, sum * scale));
        }
      }
    }
    return out;
  }

  NaiveTensor dynamic_linear(const engine::Node& node, const Tensor& x,
                             const NaiveTensor& in) const {
    const Tensor& weight = graph_.tensors[node.inputs[1]];
    const Tensor& scales = graph_.tensors[node.inputs[2]];
    const auto rows = static_cast<std::size_t>(weight.shape[0]);
    const auto k = static_cast<std::size_t>(weight.shape[1]);
    std::size_t range = 1;
    for (std::size_t i = node.axis; i < x.shape.size(); ++i) {
      range *= static_cast<std::size_t>(x.shape[i]);
    }
    NaiveTensor out;
    for (std::size_t begin = 0; begin < in.reals.size(); begin += k) {
      Tensor codes;
      codes.dtype = engine::DType::u8;
      float least = 0;
      float largest = 0;
      for (std::size_t i = begin / range * range; i < begin / range * range + range; ++i) {
        least = std::min(least, in.reals[i]);
        largest = std::max(largest, in.reals[i]);
      }
      codes.scale = least == largest ? 1 : (largest - least) / 255;
      codes.zero_point = quantize(codes, -least);
      for (std::size_t m = 0; m < rows; ++m) {
        std::int32_t acc = 0;
        for (std::size_t i = 0; i < k; ++i) {
          acc += (quantize(codes, in.reals[begin + i]) - codes.zero_point) *
                 constant<std::int8_t>(weight, m * k + i);
        }
        const float mult = codes.scale * constant<float>(scales, scales.shape[0] == 1 ? 0 : m);
        const float product = static_cast<float>(acc) * mult;
        out.reals.push_back(
            clip(node, product + constant<float>(graph_.tensors[node.inputs[3]], m)));
      }
    }
    return out;
  }

  NaiveTensor group_linear(const engine::Node& node, const NaiveTensor& in) const {
    const Tensor& weight = graph_.tensors[node.inputs[1]];
    const Tensor& scales = graph_.tensors[node.inputs[2]];
    const auto rows = static_cast<std::size_t>(weight.shape[0]);
    const auto k = static_cast<std::size_t>(graph_.tensors[node.inputs[0]].shape.back());
    const auto groups = static_cast<std::size_t>(scales.shape[1]);
    const auto code = [&](std::size_t m, std::size_t i) -> int {
      if (weight.dtype == engine::DType::s8) return constant<std::int8_t>(weight, m * k + i);
      const int byte = constant<std::uint8_t>(weight, m * ((k + 1) / 2) + i / 2);
      const int nibble = i % 2 == 0 ? byte % 16 : byte / 16;
      return nibble < 8 ? nibble : nibble - 16;
    };
    NaiveTensor out;
    for (std::size_t begin = 0; begin < in.reals.size(); begin += k) {
      for (std::size_t m = 0; m < rows; ++m) {
        float y = constant<float>(graph_.tensors[node.inputs[3]], m);
        for (std::size_t g = 0; g < groups; ++g) {
          float t = 0;
          for (std::size_t i = g * node.group; i < k && i < (g + 1) * node.group; ++i) {
            const float product = in.reals[begin + i] * static_cast<float>(code(m, i));
            t += product;
          }
          const float scaled = t * constant<float>(scales, m * groups + g);
          y += scaled;
        }
        out.reals.push_back(clip(node, y));
      }
    }
    return out;
  }

  NaiveTensor float_linear(const engine::Node& node, const NaiveTensor& in) const {
    const Tensor& weight = graph_.tensors[node.inputs[1]];
    const Tensor& bias = graph_.tensors[node.inputs[2]];
    const auto rows = static_cast<std::size_t>(weight.shape[0]);
    const auto columns = static_cast<std::size_t>(weight.shape[1]);
    NaiveTensor out;
    for (std::size_t begin = 0; begin < in.reals.size(); begin += columns) {
      for (std::size_t m = 0; m < rows; ++m) {
        float sum = constant<float>(bias, m);
        for (std::size_t k = 0; k < columns; ++k) {
          const float product = in.reals[begin + k] * constant<float>(weight, m * columns + k);
          sum += product;
        }
        out.reals.push_back(clip(node, sum));
      }
    }
    return out;
  }

  NaiveTensor add(const engine::Node& node, const Tensor& x, const Tensor& y,
                  const NaiveTensor& in) const {
    const Tensor& x2 = graph_.tensors[node.inputs[1]];
    const NaiveTensor& in2 = values_[node.inputs[1]];
    NaiveTensor out;
    for (std::size_t i = 0; i < in.reals.size(); ++i) {
      out.reals.push_back(clip(node, in.reals[i] + in2.reals[i]));
    }
    if (in.codes.empty()) return out;
    const float ra = x.scale / y.scale;
    const float rb = x2.scale / y.scale;
    const float za_term = ra * static_cast<float>(x.zero_point);
    const float zb_term = rb * static_cast<float>(x2.zero_point);
    const float c = static_cast<float>(y.zero_point) - (za_term + zb_term);
    for (std::size_t i = 0; i < in.codes.size(); ++i) {
      const float second = rb * static_cast<float>(in2.codes[i]);
      const float inner = second + c;
      const float first = ra * static_cast<float>(in.codes[i]);
      Tensor sum = y;
      sum.zero_point = 0;  // c holds it
      out.codes.push_back(clip_code(node, y, saturate(sum, first + inner)));
    }
    return out;
  }

  // Element by element through its coordinates.
  void move_elements(const engine::Node& node, NaiveTensor& out) const {
    const Tensor& y = graph_.tensors[node.output];
    const std::size_t rank = y.shape.size();
    std::vector<std::size_t> at(rank);
    for (std::size_t i = 0; i < batch_ * elements(y); ++i) {
      std::size_t rest = i;
      for (std::size_t d = rank; d-- > 1;) {
        at[d] = rest % static_cast<std::size_t>(y.shape[d]);
        rest /= static_cast<std::size_t>(y.shape[d]);
      }
      at[0] = rest;
      std::vector<std::size_t> from = at;
      std::size_t input = 0;
      if (node.op == OpType::transpose) {
        for (std::size_t d = 0; d < rank; ++d) from[node.perm[d]] = at[d];
      } else if (node.op == OpType::slice) {
        from[node.axis] += node.start;
      } else {
        while (from[node.axis] >= extent(node, input)) from[node.axis] -= extent(node, input++);
      }
      const Tensor& x = graph_.tensors[node.inputs[input]];
      std::size_t index = from[0];
      for (std::size_t d = 1; d < rank; ++d) {
        index = index * static_cast<std::size_t>(x.shape[d]) + from[d];
      }
      const NaiveTensor& in = values_[node.inputs[input]];
      if (in.codes.empty()) {
        out.reals.push_back(in.reals[index]);
      } else {
        out.codes.push_back(in.codes[index]);
      }
    }
  }

  std::size_t extent(const engine::Node& node, std::size_t input) const {
    return static_cast<std::size_t>(graph_.tensors[node.inputs[input]].shape[node.axis]);
  }

  void softmax(const engine::Node& node, const NaiveTensor& in, NaiveTensor& out) const {
    const Tensor& y = graph_.tensors[node.output];
    std::size_t below = 1;
    for (std::size_t d = node.axis + 1; d < y.shape.size(); ++d) {
      below *= static_cast<std::size_t>(y.shape[d]);
    }
    const auto n = static_cast<std::size_t>(y.shape[node.axis]);
    out.reals.resize(in.reals.size());
    for (std::size_t i = 0; i < in.reals.size(); ++i) {
      if (i / below % n != 0) continue;
      const auto function = node.op == OpType::softmax ? kernels::softmax : kernels::log_softmax;
      function(in.reals.data() + i, n, below, out.reals.data() + i);
    }
  }

  static std::size_t elements(const Tensor& tensor) { return engine::sample_elements(tensor); }

  const engine::Graph& graph_;
  std::vector<NaiveTensor> values_;
  std::size_t batch_ = 0;
};

}  // namespace octet::test
