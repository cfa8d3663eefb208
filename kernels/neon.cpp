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
  static constexpr std::size_t kVectors = 2;
  static constexpr std::size_t kKr = 1;
  static constexpr std::size_t kMr = 8;
  static constexpr std::size_t kRowsPerPass = kAllRows;
  static constexpr std::size_t kUnroll = 8;  // k per load of a row

  static void prepare(const GemmTask&, std::size_t, std::size_t) {}

  template <std::size_t Vectors>
  struct Row {
    int32x4_t v[Vectors];
  };

  template <std::size_t Vectors>
  static inline int16x8_t load_weights(const std::int8_t* panel) {
    if constexpr (Vectors == 2) {
      return vmovl_s8(vld1_s8(panel));
    } else {
      return vmovl_s8(vcreate_s8(load_word(panel)));
    }
  }

  template <int Lane, std::size_t Rows, std::size_t Vectors>
  static inline void steps(Row<Vectors> (&acc)[Rows], const std::int8_t* panel,
                           const int16x8_t (&a)[Rows]) {
    const int16x8_t w = load_weights<Vectors>(panel);
    for (std::size_t r = 0; r < Rows; ++r) {
      acc[r].v[0] = vmlal_laneq_s16(acc[r].v[0], vget_low_s16(w), a[r], Lane);
      if constexpr (Vectors == 2) acc[r].v[1] = vmlal_high_laneq_s16(acc[r].v[1], w, a[r], Lane);
    }
    if constexpr (Lane + 1 < kUnroll) {
      steps<Lane + 1>(acc, panel + kLanes * Vectors, a);
    }
  }

  template <std::size_t Rows, std::size_t Vectors>
  static void tile(const GemmTask& task, const Block& block) {
    Row<Vectors> acc[Rows];
    for (std::size_t v = 0; v < Vectors; ++v) {
      const int32x4_t bias = vld1q_s32(task.epilogue.bias + block.column + kLanes * v);
      for (std::size_t r = 0; r < Rows; ++r) acc[r].v[v] = bias;
    }
    const std::int8_t* panel = block.panel;
    for (std::size_t tap = 0; tap < task.taps; ++tap) {
      const std::uint8_t* a[Rows];
      for (std::size_t r = 0; r < Rows; ++r) a[r] = task.rows[tap * task.m + block.row + r];
      std::size_t k = 0;
      for (; k + kUnroll <= task.k; k += kUnroll, panel += kUnroll * kLanes * Vectors) {
        int16x8_t codes[Rows];
        for (std::size_t r = 0; r < Rows; ++r) {
          codes[r] = vmovl_s8(vreinterpret_s8_u8(vld1_u8(a[r] + k)));
        }
        steps<0>(acc, panel, codes);
      }
      for (; k < task.k; ++k, panel += kLanes * Vectors) {
        const int16x8_t w = load_weights<Vectors>(panel);
        for (std::size_t r = 0; r < Rows; ++r) {
          const auto code = static_cast<std::int8_t>(a[r][k]);
          acc[r].v[0] = vmlal_n_s16(acc[r].v[0], vget_low_s16(w), code);
          if constexpr (Vectors == 2) acc[r].v[1] = vmlal_high_n_s16(acc[r].v[1], w, code);
        }
      }
    }
    store(task, block, acc);
  }

  template <std::size_t Rows, std::size_t Vectors>
  static inline void store(const GemmTask& task, const Block& block,
                           const Row<Vectors> (&acc)[Rows]) {
    char* c = static_cast<char*>(task.c) + block.row * task.ldc;
    switch (task.epilogue.store) {
      case Store::q8:
        return store_q8(task, block, acc, c + block.column);
      case Store::f32:
        return store_f32(task, block, acc, c + block.column * sizeof(float));
      case Store::s32:
        return store_s32(task, block, acc, c + block.column * sizeof(std::int32_t));
    }
  }

  template <std::size_t Vectors>
  static inline float32x4_t product(const GemmTask& task, const Block& block,
                                    const Row<Vectors>& acc, std::size_t v) {
    const float32x4_t mult = vld1q_f32(task.epilogue.mult + block.column + kLanes * v);
    return vmulq_f32(vcvtq_f32_s32(acc.v[v]), mult);
  }

  // Every narrowing saturates, from the conversion (vcvtn rounds half to even) on: the clamp to
  // [lo, hi] at the end is the same as one in the reals.
  template <std::size_t Rows, std::size_t Vectors>
  static inline void store_q8(const GemmTask& task, const Block& block,
                              const Row<Vectors> (&acc)[Rows], char* c) {
    const Epilogue& e = task.epilogue;
    const int8x8_t lo = vdup_n_s8(static_cast<std::int8_t>(e.lo));
    const int8x8_t hi = vdup_n_s8(static_cast<std::int8_t>(e.hi));
    const int16x8_t zero_point = vdupq_n_s16(static_cast<std::int16_t>(e.zero_point));
    for (std::size_t r = 0; r < Rows; ++r, c += task.ldc) {
      int16x4_t q[2] = {vdup_n_s16(0), vdup_n_s16(0)};
      for (std::size_t v = 0; v < Vectors; ++v) {
        q[v] = vqmovn_s32(vcvtnq_s32_f32(product(task, block, acc[r], v)));
      }
      const int8x8_t codes = vqmovn_s16(vqaddq_s16(vcombine_s16(q[0], q[1]), zero_point));
      const int8x8_t y = vmin_s8(vmax_s8(codes, lo), hi);
      if (block.columns == 8) {
        vst1_s8(reinterpret_cast<std::int8_t*>(c), y);
      } else {
        std::int8_t tail[8];
        vst1_s8(tail, y);
        memcpy(c, tail, block.columns);
      }
    }
  }

  static inline void store_part(char* c, int32x4_t y, std::size_t columns) {
    if (columns >= kLanes) {
      vst1q_s32(reinterpret_cast<std::int32_t*>(c), y);
    } else {
      std::int32_t tail[kLanes];
      vst1q_s32(tail, y);
      memcpy(c, tail, columns * sizeof(std::int32_t));
    }
  }

  // Comparisons and selections instead of vmaxq and vminq, which order -0 and +0 where the
  // reference does not.
  template <std::size_t Rows, std::size_t Vectors>
  static inline void store_f32(const GemmTask& task, const Block& block,
                               const Row<Vectors> (&acc)[Rows], char* c) {
    const float32x4_t min = vdupq_n_f32(task.epilogue.min);
    const float32x4_t max = vdupq_n_f32(task.epilogue.max);
    for (std::size_t r = 0; r < Rows; ++r, c += task.ldc) {
      for (std::size_t v = 0; v < Vectors; ++v) {
        float32x4_t y = product(task, block, acc[r], v);
        y = vbslq_f32(vcgtq_f32(y, min), y, min);
        y = vbslq_f32(vcltq_f32(y, max), y, max);
        store_part(c + 16 * v, vreinterpretq_s32_f32(y), block.columns - kLanes * v);
      }
    }
  }

  template <std::size_t Rows, std::size_t Vectors>
  static inline void store_s32(const GemmTask& task, const Block& block,
                               const Row<Vectors> (&acc)[Rows], char* c) {
    for (std::size_t r = 0; r < Rows; ++r, c += task.ldc) {
      for (std::size_t v = 0; v < Vectors; ++v) {
        store_part(c + 16 * v, acc[r].v[v], block.columns - kLanes * v);
      }
    }
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
