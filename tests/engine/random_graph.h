// SPDX-License-Identifier: Apache-2.0
// A graph of random ops, shapes and outputs, valid and small.
#pragma once

#include <algorithm>
#include <iterator>
#include <random>
#include <utility>
#include <vector>

#include "engine/errors.h"
#include "tests/engine/graph_builder.h"

namespace octet::test {

class RandomGraph {
  using Shape = std::vector<std::int64_t>;

 public:
  explicit RandomGraph(std::uint32_t seed) : random_(seed) {
    for (std::size_t i = 0, inputs = 1 + draw(3); i < inputs; ++i) {
      const std::uint32_t tensor = activation(draw(3) == 0 ? DType::f32 : code_type(), shape());
      b_.graph.inputs.push_back({tensor, false, {}});
    }
    for (std::size_t nodes = draw(14); b_.graph.nodes.size() < nodes;) add_node();
    for (std::size_t i = 0, outputs = 1 + draw(4); i < outputs; ++i) {
      // The last tensors more often, so that chains are long.
      const std::size_t back = draw(2) == 0 ? draw(3) : draw(live_.size());
      b_.graph.outputs.push_back(live_[live_.size() - 1 - std::min(back, live_.size() - 1)]);
    }
  }

  const Graph& graph() const { return b_.graph; }

 private:
  std::size_t draw(std::size_t below) { return random_() % below; }
  float draw_float(float low, float high) {
    return low + (high - low) * static_cast<float>(random_() >> 8) * 0x1p-24f;
  }
  template <class T>
  std::vector<T> codes(std::size_t count) {
    std::vector<T> result(count);
    for (T& code : result) code = static_cast<T>(random_());
    return result;
  }
  std::vector<float> floats(std::size_t count, float low, float high) {
    std::vector<float> result(count);
    for (float& value : result) value = draw_float(low, high);
    return result;
  }

  DType code_type() { return draw(2) == 0 ? DType::u8 : DType::s8; }
  std::int64_t extent() {
    constexpr std::int64_t kExtents[] = {1, 1, 2, 3, 4, 5, 7, 16, 33, 64, 65};
    return kExtents[draw(std::size(kExtents))];
  }
  Shape shape() {
    Shape result = {-1};
    std::int64_t elements = 1;
    for (std::size_t i = 0, rank = draw(engine::kMaxRank); i < rank; ++i) {
      const std::int64_t e = extent();
      result.push_back(elements * e <= 200 ? e : 1);
      elements *= result.back();
    }
    return result;
  }

  std::string name(const char* what) { return engine::message(what, b_.graph.tensors.size()); }
  std::uint32_t activation(DType dtype, const Shape& shape) {
    if (dtype == DType::f32) {
      live_.push_back(b_.f32(name("f"), shape));
    } else {
      const std::int32_t zero_point = lowest_code(dtype) + static_cast<std::int32_t>(draw(256));
      live_.push_back(b_.q8(name("q"), dtype, shape, draw_float(0.01f, 0.2f), zero_point));
    }
    return live_.back();
  }
  // Of the same dtype and quantization.
  std::uint32_t like(std::uint32_t tensor, const Shape& shape) {
    const Tensor t = b_.graph.tensors[tensor];
    live_.push_back(t.dtype == DType::f32
                        ? b_.f32(name("f"), shape)
                        : b_.q8(name("q"), t.dtype, shape, t.scale, t.zero_point));
    return live_.back();
  }

  void add_node() {
    const auto op = static_cast<OpType>(draw(engine::kOpTypes));
    const std::uint32_t x = live_[draw(2) == 0 ? live_.size() - 1 : draw(live_.size())];
    const Tensor t = b_.graph.tensors[x];
    const bool codes_in = is_q8(t.dtype);
    const bool has_axis = t.shape.size() > 1;
    switch (op) {
      case OpType::quantize:
        if (!codes_in) node(op, {x}, activation(code_type(), t.shape));
        return;
      case OpType::dequantize:
        if (codes_in) node(op, {x}, activation(DType::f32, t.shape));
        return;
      case OpType::requantize:
        if (codes_in) node(op, {x}, activation(code_type(), t.shape));
        return;
      case OpType::linear:
        if (codes_in && has_axis) linear(x, t.shape);
        return;
      case OpType::float_linear:
        if (!codes_in && has_axis) float_linear(x, t.shape);
        return;
      case OpType::group_linear:
        if (!codes_in && has_axis) group_linear(x, t.shape);
        return;
      case OpType::dynamic_linear:
        if (!codes_in && has_axis) dynamic_linear(x, t.shape);
        return;
      case OpType::dynamic_quantize:
      case OpType::dynamic_zero_point:
        if (!codes_in) {
          const Shape shape = op == OpType::dynamic_quantize ? t.shape : Shape{-1};
          live_.push_back(b_.q8(name("q"), DType::u8, shape, 1, 0));
          node(op, {x}, live_.back());
        }
        return;
      case OpType::dynamic_scale:
        if (!codes_in) node(op, {x}, activation(DType::f32, {-1}));
        return;
      case OpType::clip:
        bound(node(op, {x}, like(x, t.shape)));
        return;
      case OpType::reshape:
        node(op, {x}, like(x, reshaped(t)));
        return;
      case OpType::add:
        return add(x, t);
      case OpType::affine:
        if (!codes_in) affine(x, t);
        return;
      case OpType::lookup:
        if (codes_in) {
          const DType dtype = code_type();
          const auto table = b_.constant(name("table"), dtype, {256}, codes<std::uint8_t>(256));
          node(op, {x, table}, activation(dtype, t.shape));
        }
        return;
      case OpType::transpose:
        return transpose(x, t);
      case OpType::concat:
        if (has_axis) concat(x, t);
        return;
      case OpType::slice:
        if (has_axis) slice(x, t);
        return;
      case OpType::softmax:
      case OpType::log_softmax:
        if (!codes_in && has_axis) {
          node(op, {x}, like(x, t.shape)).axis = axis(t.shape);
        }
        return;
    }
  }

  Node& node(OpType op, std::vector<std::uint32_t> inputs, std::uint32_t output) {
    return b_.node(op, engine::message("node", b_.graph.nodes.size()), std::move(inputs), output);
  }
  void bound(Node& node) {
    if (draw(2) == 0) node.clip_min = draw(2) == 0 ? 0.0f : draw_float(-4, 0);
    if (draw(2) == 0) node.clip_max = draw_float(0, 6);
  }
  std::uint32_t axis(const Shape& shape) {
    return static_cast<std::uint32_t>(1 + draw(shape.size() - 1));
  }

  // And their scales, of one or of all rows.
  std::pair<std::uint32_t, std::uint32_t> int8_weights(std::size_t n, std::size_t k) {
    const auto w = b_.constant(name("w"), DType::s8,
                               {static_cast<std::int64_t>(n), static_cast<std::int64_t>(k)},
                               codes<std::int8_t>(n * k));
    const std::size_t scales = draw(2) == 0 ? 1 : n;
    const auto s = b_.constant(name("s"), DType::f32, {static_cast<std::int64_t>(scales)},
                               floats(scales, 0.001f, 0.05f));
    return {w, s};
  }

  void linear(std::uint32_t x, Shape shape) {
    const auto k = static_cast<std::size_t>(shape.back());
    shape.back() = extent();
    const auto n = static_cast<std::size_t>(shape.back());
    const auto [w, s] = int8_weights(n, k);
    std::vector<std::int32_t> biases(n);
    for (auto& bias : biases) bias = static_cast<std::int32_t>(random_() % 20001) - 10000;
    const auto bias = b_.constant(name("b"), DType::s32, {shape.back()}, biases);
    if (draw(6) == 0) {  // nothing takes sums
      b_.graph.outputs.push_back(b_.s32(name("sums"), shape));
      node(OpType::linear, {x, w, s, bias}, b_.graph.outputs.back());
      return;
    }
    const auto y = activation(draw(3) == 0 ? DType::f32 : code_type(), shape);
    bound(node(OpType::linear, {x, w, s, bias}, y));
  }

  void dynamic_linear(std::uint32_t x, Shape shape) {
    const std::uint32_t along = axis(shape);
    const auto k = static_cast<std::size_t>(shape.back());
    shape.back() = extent();
    const auto n = static_cast<std::size_t>(shape.back());
    const auto [w, s] = int8_weights(n, k);
    const auto bias = b_.constant(name("b"), DType::f32, {shape.back()}, floats(n, -1, 1));
    engine::Node& made =
        node(OpType::dynamic_linear, {x, w, s, bias}, activation(DType::f32, shape));
    made.axis = along;
    bound(made);
  }

  void float_linear(std::uint32_t x, Shape shape) {
    const auto k = static_cast<std::size_t>(shape.back());
    shape.back() = extent();
    const auto n = static_cast<std::size_t>(shape.back());
    const auto w = b_.constant(name("w"), DType::f32, {shape.back(), static_cast<std::int64_t>(k)},
                               floats(n * k, -0.5f, 0.5f));
    const auto bias = b_.constant(name("b"), DType::f32, {shape.back()}, floats(n, -1, 1));
    bound(node(OpType::float_linear, {x, w, bias}, activation(DType::f32, shape)));
  }

  void group_linear(std::uint32_t x, Shape shape) {
    const auto k = static_cast<std::size_t>(shape.back());
    shape.back() = extent();
    const auto n = static_cast<std::size_t>(shape.back());
    const std::size_t group = 1 + draw(k + 3);
    const std::size_t groups = (k + group - 1) / group;
    const bool is_s8 = draw(2) == 0;
    const std::size_t columns = is_s8 ? k : (k + 1) / 2;
    const auto w = b_.constant(name("w"), is_s8 ? DType::s8 : DType::u8,
                               {shape.back(), static_cast<std::int64_t>(columns)},
                               codes<std::uint8_t>(n * columns));
    const auto s =
        b_.constant(name("s"), DType::f32, {shape.back(), static_cast<std::int64_t>(groups)},
                    floats(n * groups, -0.01f, 0.01f));
    const auto bias = b_.constant(name("b"), DType::f32, {shape.back()}, floats(n, -1, 1));
    engine::Node& made = node(OpType::group_linear, {x, w, s, bias}, activation(DType::f32, shape));
    made.group = static_cast<std::uint32_t>(group);
    bound(made);
  }

  Shape reshaped(const Tensor& t) {
    const auto elements = static_cast<std::int64_t>(sample_elements(t));
    const std::int64_t first = draw(2) == 0 ? 1 : t.shape.back() == -1 ? 1 : t.shape.back();
    if (elements == 1 && draw(2) == 0) return {-1};
    return draw(3) == 0 ? Shape{-1, elements} : Shape{-1, first, elements / first};
  }

  std::uint32_t operand(Shape shape) {
    shape[0] = 1;
    std::size_t elements = 1;
    for (const std::int64_t extent : shape) elements *= static_cast<std::size_t>(extent);
    const DType dtype = code_type();
    const std::int32_t zero_point = lowest_code(dtype) + static_cast<std::int32_t>(draw(256));
    return b_.operand(name("operand"), dtype, std::move(shape), codes<std::uint8_t>(elements),
                      draw_float(0.01f, 0.2f), zero_point);
  }

  // With itself, with any other tensor that fits, or with a constant.
  void add(std::uint32_t x, const Tensor& t) {
    std::vector<std::uint32_t> others;
    for (const std::uint32_t other : live_) {
      const Tensor& o = b_.graph.tensors[other];
      if (o.shape == t.shape && is_q8(o.dtype) == is_q8(t.dtype)) others.push_back(other);
    }
    std::uint32_t other = others[draw(others.size())];
    if (is_q8(t.dtype) && draw(3) == 0) other = operand(t.shape);
    if (draw(2) == 0) std::swap(x, other);
    const auto y = activation(is_q8(t.dtype) ? code_type() : DType::f32, t.shape);
    bound(node(OpType::add, {x, other}, y));
  }

  void affine(std::uint32_t x, const Tensor& t) {
    const std::size_t from = draw(t.shape.size());
    std::int64_t inner = 1;
    for (std::size_t i = 1 + from; i < t.shape.size(); ++i) inner *= t.shape[i];
    const std::int64_t channels = from == 0 ? 1 : t.shape[from];
    const auto n = static_cast<std::size_t>(channels);
    const auto scale = b_.constant(name("s"), DType::f32, {channels}, floats(n, -1.5f, 1.5f));
    const auto shift = b_.constant(name("t"), DType::f32, {channels}, floats(n, -2, 2));
    const auto y = activation(DType::f32, t.shape);
    node(OpType::affine, {x, scale, shift}, y).inner = static_cast<std::uint32_t>(inner);
  }

  void transpose(std::uint32_t x, const Tensor& t) {
    std::vector<std::uint32_t> perm(t.shape.size());
    Shape shape;
    for (std::size_t i = 0; i < perm.size(); ++i) perm[i] = static_cast<std::uint32_t>(i);
    for (std::size_t i = perm.size(); i-- > 2;) std::swap(perm[i], perm[1 + draw(i)]);
    for (const std::uint32_t i : perm) shape.push_back(t.shape[i]);
    node(OpType::transpose, {x}, like(x, shape)).perm = perm;
  }

  void concat(std::uint32_t x, const Tensor& t) {
    const std::uint32_t along = axis(t.shape);
    std::vector<std::uint32_t> parts = {x, x};
    for (const std::uint32_t other : live_) {
      const Tensor& o = b_.graph.tensors[other];
      Shape fitting = o.shape;
      if (fitting.size() == t.shape.size()) fitting[along] = t.shape[along];
      const bool same = o.dtype == t.dtype && o.scale == t.scale && o.zero_point == t.zero_point;
      if (same && fitting == t.shape && parts.size() < 4) parts.push_back(other);
    }
    if (parts.size() > 2) parts.erase(parts.begin());
    Shape shape = t.shape;
    shape[along] = 0;
    for (const std::uint32_t part : parts) shape[along] += b_.graph.tensors[part].shape[along];
    if (std::count_if(shape.begin(), shape.end(), [](auto e) { return e > 300; }) > 0) return;
    node(OpType::concat, parts, like(x, shape)).axis = along;
  }

  void slice(std::uint32_t x, const Tensor& t) {
    const std::uint32_t along = axis(t.shape);
    Shape shape = t.shape;
    const auto start = static_cast<std::int64_t>(draw(static_cast<std::size_t>(shape[along])));
    shape[along] =
        1 + static_cast<std::int64_t>(draw(static_cast<std::size_t>(shape[along] - start)));
    Node& cut = node(OpType::slice, {x}, like(x, shape));
    cut.axis = along;
    cut.start = static_cast<std::uint32_t>(start);
  }

  std::mt19937 random_;
  GraphBuilder b_;
  std::vector<std::uint32_t> live_;
};

}  // namespace octet::test
