// SPDX-License-Identifier: Apache-2.0
// group_linear: float activations times weights of 8 or 4 bits, a float scale per group of inputs.
#include "engine/ops/float_matrix.h"
#include "engine/ops/op_table.h"

namespace octet::engine {
namespace {

// One code per byte, [n][k].
std::vector<std::int8_t> unpack(const Tensor& weight, std::size_t n, std::size_t k) {
  std::vector<std::int8_t> codes(n * k);
  if (weight.dtype == DType::s8) {
    std::memcpy(codes.data(), weight.data.data(), codes.size());
    return codes;
  }
  const std::size_t row_bytes = (k + 1) / 2;
  for (std::size_t i = 0; i < codes.size(); ++i) {
    const std::size_t column = i % k;
    const unsigned byte = element<std::uint8_t>(weight, i / k * row_bytes + column / 2);
    const unsigned nibble = column % 2 == 0 ? byte & 15 : byte >> 4;
    codes[i] = static_cast<std::int8_t>(static_cast<int>(nibble ^ 8) - 8);
  }
  return codes;
}

}  // namespace

Compiled compile_group_linear(const OpContext& context) {
  const kernels::Table& table = context.table;
  FloatMatrix matrix{table.group_linear, matrix_shape(context, kFloatRows, table.float_nr), {}};
  const MatrixShape& shape = matrix.shape;
  const std::size_t group = std::min<std::size_t>(context.node.group, shape.k);
  const std::size_t bits = context.input(1).dtype == DType::s8 ? 8 : 4;
  const std::size_t packed_bytes = table.packed_group_bytes(shape.n, shape.k, group, bits);
  auto* weights = context.storage.array<std::byte>(packed_bytes);
  const std::vector<std::int8_t> codes = unpack(context.input(1), shape.n, shape.k);
  table.pack_group_weights(codes.data(),
                           reinterpret_cast<const float*>(context.input(2).data.data()), shape.n,
                           shape.k, group, bits, weights);
  matrix.task.weights = weights;
  matrix.task.group = group;
  matrix.task.bits = bits;
  return compile_float_matrix(context, matrix, packed_bytes, 3,
                              bits == 8 ? "group_linear_8" : "group_linear_4");
}

}  // namespace octet::engine
