// SPDX-License-Identifier: Apache-2.0
// group_linear: float activations times weights of 8 or 4 bits, a float scale per group of inputs.
#include "engine/ops/matrix.h"
#include "engine/ops/op_table.h"

namespace octet::engine {
namespace {

// Rows per share that still fill the kernels' register blocks.
constexpr std::size_t kRows = 4;

struct Params {
  decltype(kernels::Table::group_linear) group_linear;
  const void* weights;
  const float* bias;
  MatrixShape shape;
  std::size_t group;
  std::size_t bits;
  float min;
  float max;
};

void run(const Step& step, const Block& block, Share share) {
  const auto& p = *static_cast<const Params*>(step.params);
  for_tiles<float>(step, block, p.shape, share,
                   [&](const float* const* rows, std::size_t m, std::byte* c, std::size_t ldc,
                       const Tiles& tiles) {
                     p.group_linear({.rows = rows,
                                     .m = m,
                                     .k = p.shape.k,
                                     .group = p.group,
                                     .bits = p.bits,
                                     .weights = p.weights,
                                     .bias = p.bias,
                                     .n_begin = tiles.column_begin,
                                     .n_end = tiles.column_end,
                                     .c = reinterpret_cast<float*>(c),
                                     .ldc = ldc / sizeof(float),
                                     .min = p.min,
                                     .max = p.max});
                   });
}

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
  const MatrixShape shape = matrix_shape(context, kRows, table.float_nr);
  const std::size_t group = std::min<std::size_t>(context.node.group, shape.k);
  const std::size_t bits = context.input(1).dtype == DType::s8 ? 8 : 4;
  const std::size_t packed_bytes = table.packed_group_bytes(shape.n, shape.k, group, bits);
  auto* weights = context.storage.array<std::byte>(packed_bytes);
  const std::vector<std::int8_t> codes = unpack(context.input(1), shape.n, shape.k);
  table.pack_group_weights(codes.data(),
                           reinterpret_cast<const float*>(context.input(2).data.data()), shape.n,
                           shape.k, group, bits, weights);
  const std::size_t columns = kernels::round_up(shape.n, kernels::kColumnPadding);
  auto* bias = context.storage.array<float>(columns);
  for (std::size_t i = 0; i < shape.n; ++i) bias[i] = element<float>(context.input(3), i);
  return {
      .run = run,
      .params = context.storage.keep(Params{table.group_linear, weights, bias, shape, group, bits,
                                            context.node.clip_min, context.node.clip_max}),
      .kernel = context.kernel(bits == 8 ? "group_linear_8" : "group_linear_4"),
      .multiply_adds = std::uint64_t{shape.rows} * shape.n * shape.k,
      .parameter_bytes = packed_bytes + columns * sizeof(float),
      .rows = shape.rows,
      .divisible = true};
}

}  // namespace octet::engine
