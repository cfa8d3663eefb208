// SPDX-License-Identifier: Apache-2.0
// float_linear: a linear layer that stays in float, summed in k's order.
#include "engine/ops/matrix.h"
#include "engine/ops/op_table.h"

namespace octet::engine {
namespace {

// Rows per share that still fill the float kernels' register blocks.
constexpr std::size_t kRows = 4;

struct Params {
  decltype(kernels::Table::float_linear) float_linear;
  const void* weights;
  const float* bias;
  MatrixShape shape;
  float min;
  float max;
};

void run(const Step& step, const Block& block, Share share) {
  const auto& p = *static_cast<const Params*>(step.params);
  for_tiles<float>(step, block, p.shape, share,
                   [&](const float* const* rows, std::size_t m, std::byte* c, std::size_t ldc,
                       const Tiles& tiles) {
                     p.float_linear({.rows = rows,
                                     .m = m,
                                     .k = p.shape.k,
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

}  // namespace

Compiled compile_float_linear(const OpContext& context) {
  const kernels::Table& table = context.table;
  const MatrixShape shape = matrix_shape(context, kRows, table.float_nr);
  const std::size_t packed_bytes = table.packed_float_bytes(shape.n, shape.k);
  auto* weights = context.storage.array<std::byte>(packed_bytes);
  table.pack_float_weights(reinterpret_cast<const float*>(context.input(1).data.data()), shape.n,
                           shape.k, weights);
  const std::size_t columns = kernels::round_up(shape.n, kernels::kColumnPadding);
  auto* bias = context.storage.array<float>(columns);
  for (std::size_t i = 0; i < shape.n; ++i) bias[i] = element<float>(context.input(2), i);
  return {.run = run,
          .params = context.storage.keep(Params{table.float_linear, weights, bias, shape,
                                                context.node.clip_min, context.node.clip_max}),
          .kernel = context.kernel("float_linear"),
          .multiply_adds = std::uint64_t{shape.rows} * shape.n * shape.k,
          .parameter_bytes = packed_bytes + columns * sizeof(float),
          .rows = shape.rows,
          .divisible = true};
}

}  // namespace octet::engine
