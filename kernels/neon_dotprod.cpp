// SPDX-License-Identifier: Apache-2.0
// NEON with the dot product extension: sdot multiplies four s8 by four s8 and adds the four
// products to an int32, without saturation.
//
// The register block is 4 rows x 4 vectors of 4 columns; per step of 4 k:
//
//               w[step]:   v0   v1   v2   v3     4 columns x 4 k each
//     a[0] lane       ->  acc  acc  acc  acc
//     ...                              a lane is 4 of the 16 k of each row that are loaded at once
//     a[3] lane       ->  acc  acc  acc  acc     16 accumulators + 4 rows + 2 weights <= 32
#include <arm_neon.h>

#include "kernels/make_table.inl"
#include "kernels/neon_codes.inl"
#include "kernels/neon_store.inl"
#include "kernels/tables.h"

namespace octet::kernels {
namespace {

struct NeonDotprod : Steps<4>, LastCodes<kCodes> {
  static constexpr std::size_t kLanes = 4;
  static constexpr std::size_t kWidths[] = {4, 8, 12, 16};
  static constexpr std::size_t kMr = 4;

  template <std::size_t Chains, std::size_t Rows, std::size_t Vectors>
  using Acc = int32x4_t[Chains][Rows][Vectors];

  // The first count of 16 k; the others are zeros and have no weights.
  template <std::size_t Chains, std::size_t Rows, std::size_t Vectors>
  [[gnu::always_inline]] static inline void steps(Acc<Chains, Rows, Vectors>& acc,
                                                  const std::int8_t* panel,
                                                  const int8x16_t (&codes)[Rows],
                                                  std::size_t count) {
    int8x16_t w = vld1q_s8(panel);
    unroll<kCodes / kKr>([&](auto lane) {
      if (kKr * lane >= count) return;
      unroll<Vectors>([&](auto v) {
        // The next weights are on their way while these are multiplied; nothing is read beyond the
        // last.
        const bool last = v + 1 == Vectors && kKr * (lane + 1) >= count;
        const int8x16_t next = vld1q_s8(panel + 16 * (Vectors * lane + v + (last ? 0 : 1)));
        unroll<Rows>([&](auto r) {
          int32x4_t& sum = acc[lane % Chains][r][v];
          sum = vdotq_laneq_s32(sum, w, codes[r], lane);
        });
        w = next;
      });
    });
  }

  template <std::size_t Rows, std::size_t Width>
  [[gnu::flatten]] static void tile(const GemmTask& task, const Block& block) {
    constexpr std::size_t kVectors = Width / kLanes;
    constexpr std::size_t kChains = chains(Rows * kVectors);
    Acc<kChains, Rows, kVectors> acc;
    unroll<kVectors>([&](auto v) {
      const int32x4_t bias = vld1q_s32(task.epilogue.bias + block.column + kLanes * v);
      unroll<Rows>([&](auto r) {
        acc[0][r][v] = bias;
        unroll<kChains - 1>([&](auto c) { acc[c + 1][r][v] = vdupq_n_s32(0); });
      });
    });

    const std::int8_t* panel = block.panel;
    for (std::size_t tap = 0; tap < task.taps; ++tap) {
      const std::uint8_t* a[Rows];
      unroll<Rows>([&](auto r) { a[r] = task.rows[tap * task.m + block.row + r]; });
      int8x16_t codes[Rows];
      std::size_t k = 0;
      for (; k + kCodes <= task.k; k += kCodes, panel += kCodes * Width) {
        unroll<Rows>([&](auto r) { codes[r] = load_codes(a[r] + k); });
        steps(acc, panel, codes, kCodes);
      }
      if (k < task.k) {
        const std::int8_t* last = last_codes(task, block.slot, tap);
        unroll<Rows>([&](auto r) { codes[r] = vld1q_s8(last + r * task.taps * kCodes); });
        steps(acc, panel, codes, task.k - k);
        panel += round_up(task.k - k, kKr) * Width;
      }
    }

    join_chains(acc);
    NeonStore::store(task, block, acc[0]);
  }
};

}  // namespace

constinit const Table kNeonDotprodTable = make_table<NeonDotprod, xsimd::neon64, Sign::s8>(
    "neon_dotprod", kNeonFloats, NeonDotprod::scratch_bytes);

}  // namespace octet::kernels
