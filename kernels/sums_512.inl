// SPDX-License-Identifier: Apache-2.0
// Sums of a register block by vpdpbusd on vectors of 512 bits, wide and narrow (avx512vnni.cpp).
#pragma once

#include <immintrin.h>

#include "kernels/store_512.inl"

namespace octet::kernels {
namespace {

struct Vnni512 {
  static constexpr std::size_t kLanes = 16;
  static constexpr std::size_t kKr = 4;
  static constexpr std::size_t kGroup = 16;  // of k: a step of narrow vectors, four of wide ones
  static constexpr std::size_t kBytesPerFetch = 204;  // five times in 16 k of 64 columns
  static constexpr std::size_t kBytesAhead = 3072;

  // Independent sums per output: vpdpbusd has a latency of 4 to 5 cycles at one or two per cycle,
  // which small blocks hide only by splitting k.
  static constexpr std::size_t chains(std::size_t accumulators) {
    return accumulators >= 10 ? 1 : accumulators >= 5 ? 2 : 4;
  }

  template <std::size_t Rows, std::size_t Vectors>
  using Acc = __m512i[Rows][Vectors];

  template <std::size_t Rows, std::size_t Vectors>
  [[gnu::always_inline]] static inline void clear(Acc<Rows, Vectors>& acc) {
    unroll<Rows>([&](auto r) { unroll<Vectors>([&](auto v) { acc[r][v] = __m512i{}; }); });
  }
  template <std::size_t Rows, std::size_t Vectors>
  [[gnu::always_inline]] static inline void add(Acc<Rows, Vectors>& acc,
                                                const Acc<Rows, Vectors>& more) {
    unroll<Rows>([&](auto r) {
      unroll<Vectors>([&](auto v) { acc[r][v] = _mm512_add_epi32(acc[r][v], more[r][v]); });
    });
  }
  // Adds row(r) times the panel's next Count vectors to acc[r], and steps over them.
  template <std::size_t Count, std::size_t Rows, std::size_t Vectors, class Row>
  [[gnu::always_inline]] static inline void step(Acc<Rows, Vectors>& acc, const std::int8_t*& panel,
                                                 Row row) {
    if constexpr (Count > 0) {
      __m512i w[Count];
      unroll<Count>([&](auto v) {
        __m512i vector = _mm512_load_si512(panel + 64 * v);
        asm("" : "+v"(vector));  // or GCC loads it once for each row
        w[v] = vector;
      });
      unroll<Rows>([&](auto r) {
        const __m512i codes = row(r);
        unroll<Count>([&](auto v) { acc[r][v] = _mm512_dpbusd_epi32(acc[r][v], codes, w[v]); });
      });
      panel += 64 * Count;
    }
  }

  // Four codes of a row for all columns of wide vectors, 16 for those of narrow ones.
  [[gnu::always_inline]] static inline __m512i load_step(const std::uint8_t* a) {
    return _mm512_set1_epi32(static_cast<int>(load_word(a)));
  }
  [[gnu::always_inline]] static inline __m512i load_group(const std::uint8_t* a) {
    return _mm512_broadcast_i32x4(_mm_loadu_si128(reinterpret_cast<const __m128i*>(a)));
  }

  // The sums of a register block.
  template <std::size_t Rows, std::size_t Width>
  struct Sums {
    static constexpr std::size_t kWide = Width / kLanes;
    static constexpr std::size_t kNarrow = Width % kLanes > 0;
    static constexpr std::size_t kVectors = kWide + kNarrow;
    static constexpr std::size_t kChains = kWide == 0 ? 1 : chains(Rows * kWide);
    // A narrow vector has one step per group: alone, its chains take the groups in turn.
    static constexpr std::size_t kGroups = kWide == 0 ? 2 : 1;
    // Narrow sums of four rows at a time are added up at once, with their bias.
    static constexpr bool kOfFour = kNarrow > 0 && Rows % 4 == 0;
    using RowPointers = const std::uint8_t* const (&)[Rows];

    Acc<Rows, kWide + (kWide == 0)> wide[kChains];  // no array is empty
    Acc<Rows, 1> narrow[kGroups];

    [[gnu::always_inline]] inline void start(const std::int32_t* bias) {
      unroll<kChains>([&](auto c) { clear(wide[c]); });
      unroll<kGroups>([&](auto c) { clear(narrow[c]); });
      if constexpr (kOfFour) {
        const __m512i first = spread_four(0x1111, bias + kLanes * kWide);
        unroll<Rows>([&](auto r) { narrow[0][r][0] = first; });
      }
      unroll<kWide>([&](auto v) {
        const __m512i first = _mm512_loadu_si512(bias + kLanes * v);
        unroll<Rows>([&](auto r) { wide[0][r][v] = first; });
      });
    }

    // What belongs to 16 k. Only full panels have one to fetch, and blocks of few rows are few.
    [[gnu::always_inline]] static inline void fetch_group(Ahead& ahead) {
      if constexpr (Width == 64 && Rows >= 4) ahead.fetch<kGroup * Width / kBytesPerFetch>();
    }
    // What a block that is alone reads so many bytes later; panel is where it reads now.
    [[gnu::always_inline]] static inline void fetch_own(const Ahead& ahead,
                                                        const std::int8_t* panel) {
      if constexpr (Width == 64 && Rows >= 4) {
        if (!ahead.alone) return;
        unroll<kGroup * Width / 64>(
            [&](auto i) { __builtin_prefetch(panel + kBytesAhead + 64 * i, 0, 3); });
      }
    }

    // The k..k+15 of every row.
    template <class Chain>
    [[gnu::always_inline]] inline void add_group(const std::int8_t*& panel, RowPointers a,
                                                 std::size_t k, Chain chain) {
      step<kNarrow>(narrow[chain], panel, [&](auto r) { return load_group(a[r] + k); });
      unroll<kGroup / kKr>([&](auto s) {
        step<kWide>(wide[s % kChains], panel,
                    [&](auto r) { return load_step(a[r] + k + kKr * s); });
      });
    }

    // The k that are left, 1 to 15 of them. Rows of fewer codes than are loaded need masks: strips
    // have none, blocks that small batches meet have a loop for either, the others always mask.
    template <bool kManyK>
    [[gnu::always_inline]] inline void add_rest(const std::int8_t*& panel, RowPointers a,
                                                std::size_t k, std::size_t end) {
      const auto mask = [&](std::size_t size) {
        return static_cast<__mmask16>(end < size ? 0xffff << (size - end) : 0xffff);
      };
      step<kNarrow>(narrow[0], panel, [&](auto r) {
        const std::uint8_t* codes = a[r] + end - kGroup;
        return kManyK ? load_group(codes)
                      : _mm512_broadcast_i32x4(_mm_maskz_loadu_epi8(mask(kGroup), codes));
      });
      const auto last = static_cast<std::ptrdiff_t>(end) - static_cast<std::ptrdiff_t>(kKr);
      const auto steps = [&](auto load) __attribute__((always_inline)) {
        for (; k < end; k += kKr) {
          const auto at = static_cast<std::ptrdiff_t>(k);
          step<kWide>(wide[0], panel, [&](auto r) { return load(a[r] + (at < last ? at : last)); });
        }
      };
      constexpr bool kBoth = Width >= 36 && (Rows == 1 || Rows == 4);
      if constexpr (kWide > 0) {
        if (kManyK || (kBoth && end >= kKr)) {
          steps([](const std::uint8_t* codes) { return load_step(codes); });
        } else {
          const auto four = static_cast<__mmask16>(mask(kKr) & 0xf);
          steps([&](const std::uint8_t* codes) {
            return _mm512_broadcastd_epi32(_mm_maskz_loadu_epi8(four, codes));
          });
        }
      }
    }

    // Into the first chain.
    [[gnu::always_inline]] inline void join_chains() {
      unroll<kChains - 1>([&](auto c) { add(wide[0], wide[c + 1]); });
      unroll<kGroups - 1>([&](auto c) { add(narrow[0], narrow[c + 1]); });
    }

    // Those of a row by vectors of 16 columns.
    [[gnu::always_inline]] inline void finish(const std::int32_t* bias, std::size_t r,
                                              __m512i (&row)[kVectors]) const {
      unroll<kWide>([&](auto v) { row[v] = wide[0][r][v]; });
      if constexpr (kNarrow > 0) {
        row[kWide] = transpose_lanes(add_lanes(narrow[0][r][0]));
        if constexpr (!kOfFour) {
          row[kWide] = _mm512_add_epi32(row[kWide], _mm512_loadu_si512(bias + kLanes * kWide));
        }
      }
    }
  };
};

}  // namespace
}  // namespace octet::kernels
