// SPDX-License-Identifier: Apache-2.0
// Networks of a size that tasks can share.
#pragma once

#include <random>

#include "engine/errors.h"
#include "tests/engine/graph_builder.h"

namespace octet::test {

// f32 x -> quantize -> linear with ReLU for each width but the last -> linear to f32 logits. rows:
// of a sample.
inline GraphBuilder mlp(const std::vector<std::int64_t>& widths, std::int64_t rows = 1) {
  std::mt19937 random(11);
  GraphBuilder b;
  const auto shape = [&](std::int64_t width) {
    return rows == 1 ? std::vector<std::int64_t>{-1, width}
                     : std::vector<std::int64_t>{-1, rows, width};
  };
  const auto x = b.f32("x", shape(widths[0]));
  auto h = b.q8("h0", DType::u8, shape(widths[0]), 0.05f, 128);
  b.node(OpType::quantize, "quantize", {x}, h);
  for (std::size_t i = 1; i < widths.size(); ++i) {
    const std::string name = engine::message("fc", i);
    const bool last = i + 1 == widths.size();
    std::vector<std::int8_t> weights(static_cast<std::size_t>(widths[i - 1] * widths[i]));
    for (auto& w : weights) w = static_cast<std::int8_t>(static_cast<int>(random() % 255) - 127);
    std::vector<std::int32_t> biases(static_cast<std::size_t>(widths[i]));
    for (auto& v : biases) v = static_cast<std::int32_t>(random() % 20001) - 10000;
    const auto w = b.constant(name + ".w", DType::s8, {widths[i], widths[i - 1]}, weights);
    const auto s = b.constant<float>(name + ".s", DType::f32, {1}, {0.002f});
    const auto v = b.constant(name + ".b", DType::s32, {widths[i]}, biases);
    const auto y = last ? b.f32("logits", shape(widths[i]))
                        : b.q8(engine::message("h", i), DType::u8, shape(widths[i]), 0.05f, 0);
    Node& node = b.node(OpType::linear, name, {h, w, s, v}, y);
    if (!last) node.clip_min = 0;
    h = y;
  }
  b.graph.inputs = {{x, false, {}}};
  b.graph.outputs = {h};
  return b;
}

}  // namespace octet::test
