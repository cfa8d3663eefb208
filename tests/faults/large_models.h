// SPDX-License-Identifier: Apache-2.0
// Small files that ask for much: memory, or time, that their size does not explain.
#pragma once

#include <string>
#include <vector>

#include "tests/engine/graph_builder.h"
#include "tests/engine/model_bytes.h"

namespace octet::test {

// A chain of affines, each of which spreads one channel over two arrays of 64 MiB.
inline GraphBuilder spread_affines(int nodes) {
  constexpr std::uint32_t kElements = 1 << 24;
  GraphBuilder b;
  const auto one = b.constant<float>("one", DType::f32, {1}, {1});
  auto x = b.f32("x", {-1, kElements});
  b.graph.inputs = {{x, false, {}}};
  for (int i = 0; i < nodes; ++i) {
    const auto y = b.f32("y" + std::to_string(i), {-1, kElements});
    b.node(OpType::affine, "a", {x, one, one}, y).inner = kElements;
    x = y;
  }
  b.graph.outputs = {x};
  return b;
}

// One input that so many linears with the same weights, 1 MiB, read.
inline GraphBuilder shared_weights(int nodes) {
  constexpr std::int64_t kColumns = 1 << 20;
  GraphBuilder b;
  const auto x = b.q8("x", DType::u8, {-1, kColumns}, 1, 0);
  const auto w = b.constant("w", DType::s8, {1, kColumns}, std::vector<std::int8_t>(kColumns, 1));
  const auto s = b.constant<float>("s", DType::f32, {1}, {1});
  const auto bias = b.constant<std::int32_t>("b", DType::s32, {1}, {0});
  b.graph.inputs = {{x, false, {}}};
  for (int i = 0; i < nodes; ++i) {
    const auto y = b.f32("y" + std::to_string(i), {-1, 1});
    b.node(OpType::linear, "fc", {x, w, s, bias}, y);
    b.graph.outputs = {y};
  }
  return b;
}

// Tensors that are one table in the file, whose name has so many bytes.
inline ModelBytes shared_names(std::uint32_t tensors, std::size_t name_bytes) {
  octet_flatbuffers::FlatBufferBuilder builder;
  const auto name = builder.CreateString(std::string(name_bytes, 'x'));
  const auto shape = builder.CreateVector(std::vector<std::int32_t>{-1});
  const auto tensor = fb::CreateTensor(builder, name, fb::DType::f32, shape);
  const auto tensor_list =
      builder.CreateVector(std::vector<octet_flatbuffers::Offset<fb::Tensor>>(tensors, tensor));
  const auto inputs = builder.CreateVector(
      std::vector<octet_flatbuffers::Offset<fb::Input>>{fb::CreateInput(builder, 0)});
  const auto outputs = builder.CreateVector(std::vector<std::uint32_t>{0});
  builder.Finish(
      fb::CreateModel(builder, engine::kArithmeticVersion, tensor_list, 0, inputs, outputs, 0));
  return ModelBytes(builder, 0);
}

}  // namespace octet::test
