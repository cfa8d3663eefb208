// SPDX-License-Identifier: Apache-2.0
// One function per op. Float expressions are the order that the design gives; the build forbids
// contraction.
#include "tests/engine/evaluate.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "kernels/softmax.h"

namespace octet::test {
namespace {

using namespace engine;

// An element is a code or a sum, or a float.
struct Values {
  std::vector<int> codes;
  std::vector<float> reals;
};

template <class T>
T get(const Tensor& constant, std::size_t i) {
  T value;
  std::memcpy(&value, constant.data.data() + i * sizeof value, sizeof value);
  return value;
}

int code_at(const std::byte* data, std::size_t i, DType dtype) {
  const auto byte = static_cast<std::uint8_t>(data[i]);
  return dtype == DType::u8 ? int{byte} : int{static_cast<std::int8_t>(byte)};
}

int saturate(double code, const Tensor& t) {
  return static_cast<int>(
      std::clamp(code, double(lowest_code(t.dtype)), double(highest_code(t.dtype))));
}

int quantize(float x, const Tensor& t) {
  if (std::isnan(x)) return lowest_code(t.dtype);
  return saturate(double{std::nearbyint(x / t.scale)} + t.zero_point, t);
}

float bound(float x, const Node& node) {
  x = x > node.clip_min ? x : node.clip_min;  // NaN gives the lower bound
  return x < node.clip_max ? x : node.clip_max;
}

float one_nan(float x) {
  return std::isnan(x) ? std::numeric_limits<float>::quiet_NaN() : x;
}

bool has_bounds(const Node& node) {
  return std::isfinite(node.clip_min) || std::isfinite(node.clip_max);
}

int bound_code(int code, const Node& node, const Tensor& t) {
  return std::clamp(code, quantize(node.clip_min, t), quantize(node.clip_max, t));
}

std::size_t size_of(const Tensor& t, std::size_t first, std::size_t last) {
  std::size_t product = 1;
  for (std::size_t i = first; i < last; ++i) product *= static_cast<std::size_t>(t.shape[i]);
  return product;
}

class Sample {
 public:
  explicit Sample(const Graph& graph) : graph_(graph), values_(graph.tensors.size()) {}

  Values& operator[](std::size_t tensor) { return values_[tensor]; }

  void run(const Node& node) {
    const Tensor& x = tensor(node.inputs[0]);
    const Tensor& y = tensor(node.output);
    const Values& in = values_[node.inputs[0]];
    Values& out = values_[node.output];
    const std::size_t n = sample_elements(y);
    out.codes.resize(y.dtype == DType::f32 ? 0 : n);
    out.reals.resize(y.dtype == DType::f32 ? n : 0);
    switch (node.op) {
      case OpType::quantize:
        for (std::size_t i = 0; i < n; ++i) out.codes[i] = quantize(in.reals[i], y);
        return;
      case OpType::dequantize:
        for (std::size_t i = 0; i < n; ++i) {
          out.reals[i] = x.scale * static_cast<float>(in.codes[i] - x.zero_point);
        }
        return;
      case OpType::requantize:
        for (std::size_t i = 0; i < n; ++i) {
          out.codes[i] = quantize(x.scale * static_cast<float>(in.codes[i] - x.zero_point), y);
        }
        return;
      case OpType::linear:
        return linear(node, in, out);
      case OpType::float_linear:
        return float_linear(node, in, out);
      case OpType::group_linear:
        return group_linear(node, in, out);
      case OpType::dynamic_linear:
        return dynamic_linear(node, in, out);
      case OpType::dynamic_quantize: {
        const Dynamic chosen = choose(in, 0, n);
        for (std::size_t i = 0; i < n; ++i) out.codes[i] = dynamic_code(in.reals[i], chosen);
        return;
      }
      case OpType::dynamic_scale:
        out.reals[0] = choose(in, 0, in.reals.size()).scale;
        return;
      case OpType::dynamic_zero_point:
        out.codes[0] = choose(in, 0, in.reals.size()).zero_point;
        return;
      case OpType::clip:
        for (std::size_t i = 0; i < out.codes.size(); ++i) {
          out.codes[i] = bound_code(in.codes[i], node, y);
        }
        for (std::size_t i = 0; i < out.reals.size(); ++i) out.reals[i] = bound(in.reals[i], node);
        return;
      case OpType::reshape:
        out = in;
        return;
      case OpType::add:
        return add(node, operand(node.inputs[0]), operand(node.inputs[1]), out);
      case OpType::affine: {
        const Tensor& scale = tensor(node.inputs[1]);
        const Tensor& shift = tensor(node.inputs[2]);
        for (std::size_t i = 0; i < n; ++i) {
          const std::size_t c = i / node.inner % static_cast<std::size_t>(scale.shape[0]);
          const float product = in.reals[i] * get<float>(scale, c);
          out.reals[i] = one_nan(product + get<float>(shift, c));
        }
        return;
      }
      case OpType::lookup:
        for (std::size_t i = 0; i < n; ++i) {
          const auto entry = static_cast<std::size_t>(in.codes[i] - lowest_code(x.dtype));
          out.codes[i] = code_at(tensor(node.inputs[1]).data.data(), entry, y.dtype);
        }
        return;
      case OpType::transpose:
        for (std::size_t i = 0; i < n; ++i) move(in, transposed(node, x, y, i), out, i);
        return;
      case OpType::concat:
        return concat(node, y, out);
      case OpType::slice: {
        const std::size_t inner = size_of(x, node.axis + 1, x.shape.size());
        const std::size_t from = size_of(x, node.axis, x.shape.size());
        const std::size_t to = size_of(y, node.axis, y.shape.size());
        for (std::size_t i = 0; i < n; ++i) {
          move(in, i / to * from + node.start * inner + i % to, out, i);
        }
        return;
      }
      case OpType::softmax:
      case OpType::log_softmax: {
        const std::size_t inner = size_of(x, node.axis + 1, x.shape.size());
        const std::size_t extent = static_cast<std::size_t>(x.shape[node.axis]);
        const auto function = node.op == OpType::softmax ? kernels::softmax : kernels::log_softmax;
        for (std::size_t i = 0; i < n; ++i) {
          if (i / inner % extent == 0) function(&in.reals[i], extent, inner, &out.reals[i]);
        }
        return;
      }
    }
  }

 private:
  const Tensor& tensor(std::size_t i) const { return graph_.tensors[i]; }

  void linear(const Node& node, const Values& in, Values& out) const {
    const Tensor& x = tensor(node.inputs[0]);
    const Tensor& w = tensor(node.inputs[1]);
    const Tensor& scale = tensor(node.inputs[2]);
    const Tensor& bias = tensor(node.inputs[3]);
    const Tensor& y = tensor(node.output);
    const auto channels = static_cast<std::size_t>(w.shape[0]);
    const auto k = static_cast<std::size_t>(w.shape[1]);
    for (std::size_t i = 0; i < sample_elements(y); ++i) {
      const std::size_t m = i % channels;
      std::int64_t acc = get<std::int32_t>(bias, m);
      for (std::size_t j = 0; j < k; ++j) {
        acc += (in.codes[i / channels * k + j] - x.zero_point) *
               std::int64_t{get<std::int8_t>(w, m * k + j)};
      }
      if (y.dtype == DType::s32) {
        out.codes[i] = static_cast<std::int32_t>(acc);
        continue;
      }
      const float sum = static_cast<float>(static_cast<std::int32_t>(acc));
      const float real = x.scale * get<float>(scale, scale.shape[0] == 1 ? 0 : m);
      if (is_q8(y.dtype)) {
        const float mult = real / y.scale;
        const double rounded = std::nearbyint(sum * mult);
        out.codes[i] = bound_code(saturate(rounded + y.zero_point, y), node, y);
      } else {
        out.reals[i] = bound(sum * real, node);
      }
    }
  }

  struct Dynamic {
    float scale;
    int zero_point;
  };

  // For elements [begin, end). NaN is neither least nor largest.
  static Dynamic choose(const Values& in, std::size_t begin, std::size_t end) {
    float least = 0;
    float largest = 0;
    for (std::size_t i = begin; i < end; ++i) {
      if (in.reals[i] < least) least = in.reals[i];
      if (in.reals[i] > largest) largest = in.reals[i];
    }
    const float range = largest - least;
    const float scale = least == largest ? 1 : range / 255;
    return {scale, dynamic_code(-least, Dynamic{scale, 0})};
  }

  static int dynamic_code(float x, const Dynamic& chosen) {
    const float steps = x / chosen.scale;
    if (std::isnan(steps)) return 0;
    return static_cast<int>(
        std::clamp(double{std::nearbyint(steps)} + chosen.zero_point, 0.0, 255.0));
  }
  void dynamic_linear(const Node& node, const Values& in, Values& out) const {
    const Tensor& x = tensor(node.inputs[0]);
    const Tensor& w = tensor(node.inputs[1]);
    const Tensor& scale = tensor(node.inputs[2]);
    const auto n = static_cast<std::size_t>(w.shape[0]);
    const auto k = static_cast<std::size_t>(w.shape[1]);
    const std::size_t range = size_of(x, node.axis, x.shape.size());
    for (std::size_t i = 0; i < out.reals.size(); ++i) {
      const std::size_t m = i % n;
      const std::size_t row = i / n * k;
      const Dynamic chosen = choose(in, row / range * range, (row / range + 1) * range);
      std::int64_t acc = 0;
      for (std::size_t j = 0; j < k; ++j) {
        acc += (dynamic_code(in.reals[row + j], chosen) - chosen.zero_point) *
               std::int64_t{get<std::int8_t>(w, m * k + j)};
      }
      const float mult = chosen.scale * get<float>(scale, scale.shape[0] == 1 ? 0 : m);
      const float product = static_cast<float>(acc) * mult;
      out.reals[i] = bound(product + get<float>(tensor(node.inputs[3]), m), node);
    }
  }

  void float_linear(const Node& node, const Values& in, Values& out) const {
    const Tensor& w = tensor(node.inputs[1]);
    const auto channels = static_cast<std::size_t>(w.shape[0]);
    const auto k = static_cast<std::size_t>(w.shape[1]);
    for (std::size_t i = 0; i < out.reals.size(); ++i) {
      const std::size_t m = i % channels;
      float y = get<float>(tensor(node.inputs[2]), m);
      for (std::size_t j = 0; j < k; ++j) {
        const float product = in.reals[i / channels * k + j] * get<float>(w, m * k + j);
        y = y + product;
      }
      out.reals[i] = bound(y, node);
    }
  }

  void group_linear(const Node& node, const Values& in, Values& out) const {
    const Tensor& w = tensor(node.inputs[1]);
    const auto k = static_cast<std::size_t>(tensor(node.inputs[0]).shape.back());
    const auto n = static_cast<std::size_t>(w.shape[0]);
    const auto groups = static_cast<std::size_t>(tensor(node.inputs[2]).shape[1]);
    const auto code = [&](std::size_t row, std::size_t i) {
      if (w.dtype == DType::s8) return code_at(w.data.data(), row * k + i, DType::s8);
      const int byte = code_at(w.data.data(), row * ((k + 1) / 2) + i / 2, DType::u8);
      const int nibble = i % 2 == 0 ? byte % 16 : byte / 16;
      return nibble < 8 ? nibble : nibble - 16;
    };
    for (std::size_t i = 0; i < out.reals.size(); ++i) {
      const std::size_t row = i % n;
      float y = get<float>(tensor(node.inputs[3]), row);
      for (std::size_t g = 0; g < groups; ++g) {
        float t = 0;
        for (std::size_t j = g * node.group; j < std::min(k, (g + 1) * std::size_t{node.group});
             ++j) {
          const float product = in.reals[i / n * k + j] * static_cast<float>(code(row, j));
          t = t + product;
        }
        const float scaled = t * get<float>(tensor(node.inputs[2]), row * groups + g);
        y = y + scaled;
      }
      out.reals[i] = bound(y, node);
    }
  }

  Values operand(std::size_t index) const {
    const Tensor& t = tensor(index);
    if (!t.is_constant) return values_[index];
    Values values;
    for (std::size_t i = 0; i < t.data.size(); ++i) {
      values.codes.push_back(code_at(t.data.data(), i, t.dtype));
    }
    return values;
  }

  void add(const Node& node, const Values& a, const Values& b, Values& out) const {
    const Tensor& ta = tensor(node.inputs[0]);
    const Tensor& tb = tensor(node.inputs[1]);
    const Tensor& y = tensor(node.output);
    for (std::size_t i = 0; i < out.reals.size(); ++i) {
      const float sum = one_nan(a.reals[i] + b.reals[i]);
      out.reals[i] = has_bounds(node) ? bound(sum, node) : sum;
    }
    // Inputs of the other dtype count as shifted to the output's.
    const int shift_a = lowest_code(y.dtype) - lowest_code(ta.dtype);
    const int shift_b = lowest_code(y.dtype) - lowest_code(tb.dtype);
    const float ra = ta.scale / y.scale;
    const float rb = tb.scale / y.scale;
    const float za = ra * static_cast<float>(ta.zero_point + shift_a);
    const float zb = rb * static_cast<float>(tb.zero_point + shift_b);
    const float c = static_cast<float>(y.zero_point) - (za + zb);
    for (std::size_t i = 0; i < out.codes.size(); ++i) {
      const float pa = ra * static_cast<float>(a.codes[i] + shift_a);
      const float pb = rb * static_cast<float>(b.codes[i] + shift_b);
      const float sum = pa + (pb + c);
      out.codes[i] = bound_code(saturate(std::nearbyint(sum), y), node, y);
    }
  }

  void concat(const Node& node, const Tensor& y, Values& out) const {
    const std::size_t run = size_of(y, node.axis, y.shape.size());
    std::size_t start = 0;
    for (const std::uint32_t input : node.inputs) {
      const Tensor& x = tensor(input);
      const std::size_t part = size_of(x, node.axis, x.shape.size());
      for (std::size_t i = 0; i < sample_elements(x); ++i) {
        move(values_[input], i, out, i / part * run + start + i % part);
      }
      start += part;
    }
  }

  // The element of x that element i of y is.
  static std::size_t transposed(const Node& node, const Tensor& x, const Tensor& y, std::size_t i) {
    std::size_t from = 0;
    for (std::size_t d = y.shape.size(); d-- > 1;) {
      const auto extent = static_cast<std::size_t>(y.shape[d]);
      from += i % extent * size_of(x, node.perm[d] + 1, x.shape.size());
      i /= extent;
    }
    return from;
  }

  static void move(const Values& in, std::size_t from, Values& out, std::size_t to) {
    if (!in.codes.empty()) {
      out.codes[to] = in.codes[from];
    } else {
      out.reals[to] = in.reals[from];
    }
  }

  const Graph& graph_;
  std::vector<Values> values_;
};

}  // namespace

std::vector<Bytes> evaluate(const Graph& graph, const std::vector<Bytes>& inputs,
                            std::size_t batch) {
  std::vector<Bytes> outputs(graph.outputs.size());
  for (std::size_t s = 0; s < batch; ++s) {
    Sample sample(graph);
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      const Tensor& tensor = graph.tensors[graph.inputs[i].tensor];
      Values& values = sample[graph.inputs[i].tensor];
      const std::size_t n = sample_elements(tensor);
      const std::byte* data = inputs[i].data() + s * n * dtype_bytes(tensor.dtype);
      if (is_q8(tensor.dtype)) {
        for (std::size_t j = 0; j < n; ++j) values.codes.push_back(code_at(data, j, tensor.dtype));
      } else {
        values.reals.resize(n);
        std::memcpy(values.reals.data(), data, n * sizeof(float));
      }
    }
    for (const Node& node : graph.nodes) sample.run(node);
    for (std::size_t i = 0; i < outputs.size(); ++i) {
      const Values& values = sample[graph.outputs[i]];
      if (graph.tensors[graph.outputs[i]].dtype == DType::s32) {
        const auto sums = std::as_bytes(std::span(values.codes));
        outputs[i].insert(outputs[i].end(), sums.begin(), sums.end());
        continue;
      }
      for (const int code : values.codes) outputs[i].push_back(static_cast<std::byte>(code));
      const auto reals = std::as_bytes(std::span(values.reals));
      outputs[i].insert(outputs[i].end(), reals.begin(), reals.end());
    }
  }
  return outputs;
}

}  // namespace octet::test
