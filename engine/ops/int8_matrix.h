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

// Of the node's input 1.
Int8Matrix pack_int8_matrix(const OpContext& context);

// Row pointers, and the scratch of gemm.
Needs int8_matrix_needs(const OpContext& context);

// The sum of a row of s8 weights, modulo 2^32.
std::int32_t weight_sum(const Tensor& weight, std::size_t row);

// The scale of a row, one for each or one for all.
inline float weight_scale(const Tensor& scales, std::size_t row) {
  return element<float>(scales, scales.shape[0] == 1 ? 0 : row);
}

// A step of it; store: what gemm writes, column_bytes: of the parameters of a column beside
// weights.
Compiled compile_int8_matrix(const OpContext& context, const Int8Matrix& matrix,
                             std::string_view store, std::size_t column_bytes);

}  // namespace octet::engine
