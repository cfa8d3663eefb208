// SPDX-License-Identifier: Apache-2.0
// float_linear: a linear layer that stays in float, summed in k's order.
#include "engine/ops/float_matrix.h"
#include "engine/ops/op_table.h"

namespace octet::engine {

Compiled compile_float_linear(const OpContext& context) {
  const kernels::Table& table = context.table;
  FloatMatrix matrix{table.f32->linear, matrix_shape(context, kFloatRows, table.f32->nr), {}};
  const MatrixShape& shape = matrix.shape;
  const std::size_t packed_bytes = table.f32->packed_bytes(shape.n, shape.k);
  auto* weights = context.storage.array<std::byte>(packed_bytes);
  table.f32->pack_weights(reinterpret_cast<const float*>(context.input(1).data.data()), shape.n,
                          shape.k, weights);
  matrix.task.weights = weights;
  return compile_float_matrix(context, matrix, packed_bytes, 2, "float_linear");
}

Needs float_matrix_needs(const OpContext& context) {
  return matrix_needs(context);
}

}  // namespace octet::engine
