// SPDX-License-Identifier: Apache-2.0
// linear: 8-bit activations times s8 weights, exact int32 sums, then 8-bit codes, floats, or the
// sums.
#include "engine/ops/codes.h"
#include "engine/ops/matrix.h"
#include "engine/ops/op_table.h"

namespace octet::engine {
namespace {

struct Params {
  decltype(kernels::Table::gemm) gemm;
  const void* weights;
  MatrixShape shape;
  kernels::Epilogue epilogue;
};

void run(const Step& step, const Block& block, Share share) {
  const auto& p = *static_cast<const Params*>(step.params);
  for_tiles<std::uint8_t>(step, block, p.shape, share,
                          [&](const std::uint8_t* const* rows, std::size_t m, std::byte* c,
                              std::size_t ldc, const Tiles& tiles) {
                            p.gemm({.rows = rows,
                                    .m = m,
                                    .taps = 1,
                                    .k = p.shape.k,
                                    .weights = p.weights,
                                    .n_begin = tiles.column_begin,
                                    .n_end = tiles.column_end,
                                    .c = c,
                                    .ldc = ldc,
                                    .scratch = block.scratch,
                                    .epilogue = p.epilogue});
                          });
}

// bias[n] - za * sum of w[n], modulo 2^32, with za in the table's sign.
void fold_zero_point(const OpContext& context, std::int32_t* bias) {
  const Tensor& weight = context.input(1);
  const auto n = static_cast<std::size_t>(weight.shape[0]);
  const auto k = static_cast<std::size_t>(weight.shape[1]);
  const auto za =
      static_cast<std::uint32_t>(shifted_zero_point(context.input(0), context.table.sign));
  for (std::size_t i = 0; i < n; ++i) {
    std::uint32_t sum = 0;
    for (std::size_t j = 0; j < k; ++j) {
      sum += static_cast<std::uint32_t>(element<std::int8_t>(weight, i * k + j));
    }
    const auto b = static_cast<std::uint32_t>(element<std::int32_t>(context.input(3), i));
    bias[i] = static_cast<std::int32_t>(b - za * sum);
  }
}

// (sa * sw[n]) / sy, or sa * sw[n] for a float output.
void make_multipliers(const OpContext& context, std::size_t n, float* mult) {
  const Tensor& scales = context.input(2);
  const Tensor& y = context.output();
  const bool per_channel = scales.shape[0] != 1;
  for (std::size_t i = 0; i < n; ++i) {
    const float real = context.input(0).scale * element<float>(scales, per_channel ? i : 0);
    mult[i] = is_q8(y.dtype) ? real / y.scale : real;
  }
}

kernels::Epilogue make_epilogue(const OpContext& context, std::size_t n) {
  const std::size_t columns = kernels::round_up(n, kernels::kColumnPadding);
  auto* bias = context.storage.array<std::int32_t>(columns);
  auto* mult = context.storage.array<float>(columns);
  fold_zero_point(context, bias);
  make_multipliers(context, n, mult);
  const Tensor& y = context.output();
  kernels::Epilogue epilogue{.store = kernels::Store::f32,
                             .bias = bias,
                             .mult = mult,
                             .zero_point = 0,
                             .lo = 0,
                             .hi = 0,
                             .min = context.node.clip_min,
                             .max = context.node.clip_max};
  if (y.dtype == DType::s32) epilogue.store = kernels::Store::s32;
  if (is_q8(y.dtype)) {
    const Codes codes = clip_codes(context.node, y, context.table);
    epilogue.store = kernels::Store::q8;
    epilogue.zero_point = shifted_zero_point(y, context.table.sign);
    epilogue.lo = codes.lo;
    epilogue.hi = codes.hi;
  }
  return epilogue;
}

}  // namespace

Compiled compile_linear(const OpContext& context) {
  const kernels::Table& table = context.table;
  const Tensor& y = context.output();
  const MatrixShape shape = matrix_shape(context, table.tile.mr, table.tile.nr);
  const std::size_t packed_bytes = table.packed_bytes(shape.n, 1, shape.k);
  auto* weights = context.storage.array<std::byte>(packed_bytes);
  table.pack_weights(reinterpret_cast<const std::int8_t*>(context.input(1).data.data()), shape.n, 1,
                     shape.k, weights);
  const std::size_t columns = kernels::round_up(shape.n, kernels::kColumnPadding);
  return {.run = run,
          .params = context.storage.keep(
              Params{table.gemm, weights, shape, make_epilogue(context, shape.n)}),
          .kernel = message("gemm_", is_q8(y.dtype) ? std::string_view("q8") : dtype_name(y.dtype),
                            " ", table.name, " ", int{table.tile.mr}, "x", int{table.tile.nr}),
          .multiply_adds = std::uint64_t{shape.rows} * shape.n * shape.k,
          .parameter_bytes = packed_bytes + columns * (sizeof(std::int32_t) + sizeof(float)),
          .rows = shape.rows,
          .scratch_bytes = table.scratch_bytes(1, shape.k),
          .divisible = true};
}

}  // namespace octet::engine
