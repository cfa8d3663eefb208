// SPDX-License-Identifier: Apache-2.0
// dynamic_linear: floats are quantized row by row as they come, multiplied in int8, and the exact
// int32 sums become floats at the row's own scale.
#include "engine/ops/dynamic.h"
#include "engine/ops/int8_matrix.h"
#include "engine/ops/op_table.h"

namespace octet::engine {
namespace {

// Rows that are quantized before they are multiplied: whole register blocks and tiles, fewer where
// their codes would fill a second-level cache.
constexpr std::size_t kRows = 96;
constexpr std::size_t kLeastRows = 24;
constexpr std::size_t kCodeBytes = std::size_t{384} << 10;

struct Params {
  DynamicQuantizer quantizer;
  Int8Matrix matrix;
  decltype(kernels::FloatTable::dequantize_sums) dequantize_sums;
  std::size_t rows_at_once;
  std::size_t range_rows;             // neighbours of a sample that share a range
  const std::int32_t* zeros;          // the sums' bias
  kernels::DynamicParams per_column;  // without zero_point and scale, which a row adds
};

struct Scratch {
  kernels::QuantizeParams quantization[kRows];
  const std::uint8_t* rows[kRows];
};

std::size_t code_stride(std::size_t k) {
  return kernels::round_up(k, 64);
}
std::size_t rows_at_once(std::size_t k) {
  return std::clamp(kCodeBytes / code_stride(k) / kLeastRows * kLeastRows, kLeastRows, kRows);
}
constexpr std::size_t kHeader = kernels::round_up(sizeof(Scratch), 64);

// Of one share: rows that share a range often follow each other.
class Rows {
 public:
  Rows(const Params& params, std::byte* scratch) : p_(params), scratch_(scratch) {}

  // Codes of `count` rows, the first of which is row `first` of its sample. A row's range, its
  // scale and its codes wait for each other, so the next row's range is looked for meanwhile.
  void quantize(const float* const* rows, std::size_t count, std::size_t first) {
    Scratch& s = header();
    choose(rows[0], first);
    for (std::size_t i = 0; i < count; ++i) {
      s.quantization[i] = chosen_;
      s.rows[i] = codes(i);
      if (i + 1 < count) choose(rows[i + 1], first + i + 1);
      p_.quantizer.quantize_codes(rows[i], p_.matrix.shape.k, s.quantization[i], codes(i));
    }
  }

  // c: row 0, column 0.
  void multiply(std::size_t count, const Tiles& tiles, std::byte* c, std::size_t ldc) {
    const Scratch& s = header();
    kernels::DynamicParams row = p_.per_column;
    p_.matrix.multiply(s.rows, count, tiles, c, ldc,
                       scratch_ + kHeader + p_.rows_at_once * code_stride(p_.matrix.shape.k),
                       {.store = kernels::Store::s32,
                        .bias = p_.zeros,
                        .mult = row.weight_scale,
                        .zero_point = 0,
                        .lo = 0,
                        .hi = 0,
                        .min = 0,
                        .max = 0});
    row.weight_sum += tiles.column_begin;
    row.weight_scale += tiles.column_begin;
    row.bias += tiles.column_begin;
    c += tiles.column_begin * sizeof(float);
    for (std::size_t i = 0; i < count; ++i, c += ldc) {
      row.zero_point = s.quantization[i].zero_point;
      row.scale = s.quantization[i].scale;
      p_.dequantize_sums(reinterpret_cast<const std::int32_t*>(c),
                         tiles.column_end - tiles.column_begin, row, reinterpret_cast<float*>(c));
    }
  }

 private:
  Scratch& header() { return *reinterpret_cast<Scratch*>(scratch_); }
  std::uint8_t* codes(std::size_t i) {
    return reinterpret_cast<std::uint8_t*>(scratch_ + kHeader) + i * code_stride(p_.matrix.shape.k);
  }

  // x: row `row` of its sample.
  void choose(const float* x, std::size_t row) {
    const MatrixShape& shape = p_.matrix.shape;
    const float* begin = x;
    if (p_.range_rows > 1) begin -= row % shape.rows % p_.range_rows * shape.k;
    if (begin == begin_) return;
    chosen_ = p_.quantizer.choose(begin, p_.range_rows * shape.k);
    begin_ = begin;
  }

  const Params& p_;
  std::byte* scratch_;
  const float* begin_ = nullptr;  // of the range that chosen_ is of
  kernels::QuantizeParams chosen_{};
};

void run(const Step& step, const Block& block, Share share) {
  const auto& p = *static_cast<const Params*>(step.params);
  Rows rows(p, static_cast<std::byte*>(block.scratch));
  for_tiles<float>(
      step, block, p.matrix.shape, share,
      [&](const float* const* x, std::size_t m, std::byte* c, std::size_t ldc, const Tiles& tiles) {
        for (std::size_t i = 0; i < m; i += p.rows_at_once) {
          const std::size_t count = std::min(p.rows_at_once, m - i);
          rows.quantize(x + i, count, tiles.row_begin + i);
          rows.multiply(count, tiles, c + i * ldc, ldc);
        }
      });
}

[[gnu::cold]] kernels::DynamicParams make_columns(const OpContext& context, std::size_t n) {
  const std::size_t columns = kernels::round_up(n, kernels::kColumnPadding);
  auto* sums = context.storage.array<std::int32_t>(columns);
  auto* scales = context.storage.array<float>(columns);
  auto* bias = context.storage.array<float>(columns);
  for (std::size_t i = 0; i < n; ++i) {
    sums[i] = weight_sum(context.input(1), i);
    scales[i] = weight_scale(context.input(2), i);
    bias[i] = element<float>(context.input(3), i);
  }
  return {.zero_point = 0,
          .scale = 0,
          .weight_sum = sums,
          .weight_scale = scales,
          .bias = bias,
          .min = context.node.clip_min,
          .max = context.node.clip_max};
}

}  // namespace

[[gnu::cold]] Compiled compile_dynamic_linear(const OpContext& context) {
  const Int8Matrix matrix = pack_int8_matrix(context);
  const MatrixShape& shape = matrix.shape;
  const std::size_t ranges = around_axis(context.input(0), context.node.axis).outer;
  const std::size_t columns = kernels::round_up(shape.n, kernels::kColumnPadding);
  Compiled compiled = compile_int8_matrix(context, matrix, "s32", 4 * sizeof(float));
  compiled.run = run;
  compiled.params = context.storage.keep(
      Params{DynamicQuantizer(context.table), matrix, context.table.f32->dequantize_sums,
             rows_at_once(shape.k), shape.rows / ranges,
             context.storage.array<std::int32_t>(columns), make_columns(context, shape.n)});
  return compiled;
}

Needs dynamic_linear_needs(const OpContext& context) {
  Needs needs = int8_matrix_needs(context);
  const auto k = static_cast<std::size_t>(context.input(0).shape.back());
  needs.scratch_bytes += kHeader + rows_at_once(k) * code_stride(k);
  return needs;
}

}  // namespace octet::engine
