// SPDX-License-Identifier: Apache-2.0
// VNNI on 256-bit vectors: vpdpbusd multiplies four u8 by four s8 and adds the four products to an
// int32, without saturation. Dot is the instruction in one of its two encodings, which belong to
// different CPUs: VEX (AVX-VNNI) and EVEX (AVX-512 VL and VNNI).
//
// The register block is 6 rows x 2 vectors of 8 columns, for VEX has 16 registers; per step of 4 k:
//
//               w[step]:   v0   v1     ymm, 8 columns x 4 k
//     a[0][k..k+3]  ->    acc  acc     broadcast to all columns
//     ...
//     a[5][k..k+3]  ->    acc  acc     12 accumulators + 2 weights + 1 row of 16
#pragma once

#include <immintrin.h>

#include "kernels/make_table.inl"
#include "kernels/store_256.inl"

namespace octet::kernels {
namespace {

template <class Dot>
struct Vnni256 : Steps<4> {
  static constexpr std::size_t kLanes = 8;
  static constexpr std::size_t kWidths[2] = {8, 16};  // Clang 14 asks a template for the bound
  static constexpr std::size_t kMr = 6;
  static constexpr std::size_t kRowsPerPass = kAllRows;
  static constexpr std::size_t kBytesPerFetch = 128;

  static void prepare(const GemmTask&, std::size_t, std::size_t) {}

  // Independent sums per output: vpdpbusd has a latency of 4 to 5 cycles at two per cycle, which
  // small blocks hide only by splitting k.
  static constexpr std::size_t chains(std::size_t accumulators) {
    return accumulators >= 7 ? 1 : accumulators >= 3 ? 2 : 4;
  }

  template <std::size_t Rows, std::size_t Vectors>
  using Acc = __m256i[Rows][Vectors];

  template <std::size_t Rows, std::size_t Vectors>
  [[gnu::always_inline]] static inline void step(Acc<Rows, Vectors>& acc, const std::int8_t* panel,
                                                 const std::uint32_t (&a)[Rows]) {
    __m256i w[Vectors];
    unroll<Vectors>([&](auto v) {
      w[v] = _mm256_load_si256(reinterpret_cast<const __m256i*>(panel + 32 * v));
    });
    unroll<Rows>([&](auto r) {
      const __m256i row = _mm256_set1_epi32(static_cast<int>(a[r]));
      unroll<Vectors>([&](auto v) { acc[r][v] = Dot::dot(acc[r][v], row, w[v]); });
    });
  }

  template <std::size_t Rows, std::size_t Width>
  [[gnu::flatten]] static void tile(const GemmTask& task, const Block& block) {
    constexpr std::size_t kVectors = Width / kLanes;
    constexpr std::size_t kChains = chains(Rows * kVectors);
    constexpr std::size_t kStep = Width * kKr;
    constexpr bool kFetches = Rows == kMr && Width == 16;  // small blocks would wait for it
    constexpr std::size_t kSteps = kFetches ? 4 : kChains;
    Acc<Rows, kVectors> acc[kChains];
    unroll<kVectors>([&](auto v) {
      const __m256i bias = _mm256_loadu_si256(
          reinterpret_cast<const __m256i*>(task.epilogue.bias + block.column + kLanes * v));
      unroll<Rows>([&](auto r) {
        acc[0][r][v] = bias;
        unroll<kChains - 1>([&](auto c) { acc[c + 1][r][v] = _mm256_setzero_si256(); });
      });
    });

    const std::int8_t* panel = block.panel;
    for (std::size_t tap = 0; tap < task.taps; ++tap) {
      const std::uint8_t* a[Rows];
      unroll<Rows>([&](auto r) { a[r] = task.rows[tap * task.m + block.row + r]; });
      std::uint32_t words[Rows];
      std::size_t k = 0;
      for (; k + kKr * kSteps <= task.k; k += kKr * kSteps, panel += kStep * kSteps) {
        if constexpr (kFetches) block.ahead->fetch<kStep * kSteps / kBytesPerFetch>();
        unroll<kSteps>([&](auto s) {
          unroll<Rows>([&](auto r) { words[r] = load_word(a[r] + k + kKr * s); });
          step(acc[s % kChains], panel + kStep * s, words);
        });
      }
      if constexpr (kSteps > 1) {
        for (; k + kKr <= task.k; k += kKr, panel += kStep) {
          unroll<Rows>([&](auto r) { words[r] = load_word(a[r] + k); });
          step(acc[0], panel, words);
        }
      }
      if (k < task.k) {
        unroll<Rows>([&](auto r) { words[r] = load_part(a[r] + k, task.k - k); });
        step(acc[0], panel, words);
        panel += kStep;
      }
    }

    unroll<kChains - 1>([&](auto c) {
      unroll<Rows>([&](auto r) {
        unroll<kVectors>(
            [&](auto v) { acc[0][r][v] = _mm256_add_epi32(acc[0][r][v], acc[c + 1][r][v]); });
      });
    });
    Store256<Sign::u8>::store(task, block, acc[0]);
  }
};

template <class Dot>
constexpr Table vnni_256_table(const char* name) {
  return make_table<Vnni256<Dot>, xsimd::avx2, Sign::u8>(name, kAvx2Floats, no_scratch);
}

}  // namespace
}  // namespace octet::kernels
