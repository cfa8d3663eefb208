// SPDX-License-Identifier: Apache-2.0
// Plain ARMv8.0 NEON, for cores without SDOT: codes and weights are widened to s16 and multiplied
// into int32 sums by lane, which is exact for all s8 a and w (adding two s8 products in s16 is not:
// 2 * -128 * -128 = 2^15).
//
// The register block is 8 rows x 2 vectors of 4 columns; per k:
//
//                 w[k]:   low  high    8 columns, s8 widened to s16
//     a[0] lane k   ->    acc  acc
//     ...                              8 k of each row are loaded and widened at once
//     a[7] lane k   ->    acc  acc     16 accumulators + 8 rows + 1 weights <= 32
#include <arm_neon.h>

#include "kernels/elementwise.inl"
#include "kernels/float_linear.inl"
#include "kernels/gemm_loop.inl"
#include "kernels/tables.h"

namespace octet::kernels {
namespace {

struct Neon {
  static constexpr std::size_t kLanes = 4;
  static constexpr std::size_t kWidths[] = {4, 8};
  static constexpr std::size_t kKr = 1;
  static constexpr std::size_t kMr = 8;
  static constexpr std::size_t kRowsPerPass = kAllRows;
  static constexpr std::size_t kUnroll = 8;  // k per load of a row

  static void prepare(const GemmTask&, std::size_t, std::size_t) {}

  template <std::size_t Rows, std::size_t Vectors>
  using Acc = int32x4_t[Rows][Vectors];

  template <std::size_t Width>
  static inline int16x8_t load_weights(const std::int8_t* panel) {
    if constexpr (Width == 8) {
      return vmovl_s8(vld1_s8(panel));
    } else {
      return vmovl_s8(vcreate_s8(load_word(panel)));
    }
  }

  template <std::size_t Rows, std::size_t Width>
  [[gnu::flatten]] static void tile(const GemmTask& task, const Block& block) {
    constexpr std::size_t kVectors = Width / kLanes;
    Acc<Rows, kVectors> acc;
    unroll<kVectors>([&](auto v) {
      const int32x4_t bias = vld1q_s32(task.epilogue.bias + block.column + kLanes * v);
      unroll<Rows>([&](auto r) { acc[r][v] = bias; });
    });
    const std::int8_t* panel = block.panel;
    for (std::size_t tap = 0; tap < task.taps; ++tap) {
      const std::uint8_t* a[Rows];
      unroll<Rows>([&](auto r) { a[r] = task.rows[tap * task.m + block.row + r]; });
      std::size_t k = 0;
      for (; k + kUnroll <= task.k; k += kUnroll, panel += kUnroll * Width) {
        int16x8_t codes[Rows];
        unroll<Rows>([&](auto r) { codes[r] = vmovl_s8(vreinterpret_s8_u8(vld1_u8(a[r] + k))); });
        unroll<kUnroll>([&](auto lane) {
          const int16x8_t w = load_weights<Width>(panel + Width * lane);
          unroll<Rows>([&](auto r) {
            acc[r][0] = vmlal_laneq_s16(acc[r][0], vget_low_s16(w), codes[r], lane);
            if constexpr (kVectors == 2) {
              acc[r][1] = vmlal_high_laneq_s16(acc[r][1], w, codes[r], lane);
            }
          });
        });
      }
      for (; k < task.k; ++k, panel += Width) {
        const int16x8_t w = load_weights<Width>(panel);
        unroll<Rows>([&](auto r) {
          const auto code = static_cast<std::int8_t>(a[r][k]);
          acc[r][0] = vmlal_n_s16(acc[r][0], vget_low_s16(w), code);
          if constexpr (kVectors == 2) acc[r][1] = vmlal_high_n_s16(acc[r][1], w, code);
        });
      }
    }
    store(task, block, acc);
  }

  // Part of a panel is stored to a whole block on the stack and copied from there.
  template <std::size_t Rows, std::size_t Vectors>
  [[gnu::always_inline]] static inline void store(const GemmTask& task, const Block& block,
                                                  const Acc<Rows, Vectors>& acc) {
    const Store kind = task.epilogue.store;
    const std::size_t element = kind == Store::q8 ? 1 : 4;
    // A row of codes is one store of 8 bytes.
    const bool whole = block.columns == (kind == Store::q8 ? 8 : kLanes * Vectors);
    alignas(16) char part[Rows][16 * Vectors];
    char* c = static_cast<char*>(task.c) + block.row * task.ldc + block.column * element;
    char* out = whole ? c : part[0];
    const std::size_t stride = whole ? task.ldc : sizeof part[0];
    switch (kind) {
      case Store::q8:
        store_q8(task, block, acc, out, stride);
        break;
      case Store::f32:
        store_f32(task, block, acc, out, stride);
        break;
      case Store::s32:
        unroll<Rows>([&](auto r) {
          unroll<Vectors>([&](auto v) {
            vst1q_s32(reinterpret_cast<std::int32_t*>(out + r * stride + 16 * v), acc[r][v]);
          });
        });
        break;
    }
    if (whole) return;
    for (std::size_t r = 0; r < Rows; ++r) {
      memcpy(c + r * task.ldc, part[r], block.columns * element);
    }
  }

  [[gnu::always_inline]] static inline float32x4_t product(const GemmTask& task, const Block& block,
                                                           int32x4_t acc, std::size_t v) {
    const float32x4_t mult = vld1q_f32(task.epilogue.mult + block.column + kLanes * v);
    return vmulq_f32(vcvtq_f32_s32(acc), mult);
  }

  // Every narrowing saturates, from the conversion (vcvtn rounds half to even) on: the clamp to
  // [lo, hi] at the end is the same as one in the reals.
  template <std::size_t Rows, std::size_t Vectors>
  [[gnu::always_inline]] static inline void store_q8(const GemmTask& task, const Block& block,
                                                     const Acc<Rows, Vectors>& acc, char* out,
                                                     std::size_t stride) {
    const Epilogue& e = task.epilogue;
    const int8x8_t lo = vdup_n_s8(static_cast<std::int8_t>(e.lo));
    const int8x8_t hi = vdup_n_s8(static_cast<std::int8_t>(e.hi));
    const int16x8_t zero_point = vdupq_n_s16(static_cast<std::int16_t>(e.zero_point));
    unroll<Rows>([&](auto r) {
      int16x4_t q[2] = {vdup_n_s16(0), vdup_n_s16(0)};
      unroll<Vectors>(
          [&](auto v) { q[v] = vqmovn_s32(vcvtnq_s32_f32(product(task, block, acc[r][v], v))); });
      const int8x8_t codes = vqmovn_s16(vqaddq_s16(vcombine_s16(q[0], q[1]), zero_point));
      vst1_s8(reinterpret_cast<std::int8_t*>(out + r * stride), vmin_s8(vmax_s8(codes, lo), hi));
    });
  }

  // Comparisons and selections instead of vmaxq and vminq, which order -0 and +0 where the
  // reference does not.
  template <std::size_t Rows, std::size_t Vectors>
  [[gnu::always_inline]] static inline void store_f32(const GemmTask& task, const Block& block,
                                                      const Acc<Rows, Vectors>& acc, char* out,
                                                      std::size_t stride) {
    const float32x4_t min = vdupq_n_f32(task.epilogue.min);
    const float32x4_t max = vdupq_n_f32(task.epilogue.max);
    unroll<Rows>([&](auto r) {
      unroll<Vectors>([&](auto v) {
        float32x4_t y = product(task, block, acc[r][v], v);
        y = vbslq_f32(vcgtq_f32(y, min), y, min);
        y = vbslq_f32(vcltq_f32(y, max), y, max);
        vst1q_f32(reinterpret_cast<float*>(out + r * stride + 16 * v), y);
      });
    });
  }
};

std::size_t scratch_bytes(std::size_t, std::size_t) {
  return 0;
}

using Int8 = Gemm<Neon>;
using Float = FloatLinear<xsimd::neon64>;
using Map = Elementwise<xsimd::neon64, Sign::s8>;

}  // namespace

const Table kNeonTable{
    .name = "neon",
    .sign = Sign::s8,
    .tile = Int8::kTile,
    .packed_bytes = Int8::packed_bytes,
    .pack_weights = Int8::pack,
    .scratch_bytes = scratch_bytes,
    .gemm = Int8::run,
    .float_nr = Float::kNr,
    .packed_float_bytes = Float::packed_bytes,
    .pack_float_weights = Float::pack,
    .float_linear = Float::run,
    .quantize = Map::quantize,
    .dequantize = Map::dequantize,
    .clamp_q8 = Map::clamp_q8,
    .clamp_f32 = Map::clamp_f32,
    .add_q8 = Map::add_q8,
    .add_f32 = Map::add_f32,
    .affine_f32 = Map::affine_f32,
    .lookup = Map::lookup,
    .flip = Map::flip,
};

}  // namespace octet::kernels
