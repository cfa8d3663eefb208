// SPDX-License-Identifier: Apache-2.0
// NEON with the int8 matrix extension: smmla multiplies 2 rows x 8 k by 2 columns x 8 k and adds to
// 2 x 2 int32, without saturation.
//
// The register block is 3 pairs of rows x 8 pairs of columns; per step of 8 k:
//
//                 w[step]:   v0   v1   ..   v7     2 columns x 8 k each
//     a[0], a[1]   ->       acc  acc  ..   acc     2 rows x 2 columns each
//     a[2], a[3]   ->       acc  acc  ..   acc
//     a[4], a[5]   ->       acc  acc  ..   acc     24 accumulators + 3 pairs + weights <= 32
//
// Rows are put in pairs beforehand, once for all panels: per pair and step 8 k of one and 8 k of
// the other. The last row of an odd number is its own partner.
#include <arm_neon.h>

#include "kernels/make_table.inl"
#include "kernels/neon_codes.inl"
#include "kernels/neon_store.inl"
#include "kernels/tables.h"

namespace octet::kernels {
namespace {

struct NeonI8mm : Steps<8> {
  static constexpr std::size_t kLanes = 4;
  static constexpr std::size_t kWidths[] = {4, 8, 12, 16};
  static constexpr std::size_t kMr = 6;
  static constexpr std::size_t kRowStep = 2;
  static constexpr std::size_t kRowsPerPass = 24;

  // A prepared pair: its taps, each ceil(k / 8) steps of 16 bytes.
  static std::size_t pair_bytes(std::size_t taps, std::size_t k) {
    return taps * 2 * round_up(k, kKr);
  }
  static std::size_t scratch_bytes(std::size_t taps, std::size_t k) {
    return kRowsPerPass / 2 * pair_bytes(taps, k);
  }

  static void prepare(const GemmTask& task, std::size_t first, std::size_t rows) {
    auto* out = static_cast<std::int8_t*>(task.scratch);
    for (std::size_t slot = 0; slot < rows; slot += 2) {
      for (std::size_t tap = 0; tap < task.taps; ++tap) {
        const std::uint8_t* const* a = task.rows + tap * task.m + first + slot;
        out = prepare_pair(a[0], a[slot + 1 < rows ? 1 : 0], task.k, out);
      }
    }
  }

  // Returns the end of what it wrote.
  [[gnu::always_inline]] static inline std::int8_t* prepare_pair(const std::uint8_t* a,
                                                                 const std::uint8_t* b,
                                                                 std::size_t k, std::int8_t* out) {
    std::size_t i = 0;
    for (; i + kCodes <= k; i += kCodes, out += 2 * kCodes) {
      const int64x2_t low = vreinterpretq_s64_s8(load_codes(a + i));
      const int64x2_t high = vreinterpretq_s64_s8(load_codes(b + i));
      vst1q_s8(out, vreinterpretq_s8_s64(vtrn1q_s64(low, high)));
      vst1q_s8(out + kCodes, vreinterpretq_s8_s64(vtrn2q_s64(low, high)));
    }
    if (i == k) return out;
    const int64x2_t low = vreinterpretq_s64_s8(load_last_codes(a, i, k));
    const int64x2_t high = vreinterpretq_s64_s8(load_last_codes(b, i, k));
    vst1q_s8(out, vreinterpretq_s8_s64(vtrn1q_s64(low, high)));
    if (k - i <= kKr) return out + kCodes;
    vst1q_s8(out + kCodes, vreinterpretq_s8_s64(vtrn2q_s64(low, high)));
    return out + 2 * kCodes;
  }

  template <std::size_t Rows, std::size_t Width>
  [[gnu::flatten]] static void tile(const GemmTask& task, const Block& block) {
    constexpr std::size_t kPairs = Rows / 2;
    constexpr std::size_t kColumns = Width / 2;
    constexpr std::size_t kChains = chains(kPairs * kColumns);
    int32x4_t acc[kChains][kPairs][kColumns];
    unroll<kColumns>([&](auto v) {
      const int32x2_t bias = vld1_s32(task.epilogue.bias + block.column + 2 * v);
      unroll<kPairs>([&](auto p) {
        acc[0][p][v] = vcombine_s32(bias, bias);
        unroll<kChains - 1>([&](auto c) { acc[c + 1][p][v] = vdupq_n_s32(0); });
      });
    });

    const std::size_t stride = pair_bytes(task.taps, task.k);
    const auto* a = static_cast<const std::int8_t*>(task.scratch) + block.slot / 2 * stride;
    const std::int8_t* panel = block.panel;
    const auto step = [&](auto c) {
      // Two vectors of weights are on their way while two are multiplied: cores that run in order
      // would wait for them.
      int8x16_t w[2] = {vld1q_s8(panel), vld1q_s8(panel + 16)};
      int8x16_t codes[kPairs];
      unroll<kPairs>([&](auto p) { codes[p] = vld1q_s8(a + p * stride); });
      unroll<kColumns / 2>([&](auto two) {
        constexpr std::size_t kNext = two + 1 < kColumns / 2 ? 2 * two + 2 : 2 * two;
        const int8x16_t next[2] = {vld1q_s8(panel + 16 * kNext), vld1q_s8(panel + 16 * kNext + 16)};
        unroll<2>([&](auto i) {
          constexpr std::size_t v = 2 * two + i;
          unroll<kPairs>([&](auto p) { acc[c][p][v] = vmmlaq_s32(acc[c][p][v], codes[p], w[i]); });
          w[i] = next[i];
        });
      });
      a += 16;
      panel += 16 * kColumns;
    };
    const std::int8_t* end = a + stride;
    if constexpr (kChains > 1) {
      while (static_cast<std::size_t>(end - a) >= 16 * kChains) unroll<kChains>(step);
    }
    while (a != end) step(std::integral_constant<std::size_t, 0>{});

    join_chains(acc);
    NeonStore::store_pairs(task, block, acc[0]);
  }
};

}  // namespace

constinit const Table kNeonI8mmTable = make_table<NeonI8mm, xsimd::neon64, Sign::s8>(
    "neon_i8mm", kNeonFloats, NeonI8mm::scratch_bytes);

}  // namespace octet::kernels
