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
  static constexpr std::size_t kBytesAhead = 2048;  // of its own panel a block fetches

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
    // The next panel: small blocks would wait for it.
    constexpr bool kFetches = Rows == kMr && Width == 16;
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
      const auto add_steps = [&](auto fetch) __attribute__((always_inline)) {
        for (; k + kKr * kSteps <= task.k; k += kKr * kSteps, panel += kStep * kSteps) {
          fetch();
          unroll<kSteps>([&](auto s) {
            unroll<Rows>([&](auto r) { words[r] = load_word(a[r] + k + kKr * s); });
            step(acc[s % kChains], panel + kStep * s, words);
          });
        }
      };
      // Two rows and three wait for what they read, more of them where weights are far.
      const auto fetch_own = [&]() __attribute__((always_inline)) {
        unroll<kSteps>([&](auto s) { __builtin_prefetch(panel + kBytesAhead + kStep * s, 0, 3); });
      };
      if (Width == 16 && Rows > 1 && (Rows < 4 || block.ahead->alone)) {
        add_steps(fetch_own);
      } else {
        add_steps([&] {
          if constexpr (kFetches) block.ahead->fetch<kStep * kSteps / kBytesPerFetch>();
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

  // One row over four panels at once: their ends take as long as the products of 100 k.
  static std::size_t take_row(const GemmTask& task, const void* weights) {
    const std::size_t bytes = tap_bytes(16, task.k);
    std::size_t n = task.n_begin;
    if (task.taps != 1) return n;
    for (; task.n_end - n >= 64; n += 64) {
      join_four(task, static_cast<const std::int8_t*>(weights) + n / 16 * bytes, n, bytes);
    }
    return n;
  }
  [[gnu::flatten]] static void join_four(const GemmTask& task, const std::int8_t* panel,
                                         std::size_t column, std::size_t panel_bytes) {
    const std::uint8_t* a = task.rows[0];
    const std::int32_t* bias = task.epilogue.bias + column;
    __m256i sums[8];
    unroll<8>([&](auto v) {
      sums[v] = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(bias + kLanes * v));
    });
    const auto add_step = [&](std::uint32_t word) __attribute__((always_inline)) {
      const __m256i codes = _mm256_set1_epi32(static_cast<int>(word));
      const std::int8_t* w = panel;
      unroll<8>([&](auto v) {
        const auto* weights = reinterpret_cast<const __m256i*>(w + v % 2 * 32);
        sums[v] = Dot::dot(sums[v], codes, _mm256_load_si256(weights));
        if constexpr (v % 2 == 1) w += panel_bytes;
      });
      panel += 64;
    };
    std::size_t k = 0;
    for (; k + kKr <= task.k; k += kKr) add_step(load_word(a + k));
    if (k < task.k) add_step(load_part(a + k, task.k - k));

    // 32 codes are a store. A loop, through memory: the code for the other stores is there once.
    alignas(32) __m256i memory[2][4];
    unroll<8>([&](auto v) { memory[v / 4][v % 4] = sums[v]; });
    for (std::size_t i = 0; i < 2; ++i) {
      asm("" : "+r"(i));
      Acc<1, 4> half;
      unroll<4>([&](auto v) { half[0][v] = memory[i][v]; });
      Store256<Sign::u8>::store(task, Block{nullptr, 0, 0, column + 32 * i, 32, 0, nullptr}, half);
    }
  }
};

template <class Dot>
constexpr Table vnni_256_table(const char* name) {
  return make_table<Vnni256<Dot>, xsimd::avx2, Sign::u8>(name, kAvx2Floats, no_scratch);
}

}  // namespace
}  // namespace octet::kernels
