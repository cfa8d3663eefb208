// SPDX-License-Identifier: Apache-2.0
// What linear and dynamic_linear share: weights in int8, packed for a table's gemm.
#pragma once

#include <string_view>

#include "engine/ops/matrix.h"

namespace octet::engine {

struct Int8Matrix {
  decltype(kernels::Table::gemm) gemm;
  const void* weights;
  MatrixShape shape;

  // Columns [tiles.column_begin, tiles.column_end) of m rows; c: row 0, column 0.
  void multiply(const std::uint8_t* const* rows, std::size_t m, const Tiles& tiles, std::byte* c,
                std::size_t ldc, void* scratch, const kernels::Epilogue& epilogue) const {
    gemm({.rows = rows,
          .m = m,
          .taps = 1,
          .k = shape.k,
          .weights = weights,
          .n_begin = tiles.column_begin,
          .n_end = tiles.column_end,
          .c = c,
          .ldc = ldc,
          .scratch = scratch,
          .epilogue = epilogue});
  }
};

inline std::size_t packed_bytes(const kernels::Table& table, const MatrixShape& shape) {
  return table.packed_bytes(shape.n, 1, shape.k);
}

// Of the node's input 1.
inline Int8Matrix pack_int8_matrix(const OpContext& context) {
  const kernels::Table& table = context.table;
  const MatrixShape shape = matrix_shape(context, table.tile.mr, table.tile.nr);
  auto* weights = context.storage.array<std::byte>(packed_bytes(table, shape));
  table.pack_weights(reinterpret_cast<const std::int8_t*>(context.input(1).data.data()), shape.n, 1,
                     shape.k, weights);
  return {table.gemm, weights, shape};
}

// Row pointers, and the scratch of gemm.
inline Needs int8_matrix_needs(const OpContext& context) {
  const MatrixShape shape = matrix_shape(context, 1, 1);
  return {.rows = shape.rows, .scratch_bytes = context.table.scratch_bytes(1, shape.k)};
}

// The sum of a row of s8 weights, modulo 2^32.
inline std::int32_t weight_sum(const Tensor& weight, std::size_t row) {
  const auto k = static_cast<std::size_t>(weight.shape[1]);
  std::uint32_t sum = 0;
  for (std::size_t i = row * k; i < (row + 1) * k; ++i) {
    sum += static_cast<std::uint32_t>(element<std::int8_t>(weight, i));
  }
  return static_cast<std::int32_t>(sum);
}

// The scale of a row, one for each or one for all.
inline float weight_scale(const Tensor& scales, std::size_t row) {
  return element<float>(scales, scales.shape[0] == 1 ? 0 : row);
}

// A step of it; store: what gemm writes, column_bytes: of the parameters of a column beside
// weights.
inline Compiled compile_int8_matrix(const OpContext& context, const Int8Matrix& matrix,
                                    std::string_view store, std::size_t column_bytes) {
  const kernels::Table& table = context.table;
  const MatrixShape& shape = matrix.shape;
  Compiled compiled;
  compiled.kernel =
      message("gemm_", store, " ", table.name, " ", int{table.tile.mr}, "x", int{table.tile.nr});
  compiled.multiply_adds = std::uint64_t{shape.rows} * shape.n * shape.k;
  compiled.parameter_bytes = packed_bytes(table, shape) +
                             kernels::round_up(shape.n, kernels::kColumnPadding) * column_bytes;
  compiled.divisible = true;
  return compiled;
}

}  // namespace octet::engine
