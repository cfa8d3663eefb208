// SPDX-License-Identifier: Apache-2.0
// float_linear: a linear layer that stays in float, summed in k's order.
#include "engine/ops/float_matrix.h"
#include "engine/ops/op_table.h"

namespace octet::engine {

Compiled compile_float_linear(const OpContext& context) {
  const kernels::Table& table = context.table;
  FloatMatrix matrix{table.float_linear, matrix_shape(context, kFloatRows, table.float_nr), {}};
  const MatrixShape& shape = matrix.shape;
  const std::size_t packed_bytes = table.packed_float_bytes(shape.n, shape.k);
  auto* weights = context.storage.array<std::byte>(packed_bytes);
  table.pack_float_weights(reinterpret_cast<const float*>(context.input(1).data.data()), shape.n,
                           shape.k, weights);
  matrix.task.weights = weights;
  return compile_float_matrix(context, matrix, packed_bytes, 2, "float_linear");
}

}  // namespace octet::engine
