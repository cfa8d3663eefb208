// SPDX-License-Identifier: Apache-2.0
// Graphs for tests: a builder that owns the constants, a small graph with every op, and equality.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <list>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "engine/graph.h"

namespace octet::test {

using engine::DType;
using engine::Graph;
using engine::Node;
using engine::OpType;
using engine::Tensor;

class GraphBuilder {
 public:
  Graph graph;

  std::uint32_t f32(const std::string& name, std::vector<std::int64_t> shape) {
    return add({name, DType::f32, std::move(shape), 0, 0, false, {}});
  }
  std::uint32_t q8(const std::string& name, DType dtype, std::vector<std::int64_t> shape,
                   float scale, std::int32_t zero_point) {
    return add({name, dtype, std::move(shape), scale, zero_point, false, {}});
  }
  std::uint32_t s32(const std::string& name, std::vector<std::int64_t> shape) {
    return add({name, DType::s32, std::move(shape), 0, 0, false, {}});
  }
  template <class T>
  std::uint32_t constant(const std::string& name, DType dtype, std::vector<std::int64_t> shape,
                         const std::vector<T>& values) {
    std::vector<std::byte>& data = storage_.emplace_back(values.size() * sizeof(T));
    std::memcpy(data.data(), values.data(), data.size());
    return add({name, dtype, std::move(shape), 0, 0, true, data});
  }
  // An operand of add: one sample of codes.
  template <class T>
  std::uint32_t operand(const std::string& name, DType dtype, std::vector<std::int64_t> shape,
                        const std::vector<T>& codes, float scale, std::int32_t zero_point) {
    const std::uint32_t index = constant(name, dtype, std::move(shape), codes);
    graph.tensors[index].scale = scale;
    graph.tensors[index].zero_point = zero_point;
    return index;
  }
  // The node, to set attributes; valid until the next call.
  Node& node(OpType op, const std::string& name, std::vector<std::uint32_t> inputs,
             std::uint32_t output) {
    Node& node = graph.nodes.emplace_back();
    node.name = name;
    node.op = op;
    node.inputs = std::move(inputs);
    node.output = output;
    return node;
  }

  std::uint32_t index(const std::string& name) const {
    for (std::uint32_t i = 0; i < graph.tensors.size(); ++i) {
      if (graph.tensors[i].name == name) return i;
    }
    throw std::logic_error("no tensor " + name);
  }
  Tensor& tensor(const std::string& name) { return graph.tensors[index(name)]; }
  Node& node(const std::string& name) {
    for (Node& node : graph.nodes) {
      if (node.name == name) return node;
    }
    throw std::logic_error("no node " + name);
  }
  template <class T>
  void set(const std::string& constant_name, std::size_t element, T value) {
    const auto data = tensor(constant_name).data;
    for (std::vector<std::byte>& owned : storage_) {
      if (owned.data() == data.data()) {
        std::memcpy(owned.data() + element * sizeof value, &value, sizeof value);
      }
    }
  }
  // Bytes that live as long as the builder.
  std::span<const std::byte> bytes(std::size_t count) { return storage_.emplace_back(count); }

 private:
  std::uint32_t add(Tensor tensor) {
    graph.tensors.push_back(std::move(tensor));
    return static_cast<std::uint32_t>(graph.tensors.size() - 1);
  }
  std::list<std::vector<std::byte>> storage_;
};

// Every op once or twice, u8 and s8, two inputs, an input that is an output, an output given twice.
// tests/golden/v1.octet holds this graph: a change here breaks that test.
inline GraphBuilder every_op_graph() {
  GraphBuilder b;
  const auto pixels = b.q8("pixels", DType::u8, {-1, 2, 3}, 0.0125f, 0);
  const auto x = b.f32("x", {-1, 2});
  b.graph.inputs = {{pixels, true, {0.25f, 0.3125f}}, {x, false, {}}};

  const auto flat = b.q8("flat", DType::u8, {-1, 6}, 0.0125f, 0);
  b.node(OpType::reshape, "flatten", {pixels}, flat);

  const auto w1 =
      b.constant<std::int8_t>("fc1.weight", DType::s8, {4, 6}, {127, -127, 3,  4,  5,    6,   //
                                                                -7,  8,    -9, 10, -128, 12,  //
                                                                13,  14,   15, 16, 17,   18,  //
                                                                0,   0,    0,  0,  0,    1});
  const auto s1 = b.constant<float>("fc1.scale", DType::f32, {4}, {0.01f, 0.02f, 0.03f, 0.5f});
  const auto b1 = b.constant<std::int32_t>("fc1.bias", DType::s32, {4}, {-1000, 0, 1, 70000});
  const auto h1 = b.q8("h1", DType::u8, {-1, 4}, 0.25f, 3);
  Node& fc1 = b.node(OpType::linear, "fc1", {flat, w1, s1, b1}, h1);
  fc1.clip_min = 0;
  fc1.clip_max = 6;

  const auto h2 = b.q8("h2", DType::s8, {-1, 4}, 0.125f, -5);
  b.node(OpType::requantize, "rescale", {h1}, h2);

  std::vector<std::int8_t> table(256);
  for (int i = 0; i < 256; ++i) {
    table[static_cast<std::size_t>(i)] = static_cast<std::int8_t>(i - 128);
  }
  std::reverse(table.begin() + 16, table.end() - 16);
  const auto t3 = b.constant("curve.table", DType::s8, {256}, table);
  const auto h3 = b.q8("h3", DType::s8, {-1, 4}, 0.0625f, 7);
  b.node(OpType::lookup, "curve", {h2, t3}, h3);

  const auto h4 = b.q8("h4", DType::u8, {-1, 4}, 0.125f, 100);
  b.node(OpType::add, "sum", {h3, h1}, h4).clip_min = -2.5f;
  const auto h5 = b.q8("h5", DType::u8, {-1, 4}, 0.125f, 100);
  b.node(OpType::clip, "bound", {h4}, h5).clip_max = 1.5f;
  const auto h6 = b.q8("h6", DType::u8, {-1, 8}, 0.125f, 100);
  b.node(OpType::concat, "join", {h4, h5}, h6).axis = 1;
  const auto h7 = b.q8("h7", DType::u8, {-1, 2, 4}, 0.125f, 100);
  b.node(OpType::reshape, "fold", {h6}, h7);
  const auto h8 = b.q8("h8", DType::u8, {-1, 4, 2}, 0.125f, 100);
  b.node(OpType::transpose, "turn", {h7}, h8).perm = {0, 2, 1};
  const auto h9 = b.q8("h9", DType::u8, {-1, 3, 2}, 0.125f, 100);
  Node& cut = b.node(OpType::slice, "cut", {h8}, h9);
  cut.axis = 1;
  cut.start = 1;
  const auto f1 = b.f32("f1", {-1, 3, 2});
  b.node(OpType::dequantize, "to_float", {h9}, f1);
  const auto as = b.constant<float>("norm.scale", DType::f32, {3}, {1.5f, -2, 0.25f});
  const auto at = b.constant<float>("norm.shift", DType::f32, {3}, {0, 1, -1});
  const auto f2 = b.f32("f2", {-1, 3, 2});
  b.node(OpType::affine, "norm", {f1, as, at}, f2).inner = 2;
  const auto f3 = b.f32("f3", {-1, 3, 2});
  b.node(OpType::softmax, "soft", {f2}, f3).axis = 2;
  const auto f4 = b.f32("probabilities", {-1, 3, 2});
  b.node(OpType::log_softmax, "log_soft", {f3}, f4).axis = 1;

  const auto wf = b.constant<float>("mix.weight", DType::f32, {3, 2}, {1, -1, 0.5f, 2, 0.125f, -3});
  const auto bf = b.constant<float>("mix.bias", DType::f32, {3}, {0.5f, 0, -0.5f});
  const auto g1 = b.f32("g1", {-1, 3});
  b.node(OpType::float_linear, "mix", {x, wf, bf}, g1).clip_min = -1;
  const auto g2 = b.q8("g2", DType::s8, {-1, 3}, 0.03125f, -128);
  b.node(OpType::quantize, "to_codes", {g1}, g2);
  const auto w2 = b.constant<std::int8_t>("fc2.weight", DType::s8, {2, 3}, {1, -2, 3, 40, 50, -60});
  const auto s2 = b.constant<float>("fc2.scale", DType::f32, {1}, {0.015625f});
  const auto b2 = b.constant<std::int32_t>("fc2.bias", DType::s32, {2}, {5, -6});
  const auto logits = b.f32("logits", {-1, 2});
  b.node(OpType::linear, "fc2", {g2, w2, s2, b2}, logits);

  b.graph.outputs = {logits, f4, x, logits};
  b.graph.metadata = {{"producer", "octet's tests"}, {"note", "a=b, µ"}, {"empty", ""}};
  return b;
}

// What reader version 2 brought: group_linear of either width, add of a constant on either side.
// tests/golden/v2.octet holds this graph.
inline GraphBuilder version_2_graph() {
  GraphBuilder b;
  const auto x = b.f32("x", {-1, 5});
  b.graph.inputs = {{x, false, {}}};
  const auto w4 = b.constant<std::uint8_t>("wide.weight", DType::u8, {4, 3},
                                           {0x87, 0xF1, 0x02, 0x34, 0x56, 0x07,  //
                                            0x98, 0xBA, 0x0C, 0xFF, 0x00, 0x08});
  const auto s4 = b.constant<float>("wide.scale", DType::f32, {4, 2},
                                    {0.5f, -0.25f, 0.125f, 1, 0.375f, 0.75f, -1, 0.0625f});
  const auto b4 = b.constant<float>("wide.bias", DType::f32, {4}, {0, 1, -1, 0.5f});
  const auto h1 = b.f32("h1", {-1, 4});
  Node& wide = b.node(OpType::group_linear, "wide", {x, w4, s4, b4}, h1);
  wide.group = 3;
  wide.clip_min = 0;
  const auto w8 = b.constant<std::int8_t>("narrow.weight", DType::s8, {2, 4},
                                          {127, -127, 5, -6, 0, 1, -128, 2});
  const auto s8 = b.constant<float>("narrow.scale", DType::f32, {2, 1}, {0.0625f, 0.03125f});
  const auto b8 = b.constant<float>("narrow.bias", DType::f32, {2}, {0.25f, -0.25f});
  const auto h2 = b.f32("h2", {-1, 2});
  b.node(OpType::group_linear, "narrow", {h1, w8, s8, b8}, h2).group = 4;
  const auto q1 = b.q8("q1", DType::u8, {-1, 2}, 0.125f, 100);
  b.node(OpType::quantize, "to_codes", {h2}, q1);
  const auto c1 = b.operand<std::uint8_t>("c1", DType::u8, {1, 2}, {0, 255}, 0.0625f, 17);
  const auto q2 = b.q8("q2", DType::s8, {-1, 2}, 0.25f, -3);
  b.node(OpType::add, "behind", {q1, c1}, q2);
  const auto c2 = b.operand<std::int8_t>("c2", DType::s8, {1, 2}, {-128, 127}, 0.5f, -1);
  const auto q3 = b.q8("q3", DType::s8, {-1, 2}, 0.5f, 5);
  b.node(OpType::add, "before", {c2, q2}, q3).clip_max = 3;
  b.graph.outputs = {h2, q3};
  return b;
}

// What reader version 3 brought: a scale that is found as the network runs, per row and per sample,
// and sums as an output. tests/golden/v3.octet holds this graph.
inline GraphBuilder version_3_graph() {
  GraphBuilder b;
  const auto x = b.f32("x", {-1, 2, 3});
  b.graph.inputs = {{x, false, {}}};
  const auto w1 = b.constant<std::int8_t>("rows.weight", DType::s8, {4, 3},
                                          {127, -127, 1, -128, 5, 6, 0, 0, 0, 100, -100, 50});
  const auto s1 = b.constant<float>("rows.scale", DType::f32, {4}, {0.5f, 0.25f, 1, 0.03125f});
  const auto b1 = b.constant<float>("rows.bias", DType::f32, {4}, {0, 1, -1, 0.5f});
  const auto h1 = b.f32("h1", {-1, 2, 4});
  Node& rows = b.node(OpType::dynamic_linear, "rows", {x, w1, s1, b1}, h1);
  rows.axis = 2;
  rows.clip_min = 0;
  const auto w2 =
      b.constant<std::int8_t>("all.weight", DType::s8, {2, 4}, {1, -2, 3, -4, 50, 60, 70, 80});
  const auto s2 = b.constant<float>("all.scale", DType::f32, {1}, {0.125f});
  const auto b2 = b.constant<float>("all.bias", DType::f32, {2}, {0.25f, -0.25f});
  const auto h2 = b.f32("h2", {-1, 2, 2});
  b.node(OpType::dynamic_linear, "all", {h1, w2, s2, b2}, h2).axis = 1;
  const auto codes = b.q8("codes", DType::u8, {-1, 2, 2}, 1, 0);
  b.node(OpType::dynamic_quantize, "quantize", {h2}, codes);
  const auto scale = b.f32("scale", {-1});
  b.node(OpType::dynamic_scale, "quantize_scale", {h2}, scale);
  const auto zero_point = b.q8("zero_point", DType::u8, {-1}, 1, 0);
  b.node(OpType::dynamic_zero_point, "quantize_zero_point", {h2}, zero_point);
  const auto w3 = b.constant<std::int8_t>("sum.weight", DType::s8, {1, 2}, {-128, 127});
  const auto s3 = b.constant<float>("sum.scale", DType::f32, {1}, {1});
  const auto b3 = b.constant<std::int32_t>("sum.bias", DType::s32, {1}, {1000000});
  const auto sums = b.s32("sums", {-1, 2, 1});
  b.node(OpType::linear, "sum", {codes, w3, s3, b3}, sums);
  b.graph.outputs = {h2, codes, scale, zero_point, sums};
  return b;
}

inline bool same_bytes(std::span<const std::byte> a, std::span<const std::byte> b) {
  return std::ranges::equal(a, b);
}

inline bool same(const Tensor& a, const Tensor& b) {
  return a.name == b.name && a.dtype == b.dtype && a.shape == b.shape && a.scale == b.scale &&
         a.zero_point == b.zero_point && a.is_constant == b.is_constant &&
         same_bytes(a.data, b.data);
}

inline bool same(const Node& a, const Node& b) {
  return a.name == b.name && a.op == b.op && a.inputs == b.inputs && a.output == b.output &&
         a.clip_min == b.clip_min && a.clip_max == b.clip_max && a.axis == b.axis &&
         a.start == b.start && a.inner == b.inner && a.perm == b.perm && a.group == b.group;
}

inline bool same(const engine::GraphInput& a, const engine::GraphInput& b) {
  return a.tensor == b.tensor && a.has_normalization == b.has_normalization &&
         a.normalization.mean == b.normalization.mean && a.normalization.std == b.normalization.std;
}

inline bool same_graph(const Graph& a, const Graph& b) {
  const auto equal = [](const auto& left, const auto& right) { return same(left, right); };
  return std::ranges::equal(a.tensors, b.tensors, equal) &&
         std::ranges::equal(a.nodes, b.nodes, equal) &&
         std::ranges::equal(a.inputs, b.inputs, equal) && a.outputs == b.outputs &&
         a.metadata == b.metadata;
}

}  // namespace octet::test
