// SPDX-License-Identifier: Apache-2.0
// Plain ARMv8.0 NEON, for cores without SDOT: smull makes eight s8 products, which fit s16, and
// sadalp adds them in pairs to int32 sums, exact for all s8 a and w (two s8 products in one s16 are
// not: 2 * -128 * -128 = 2^15).
//
// The register block is 3 rows x 8 columns; per step of 8 k:
//
//               w[step]:   v0   v1   ..   v7    1 column x 8 k each
//     a[0][k..k+7]  ->    acc  acc  ..   acc    four sums per output, added up at the end
//     a[1][k..k+7]  ->    acc  acc  ..   acc
//     a[2][k..k+7]  ->    acc  acc  ..   acc    24 accumulators + 3 rows + weights, products <= 32
#include <arm_neon.h>

#include "kernels/make_table.inl"
#include "kernels/neon_codes.inl"
#include "kernels/neon_store.inl"
#include "kernels/tables.h"

namespace octet::kernels {
namespace {

struct Neon : Steps<8>, LastCodes<8> {
  static constexpr std::size_t kLanes = 4;
  static constexpr std::size_t kWidths[] = {4, 8};
  static constexpr std::size_t kMr = 3;

  template <std::size_t Rows, std::size_t Width>
  [[gnu::flatten]] static void tile(const GemmTask& task, const Block& block) {
    int32x4_t acc[Rows][Width];
    unroll<Rows>([&](auto r) { unroll<Width>([&](auto c) { acc[r][c] = vdupq_n_s32(0); }); });
    const std::int8_t* panel = block.panel;
    // Products of a few columns before their sums, and the next columns' weights before both: cores
    // that run in order would wait for each.
    constexpr std::size_t kTogether = Rows == 1 ? 4 : Rows == 2 ? 2 : 1;
    const auto step = [&](const int8x8_t(&codes)[Rows]) {
      int8x8_t w[kTogether];
      unroll<kTogether>([&](auto c) { w[c] = vld1_s8(panel + kKr * c); });
      unroll<Width / kTogether>([&](auto group) {
        constexpr std::size_t kFirst = group * kTogether;
        constexpr std::size_t kNext = kFirst + kTogether < Width ? kFirst + kTogether : kFirst;
        int8x8_t next[kTogether];
        unroll<kTogether>([&](auto c) { next[c] = vld1_s8(panel + kKr * (kNext + c)); });
        int16x8_t products[kTogether][Rows];
        unroll<kTogether>([&](auto c) {
          unroll<Rows>([&](auto r) { products[c][r] = vmull_s8(codes[r], w[c]); });
        });
        unroll<kTogether>([&](auto c) {
          unroll<Rows>([&](auto r) {
            acc[r][kFirst + c] = vpadalq_s16(acc[r][kFirst + c], products[c][r]);
          });
          w[c] = next[c];
        });
      });
      panel += kKr * Width;
    };
    for (std::size_t tap = 0; tap < task.taps; ++tap) {
      const std::uint8_t* a[Rows];
      unroll<Rows>([&](auto r) { a[r] = task.rows[tap * task.m + block.row + r]; });
      int8x8_t codes[Rows];
      std::size_t k = 0;
      for (; k + kKr <= task.k; k += kKr) {
        unroll<Rows>([&](auto r) { codes[r] = vreinterpret_s8_u8(vld1_u8(a[r] + k)); });
        step(codes);
      }
      if (k < task.k) {
        const std::int8_t* last = last_codes(task, block.slot, tap);
        unroll<Rows>([&](auto r) { codes[r] = vld1_s8(last + r * task.taps * kCodes); });
        step(codes);
      }
    }

    int32x4_t sums[Rows][Width / kLanes];
    unroll<Width / kLanes>([&](auto v) {
      const int32x4_t bias = vld1q_s32(task.epilogue.bias + block.column + kLanes * v);
      unroll<Rows>([&](auto r) {
        const int32x4_t* of_row = acc[r] + kLanes * v;
        const int32x4_t low = vpaddq_s32(of_row[0], of_row[1]);
        const int32x4_t high = vpaddq_s32(of_row[2], of_row[3]);
        sums[r][v] = vaddq_s32(bias, vpaddq_s32(low, high));
      });
    });
    NeonStore::store(task, block, sums);
  }
};

}  // namespace

constinit const Table kNeonTable =
    make_table<Neon, xsimd::neon64, Sign::s8>("neon", kNeonFloats, Neon::scratch_bytes);

}  // namespace octet::kernels
