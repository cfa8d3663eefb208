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

#include "kernels/make_table.inl"
#include "kernels/neon_store.inl"
#include "kernels/tables.h"

namespace octet::kernels {
namespace {

struct Neon : Steps<1> {
  static constexpr std::size_t kLanes = 4;
  static constexpr std::size_t kWidths[] = {4, 8};
  static constexpr std::size_t kMr = 8;
  static constexpr std::size_t kRowsPerPass = kAllRows;
  static constexpr std::size_t kUnroll = 8;  // k per load of a row

  static void prepare(const GemmTask&, std::size_t, std::size_t) {}

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
    int32x4_t acc[Rows][kVectors];
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
    NeonStore::store(task, block, acc);
  }
};

}  // namespace

constinit const Table kNeonTable =
    make_table<Neon, xsimd::neon64, Sign::s8>("neon", kNeonFloats, no_scratch);

}  // namespace octet::kernels
