// SPDX-License-Identifier: Apache-2.0
// The fused epilogue of the NEON tables, whose register blocks are one to four vectors of 4
// columns. Part of a block is stored to a whole block on the stack and copied from there.
#pragma once

#include <arm_neon.h>

#include "kernels/gemm_loop.inl"
#include "kernels/neon_codes.inl"

namespace octet::kernels {
namespace {

// Independent sums per output, split over k: dot products have a latency of 3 to 4 cycles at two to
// four per cycle, which small blocks hide only so.
constexpr std::size_t chains(std::size_t accumulators) {
  return accumulators >= 12 ? 1 : accumulators >= 6 ? 2 : 4;
}

// Adds the other chains to the first.
template <std::size_t Chains, std::size_t Rows, std::size_t Vectors>
[[gnu::always_inline]] inline void join_chains(int32x4_t (&acc)[Chains][Rows][Vectors]) {
  unroll<Chains - 1>([&](auto c) {
    unroll<Rows>([&](auto r) {
      unroll<Vectors>([&](auto v) { acc[0][r][v] = vaddq_s32(acc[0][r][v], acc[c + 1][r][v]); });
    });
  });
}

struct NeonStore {
  static constexpr std::size_t kLanes = 4;

  template <std::size_t Rows, std::size_t Vectors>
  using Acc = int32x4_t[Rows][Vectors];

  template <std::size_t Rows, std::size_t Vectors>
  [[gnu::always_inline]] static inline void store(const GemmTask& task, const Block& block,
                                                  const Acc<Rows, Vectors>& acc) {
    if (task.epilogue.store != Store::q8) return store_wide(task, block, acc);
    float32x4_t mult[Vectors];
    unroll<Vectors>(
        [&](auto v) { mult[v] = vld1q_f32(task.epilogue.mult + block.column + kLanes * v); });
    const Codes codes(task.epilogue);
    to_rows<Rows, Vectors, 1>(task, block, [&](char* out, std::size_t stride) {
      // Narrow rows share a vector of 16 codes.
      constexpr std::size_t kTogether = 4 / Vectors;
      unroll<(Rows + kTogether - 1) / kTogether>([&](auto group) {
        constexpr std::size_t kFirst = group * kTogether;
        constexpr std::size_t kRows = Rows - kFirst < kTogether ? Rows - kFirst : kTogether;
        const int8x16_t y = codes.template of<kRows * Vectors>([&](auto i) {
          return vmulq_f32(vcvtq_f32_s32(acc[kFirst + i / Vectors][i % Vectors]),
                           mult[i % Vectors]);
        });
        unroll<kRows>([&](auto r) {
          constexpr std::size_t kBytes = kLanes * Vectors;
          put<kBytes>(out + (kFirst + r) * stride, vextq_s8(y, y, kBytes * r % 16));
        });
      });
    });
  }

  // The same for blocks of 2 rows x 2 columns.
  template <std::size_t Pairs, std::size_t Columns>
  [[gnu::always_inline]] static inline void store_pairs(const GemmTask& task, const Block& block,
                                                        const int32x4_t (&acc)[Pairs][Columns]) {
    if constexpr (Pairs == 1) {
      if (block.rows == 1) {
        Acc<1, Columns / 2> row;
        unroll<Columns / 2>([&](auto v) {
          row[0][v] = vreinterpretq_s32_s64(vtrn1q_s64(vreinterpretq_s64_s32(acc[0][2 * v]),
                                                       vreinterpretq_s64_s32(acc[0][2 * v + 1])));
        });
        return store(task, block, row);
      }
    }
    if (task.epilogue.store != Store::q8) {
      Acc<2 * Pairs, Columns / 2> rows;
      unroll<Pairs>([&](auto p) {
        unroll<Columns / 2>([&](auto v) {
          const int64x2_t left = vreinterpretq_s64_s32(acc[p][2 * v]);
          const int64x2_t right = vreinterpretq_s64_s32(acc[p][2 * v + 1]);
          rows[2 * p][v] = vreinterpretq_s32_s64(vtrn1q_s64(left, right));
          rows[2 * p + 1][v] = vreinterpretq_s32_s64(vtrn2q_s64(left, right));
        });
      });
      return store_wide(task, block, rows);
    }
    float32x4_t mult[Columns];
    unroll<Columns>([&](auto v) {
      const float32x2_t two = vld1_f32(task.epilogue.mult + block.column + 2 * v);
      mult[v] = vcombine_f32(two, two);
    });
    const Codes codes(task.epilogue);
    to_rows<2 * Pairs, Columns / 2, 1>(task, block, [&](char* out, std::size_t stride) {
      unroll<Pairs>([&](auto p) {
        // 2 codes of one row, 2 of the other: 8 columns at a time.
        int16x8_t y[2];
        unroll<(Columns + 3) / 4>([&](auto half) {
          constexpr std::size_t kFirst = 4 * half;
          constexpr std::size_t kCount = Columns - kFirst < 4 ? Columns - kFirst : 4;
          y[half] = vreinterpretq_s16_s8(codes.template of<kCount>([&](auto i) {
            return vmulq_f32(vcvtq_f32_s32(acc[p][kFirst + i]), mult[kFirst + i]);
          }));
        });
        const int16x8_t last = y[(Columns - 1) / 4];
        put<2 * Columns>(out + 2 * p * stride, vreinterpretq_s8_s16(vuzp1q_s16(y[0], last)));
        put<2 * Columns>(out + (2 * p + 1) * stride, vreinterpretq_s8_s16(vuzp2q_s16(y[0], last)));
      });
    });
  }

  // f(out, stride) writes whole rows of Vectors vectors, an element of them in so many bytes.
  template <std::size_t Rows, std::size_t Vectors, std::size_t Element, class F>
  [[gnu::always_inline]] static inline void to_rows(const GemmTask& task, const Block& block, F f) {
    constexpr std::size_t kBytes = Element * kLanes * Vectors;
    const bool whole = block.columns == kLanes * Vectors && block.rows == Rows;
    alignas(16) char part[Rows][kBytes];
    char* c = static_cast<char*>(task.c) + block.row * task.ldc + block.column * Element;
    f(whole ? c : part[0], whole ? task.ldc : kBytes);
    if (!whole) copy_rows(c, task.ldc, part[0], kBytes, block.columns * Element, block.rows);
  }

  // Once for all blocks, which would be half as large again.
  [[gnu::noinline]] static void copy_rows(char* to, std::size_t ldc, const char* from,
                                          std::size_t stride, std::size_t bytes, std::size_t rows) {
    for (; rows > 0; --rows, to += ldc, from += stride) copy_part<64>(to, from, bytes);
  }

  // Floats or sums.
  template <std::size_t Rows, std::size_t Vectors>
  [[gnu::always_inline]] static inline void store_wide(const GemmTask& task, const Block& block,
                                                       const Acc<Rows, Vectors>& acc) {
    to_rows<Rows, Vectors, 4>(task, block, [&](char* out, std::size_t stride) {
      if (task.epilogue.store == Store::f32) return store_f32(task, block, acc, out, stride);
      unroll<Rows>([&](auto r) {
        unroll<Vectors>([&](auto v) {
          vst1q_s32(reinterpret_cast<std::int32_t*>(out + r * stride + 16 * v), acc[r][v]);
        });
      });
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
    unroll<Vectors>([&](auto v) {
      const float32x4_t mult = vld1q_f32(task.epilogue.mult + block.column + kLanes * v);
      unroll<Rows>([&](auto r) {
        float32x4_t y = vmulq_f32(vcvtq_f32_s32(acc[r][v]), mult);
        y = vbslq_f32(vcgtq_f32(y, min), y, min);
        y = vbslq_f32(vcltq_f32(y, max), y, max);
        vst1q_f32(reinterpret_cast<float*>(out + r * stride + 16 * v), y);
      });
    });
  }

  // From products to codes.
  struct Codes {
    int16x8_t zero_point;
    int8x16_t lo, hi;

    [[gnu::always_inline]] explicit Codes(const Epilogue& e)
        : zero_point(vdupq_n_s16(static_cast<std::int16_t>(e.zero_point))),
          lo(vdupq_n_s8(static_cast<std::int8_t>(e.lo))),
          hi(vdupq_n_s8(static_cast<std::int8_t>(e.hi))) {}

    // The codes of product(0) .. product(Count - 1), side by side. Every narrowing saturates, from
    // the conversion (vcvtn rounds half to even) on: the clamp to [lo, hi] at the end is the same
    // as one in the reals.
    template <std::size_t Count, class Product>
    [[gnu::always_inline]] inline int8x16_t of(Product product) const {
      int16x8_t half[2];
      unroll<(Count + 1) / 2>([&](auto i) {
        int16x4_t low = vqmovn_s32(vcvtnq_s32_f32(product(index<2 * i>)));
        if constexpr (2 * i + 1 < Count) {
          half[i] = vqmovn_high_s32(low, vcvtnq_s32_f32(product(index<2 * i + 1>)));
        } else {
          half[i] = vcombine_s16(low, low);
        }
        half[i] = vqaddq_s16(half[i], zero_point);
      });
      const int8x8_t low = vqmovn_s16(half[0]);
      const int8x16_t y =
          Count > 2 ? vqmovn_high_s16(low, half[(Count - 1) / 2]) : vcombine_s8(low, low);
      return vminq_s8(vmaxq_s8(y, lo), hi);
    }
  };

  // The first Bytes of 16: 4, 8, 12 or all.
  template <std::size_t Bytes>
  [[gnu::always_inline]] static inline void put(char* to, int8x16_t y) {
    if constexpr (Bytes == 16) {
      memcpy(to, &y, 16);
    } else {
      const int64x2_t words = vreinterpretq_s64_s8(y);
      if constexpr (Bytes >= 8) {
        const std::int64_t first = vgetq_lane_s64(words, 0);
        memcpy(to, &first, 8);
      }
      if constexpr (Bytes % 8 == 4) {
        const std::int32_t last = vgetq_lane_s32(vreinterpretq_s32_s8(y), Bytes / 4 - 1);
        memcpy(to + Bytes - 4, &last, 4);
      }
    }
  }

  template <std::size_t I>
  static constexpr std::integral_constant<std::size_t, I> index{};
};

}  // namespace
}  // namespace octet::kernels
