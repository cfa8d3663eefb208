// SPDX-License-Identifier: Apache-2.0
// What float_linear and group_linear share: floats in, floats out, a kernel of one signature.
#pragma once

#include "engine/ops/matrix.h"

namespace octet::engine {

struct FloatMatrix {
  void (*kernel)(const kernels::FloatLinearTask& task);
  MatrixShape shape;
  kernels::FloatLinearTask task;  // without rows, columns and output, which a call adds
};

// Rows per share that still fill the kernels' register blocks.
inline constexpr std::size_t kFloatRows = 4;

inline void run_float_matrix(const Step& step, const Block& block, Share share) {
  const auto& p = *static_cast<const FloatMatrix*>(step.params);
  for_tiles<float>(step, block, p.shape, share,
                   [&](const float* const* rows, std::size_t m, std::byte* c, std::size_t ldc,
                       const Tiles& tiles) {
                     kernels::FloatLinearTask task = p.task;
                     task.rows = rows;
                     task.m = m;
                     task.n_begin = tiles.column_begin;
                     task.n_end = tiles.column_end;
                     task.c = reinterpret_cast<float*>(c);
                     task.ldc = ldc / sizeof(float);
                     p.kernel(task);
                   });
}

// A step of packed weights; bias: the node's input of that number.
inline Compiled compile_float_matrix(const OpContext& context, FloatMatrix matrix,
                                     std::size_t packed_bytes, std::size_t bias,
                                     const char* kernel) {
  const MatrixShape& shape = matrix.shape;
  const std::size_t columns = kernels::round_up(shape.n, kernels::kColumnPadding);
  auto* padded = context.storage.array<float>(columns);
  for (std::size_t i = 0; i < shape.n; ++i) padded[i] = element<float>(context.input(bias), i);
  matrix.task.k = shape.k;
  matrix.task.bias = padded;
  matrix.task.min = context.node.clip_min;
  matrix.task.max = context.node.clip_max;
  return {.run = run_float_matrix,
          .params = context.storage.keep(matrix),
          .kernel = context.kernel(kernel),
          .multiply_adds = std::uint64_t{shape.rows} * shape.n * shape.k,
          .parameter_bytes = packed_bytes + columns * sizeof(float),
          .divisible = true};
}

}  // namespace octet::engine
