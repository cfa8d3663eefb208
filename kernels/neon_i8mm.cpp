// SPDX-License-Identifier: Apache-2.0
// NEON with the int8 matrix extension: smmla multiplies 2 rows x 8 k by 2 columns x 8 k and adds to
// 2 x 2 int32, without saturation.
//
// The register block is 4 pairs of rows x 4 pairs of columns; per step of 8 k:
//
//                 w[step]:   v0   v1   v2   v3     2 columns x 8 k each
//     a[0], a[1]   ->       acc  acc  acc  acc     2 rows x 2 columns each
//     ...                                          16 k of each row are loaded at once
//     a[6], a[7]   ->       acc  acc  acc  acc     16 accumulators + 8 of rows + 1 weights <= 32
//
// The last row of an odd block is its own partner.
#include <arm_neon.h>

#include "kernels/make_table.inl"
#include "kernels/neon_codes.inl"
#include "kernels/neon_store.inl"
#include "kernels/tables.h"

namespace octet::kernels {
namespace {

struct NeonI8mm : Steps<8> {
  static constexpr std::size_t kLanes = 4;
  static constexpr std::size_t kWidths[] = {4, 8};
  static constexpr std::size_t kMr = 8;
  static constexpr std::size_t kRowsPerPass = kAllRows;

  static void prepare(const GemmTask&, std::size_t, std::size_t) {}

  // Independent sums per output: smmla has a latency of 3 to 4 cycles at two per cycle, which small
  // blocks hide only by splitting k.
  static constexpr std::size_t chains(std::size_t accumulators) {
    return accumulators >= 8 ? 1 : 2;
  }

  template <std::size_t Chains, std::size_t Pairs, std::size_t Columns>
  using Acc = int32x4_t[Chains][Pairs][Columns];

  // 16 codes of two rows to two steps of 8.
  struct Pair {
    int8x16_t step[2];
  };
  [[gnu::always_inline]] static inline Pair pair(int8x16_t a, int8x16_t b) {
    const int64x2_t wide_a = vreinterpretq_s64_s8(a);
    const int64x2_t wide_b = vreinterpretq_s64_s8(b);
    return {{vreinterpretq_s8_s64(vtrn1q_s64(wide_a, wide_b)),
             vreinterpretq_s8_s64(vtrn2q_s64(wide_a, wide_b))}};
  }

  // The first count of 16 k; the others are zeros and have no weights.
  template <std::size_t Chains, std::size_t Pairs, std::size_t Columns>
  [[gnu::always_inline]] static inline void steps(Acc<Chains, Pairs, Columns>& acc,
                                                  const std::int8_t* panel,
                                                  const Pair (&codes)[Pairs], std::size_t count) {
    unroll<kCodes / kKr>([&](auto s) {
      if (kKr * s >= count) return;
      unroll<Columns>([&](auto v) {
        const int8x16_t w = vld1q_s8(panel + 16 * (Columns * s + v));
        unroll<Pairs>([&](auto p) {
          int32x4_t& sum = acc[s % Chains][p][v];
          sum = vmmlaq_s32(sum, codes[p].step[s], w);
        });
      });
    });
  }

  template <std::size_t Rows, std::size_t Width>
  [[gnu::flatten]] static void tile(const GemmTask& task, const Block& block) {
    constexpr std::size_t kPairs = (Rows + 1) / 2;
    constexpr std::size_t kColumns = Width / 2;
    constexpr std::size_t kChains = chains(kPairs * kColumns);
    Acc<kChains, kPairs, kColumns> acc;
    unroll<kColumns>([&](auto v) {
      const int32x2_t bias = vld1_s32(task.epilogue.bias + block.column + 2 * v);
      unroll<kPairs>([&](auto p) {
        acc[0][p][v] = vcombine_s32(bias, bias);
        unroll<kChains - 1>([&](auto c) { acc[c + 1][p][v] = vdupq_n_s32(0); });
      });
    });

    const std::int8_t* panel = block.panel;
    for (std::size_t tap = 0; tap < task.taps; ++tap) {
      const std::uint8_t* a[2 * kPairs];
      unroll<2 * kPairs>(
          [&](auto r) { a[r] = task.rows[tap * task.m + block.row + (r < Rows ? r : Rows - 1)]; });
      Pair codes[kPairs];
      std::size_t k = 0;
      for (; k + kCodes <= task.k; k += kCodes, panel += kCodes * Width) {
        unroll<kPairs>([&](auto p) {
          codes[p] = pair(load_codes(a[2 * p] + k), load_codes(a[2 * p + 1] + k));
        });
        steps(acc, panel, codes, kCodes);
      }
      if (k < task.k) {
        unroll<kPairs>([&](auto p) {
          codes[p] =
              pair(load_last_codes(a[2 * p], k, task.k), load_last_codes(a[2 * p + 1], k, task.k));
        });
        steps(acc, panel, codes, task.k - k);
        panel += round_up(task.k - k, kKr) * Width;
      }
    }

    unroll<kChains - 1>([&](auto c) {
      unroll<kPairs>([&](auto p) {
        unroll<kColumns>([&](auto v) { acc[0][p][v] = vaddq_s32(acc[0][p][v], acc[c + 1][p][v]); });
      });
    });
    // From 2 x 2 to rows of 4 columns.
    int32x4_t rows[Rows][kColumns / 2];
    unroll<kColumns / 2>([&](auto v) {
      unroll<Rows>([&](auto r) {
        const int64x2_t left = vreinterpretq_s64_s32(acc[0][r / 2][2 * v]);
        const int64x2_t right = vreinterpretq_s64_s32(acc[0][r / 2][2 * v + 1]);
        rows[r][v] =
            vreinterpretq_s32_s64(r % 2 == 0 ? vtrn1q_s64(left, right) : vtrn2q_s64(left, right));
      });
    });
    NeonStore::store(task, block, rows);
  }
};

}  // namespace

constinit const Table kNeonI8mmTable =
    make_table<NeonI8mm, xsimd::neon64, Sign::s8>("neon_i8mm", kNeonFloats, no_scratch);

}  // namespace octet::kernels
