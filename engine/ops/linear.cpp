// SPDX-License-Identifier: Apache-2.0
// linear: 8-bit activations times s8 weights, exact int32 sums, then 8-bit codes, floats, or the
// sums.
#include "engine/ops/codes.h"
#include "engine/ops/int8_matrix.h"
#include "engine/ops/op_table.h"

namespace octet::engine {
namespace {

struct Params {
  Int8Matrix matrix;
  kernels::Epilogue epilogue;
};

void run(const Step& step, const Block& block, Share share) {
  const auto& p = *static_cast<const Params*>(step.params);
  for_tiles<std::uint8_t>(step, block, p.matrix.shape, share,
                          [&](const std::uint8_t* const* rows, std::size_t m, std::byte* c,
                              std::size_t ldc, const Tiles& tiles) {
                            p.matrix.multiply(rows, m, tiles, c, ldc, block.scratch, p.epilogue);
                          });
}

// bias[n] - za * sum of w[n], modulo 2^32, with za in the table's sign.
[[gnu::cold]] void fold_zero_point(const OpContext& context, std::size_t n, std::int32_t* bias) {
  const auto za =
      static_cast<std::uint32_t>(shifted_zero_point(context.input(0), context.table.sign));
  for (std::size_t i = 0; i < n; ++i) {
    const auto sum = static_cast<std::uint32_t>(weight_sum(context.input(1), i));
    const auto b = static_cast<std::uint32_t>(element<std::int32_t>(context.input(3), i));
    bias[i] = static_cast<std::int32_t>(b - za * sum);
  }
}

// (sa * sw[n]) / sy, or sa * sw[n] for a float output.
[[gnu::cold]] void make_multipliers(const OpContext& context, std::size_t n, float* mult) {
  const Tensor& y = context.output();
  for (std::size_t i = 0; i < n; ++i) {
    const float real = context.input(0).scale * weight_scale(context.input(2), i);
    mult[i] = is_q8(y.dtype) ? real / y.scale : real;
  }
}

[[gnu::cold]] kernels::Epilogue make_epilogue(const OpContext& context, std::size_t n) {
  const std::size_t columns = kernels::round_up(n, kernels::kColumnPadding);
  auto* bias = context.storage.array<std::int32_t>(columns);
  auto* mult = context.storage.array<float>(columns);
  fold_zero_point(context, n, bias);
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
    epilogue.below_one = kernels::all_below_one(mult, n);
  }
  return epilogue;
}

}  // namespace

[[gnu::cold]] Compiled compile_linear(const OpContext& context) {
  const DType y = context.output().dtype;
  const Int8Matrix matrix = pack_int8_matrix(context);
  Compiled compiled = compile_int8_matrix(context, matrix, is_q8(y) ? "q8" : dtype_name(y),
                                          sizeof(std::int32_t) + sizeof(float));
  compiled.run = run;
  compiled.params = context.storage.keep(Params{matrix, make_epilogue(context, matrix.shape.n)});
  return compiled;
}

Needs linear_needs(const OpContext& context) {
  return int8_matrix_needs(context);
}

}  // namespace octet::engine
