// SPDX-License-Identifier: Apache-2.0
#include "engine/ops/int8_matrix.h"

namespace octet::engine {
namespace {

std::size_t packed_bytes(const kernels::Table& table, const MatrixShape& shape) {
  return table.packed_bytes(shape.n, 1, shape.k);
}

}  // namespace

Int8Matrix pack_int8_matrix(const OpContext& context) {
  const kernels::Table& table = context.table;
  const MatrixShape shape = matrix_shape(context, table.tile.mr, table.tile.nr);
  auto* weights = context.storage.array<std::byte>(packed_bytes(table, shape));
  table.pack_weights(reinterpret_cast<const std::int8_t*>(context.input(1).data.data()), shape.n, 1,
                     shape.k, weights);
  return {table.gemm, weights, shape};
}

Needs int8_matrix_needs(const OpContext& context) {
  const MatrixShape shape = matrix_shape(context, 1, 1);
  return {.rows = shape.rows, .scratch_bytes = context.table.scratch_bytes(1, shape.k)};
}

std::int32_t weight_sum(const Tensor& weight, std::size_t row) {
  const auto k = static_cast<std::size_t>(weight.shape[1]);
  std::uint32_t sum = 0;
  for (std::size_t i = row * k; i < (row + 1) * k; ++i) {
    sum += static_cast<std::uint32_t>(element<std::int8_t>(weight, i));
  }
  return static_cast<std::int32_t>(sum);
}

Compiled compile_int8_matrix(const OpContext& context, const Int8Matrix& matrix,
                             std::string_view store, std::size_t column_bytes) {
  const kernels::Table& table = context.table;
  const MatrixShape& shape = matrix.shape;
  Compiled compiled;
  compiled.kernel =
      message("gemm_", store, " ", table.name, " ", int{table.tile.mr}, "x", int{table.tile.nr});
  compiled.multiply_adds = std::uint64_t{shape.rows} * shape.n * shape.k;
  compiled.parameter_bytes = packed_bytes(table, shape) +
                             kernels::round_up(shape.n, kernels::kColumnPadding) * column_bytes;
  compiled.unread_bytes = packed_bytes(table, shape) / table.forms * (table.forms - 1U);
  compiled.has_tiles = table.tile_speed > 1 && shape.n >= table.tile.nr / 2;
  compiled.divisible = true;
  return compiled;
}

}  // namespace octet::engine
