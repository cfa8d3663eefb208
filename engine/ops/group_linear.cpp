// SPDX-License-Identifier: Apache-2.0
// group_linear: float activations times weights of 8 or 4 bits, a float scale per group of inputs.
#include "engine/ops/float_matrix.h"
#include "engine/ops/op_table.h"

namespace octet::engine {

Compiled compile_group_linear(const OpContext& context) {
  const kernels::Table& table = context.table;
  FloatMatrix matrix{table.f32->group_linear, matrix_shape(context, kFloatRows, table.f32->nr), {}};
  const MatrixShape& shape = matrix.shape;
  const std::size_t group = std::min<std::size_t>(context.node.group, shape.k);
  const std::size_t bits = context.input(1).dtype == DType::s8 ? 8 : 4;
  const std::size_t packed_bytes = table.f32->packed_group_bytes(shape.n, shape.k, group, bits);
  auto* weights = context.storage.array<std::byte>(packed_bytes);
  const std::vector<std::int8_t> codes = weight_codes(context.input(1), shape.k);
  table.f32->pack_group_weights(codes.data(),
                                reinterpret_cast<const float*>(context.input(2).data.data()),
                                shape.n, shape.k, group, bits, weights);
  matrix.task.weights = weights;
  matrix.task.group = group;
  matrix.task.bits = bits;
  return compile_float_matrix(context, matrix, packed_bytes, 3,
                              bits == 8 ? "group_linear_8" : "group_linear_4");
}

}  // namespace octet::engine
