// SPDX-License-Identifier: Apache-2.0
// What linear, float_linear and group_linear share: the output as a matrix of rows and columns, and
// its division between tasks. Never over k: a sum is always one task's.
#pragma once

#include <algorithm>

#include "engine/ops/op.h"

namespace octet::engine {

// [begin, end) of a matrix's rows and columns.
struct Tiles {
  std::size_t row_begin;
  std::size_t row_end;
  std::size_t column_begin;
  std::size_t column_end;
};

// One of several shares of an m x n output in whole tiles of mr x nr. Two of them, halves of the
// columns or else of the rows, are a task's: rows where these are many and weights not far, else
// columns or rows, whichever leaves the largest smaller.
Tiles divide(std::size_t m, std::size_t n, std::size_t mr, std::size_t nr, Share share,
             bool is_far) noexcept;

// The shape of a matrix product with x [N,...,K] and an output [N,...,M].
struct MatrixShape {
  std::size_t rows;       // per sample
  std::size_t k;          // columns of the input
  std::size_t n;          // columns of the output
  std::size_t in_bytes;   // of an element
  std::size_t out_bytes;  // of an element
  std::size_t mr;
  std::size_t nr;
};

inline MatrixShape matrix_shape(const OpContext& context, std::size_t mr, std::size_t nr) {
  const Tensor& x = context.input(0);
  const auto k = static_cast<std::size_t>(x.shape.back());
  return {sample_elements(x) / k,
          k,
          static_cast<std::size_t>(context.output().shape.back()),
          dtype_bytes(x.dtype),
          dtype_bytes(context.output().dtype),
          mr,
          nr};
}

// Row pointers, and no scratch.
inline Needs matrix_needs(const OpContext& context) {
  return {.rows = matrix_shape(context, 1, 1).rows};
}

// Calls f(row pointers, m, c, ldc, tiles) for this share of the block: once where the output's rows
// lie equally far apart, else once per sample. The pointers are those of tiles' rows, c is their
// first.
template <class In, class Function>
void for_tiles(const Step& step, const Block& block, const MatrixShape& shape, Share share,
               Function f) {
  const std::size_t row_bytes = shape.n * shape.out_bytes;
  const bool one_matrix = shape.rows == 1 || step.out.stride == shape.rows * row_bytes;
  const std::size_t calls = one_matrix ? 1 : block.samples;
  const std::size_t m = one_matrix ? block.samples * shape.rows : shape.rows;
  const std::size_t ldc = shape.rows == 1 ? step.out.stride : row_bytes;
  const Tiles tiles = share.parts == 1
                          ? Tiles{0, m, 0, shape.n}
                          : divide(m, shape.n, shape.mr, shape.nr, share, step.block_cost > 0);
  const std::size_t count = tiles.row_end - tiles.row_begin;
  if (count == 0 || tiles.column_begin == tiles.column_end) return;
  const auto** rows = reinterpret_cast<const In**>(block.rows);
  for (std::size_t call = 0; call < calls; ++call) {
    std::size_t sample = call;
    std::size_t row = 0;
    if (tiles.row_begin > 0) {
      sample += tiles.row_begin / shape.rows;
      row = tiles.row_begin % shape.rows;
    }
    for (std::size_t i = 0; i < count; ++i) {
      rows[i] = at<const In>(block, step.in[0], sample) + row * shape.k;
      if (++row == shape.rows) {
        row = 0;
        ++sample;
      }
    }
    f(rows, count, at<std::byte>(block, step.out, call) + tiles.row_begin * ldc, ldc, tiles);
  }
}

}  // namespace octet::engine
