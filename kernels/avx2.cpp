// SPDX-License-Identifier: Apache-2.0
// AVX2, exact. vpmaddubsw adds pairs of u8 x s8 products in int16 and saturates on full-range
// codes; with u = |a| and m = (a < 0 ? 0xff : 0) the identity
//
//     a * w = u * (w xor m) + (a < 0 ? u : 0)
//
// leaves pairs of u <= 128 by an s8: within [-32768, 32512], so nothing saturates for any s8 a and
// w. The last term does not depend on w: it is one int32 per row. prepare() makes u, m and that
// sum.
//
// The register block is 3 rows x 4 vectors of 8 columns; per step of 4 k:
//
//              w[step]:   v0   v1   v2   v3      memory, 8 columns x 4 k each
//     u0, m0       ->    acc  acc  acc  acc      ymm, u and m broadcast to all columns
//     u1, m1       ->    acc  acc  acc  acc
//     u2, m2       ->    acc  acc  acc  acc      12 accumulators + u, m, ones, 1 product = 16
//
// For a panel of 4, 8 or 12 columns rows are not worth preparing. There the weight gives u and m,
// the row is flipped, and what is left of the identity, a sum per column, lies behind the weights.
// The panel is narrow vectors of 4 columns x 8 k, one step per 8 k:
//
//              w[step]:  | column 0: k..k+7 | column 1 | column 2 | column 3 |
//     a[0][k..k+7] ->    broadcast to the four lanes of 64 bits
//
// whose two sums per column are added in the end. So 10 columns cost 3 products per 8 k where
// vectors of 8 columns cost 4.
#include <immintrin.h>

#include "kernels/make_table.inl"
#include "kernels/store_256.inl"
#include "kernels/tables.h"

namespace octet::kernels {
namespace {

struct Avx2 {
  static constexpr std::size_t kLanes = 8;
  static constexpr std::size_t kWidths[] = {4, 8, 12, 16, 24, 32};
  static constexpr std::size_t kKr = 4;
  static constexpr std::size_t kMr = 3;
  static constexpr std::size_t kRowsPerPass = 24;
  static constexpr std::size_t kBytesPerFetch = 128;

  static constexpr std::size_t kNarrow = 12;  // the widest panel of narrow vectors
  static constexpr std::size_t kNarrowKr = 8;

  // A tap of narrow vectors ends with an int32 for each column, and zeros up to whole vectors.
  static std::size_t tap_bytes(std::size_t width, std::size_t k) {
    if (width > kNarrow) return width * round_up(k, kKr);
    return width * round_up(k, kNarrowKr) + sizeof(std::int32_t) * round_up(width, kLanes);
  }
  static std::size_t place(std::size_t width, std::size_t column, std::size_t, std::size_t i) {
    const std::size_t kr = width > kNarrow ? kKr : kNarrowKr;
    return i / kr * kr * width + column * kr + i % kr;
  }
  static void finish_tap(std::size_t width, std::size_t column, std::size_t k, const std::int8_t* w,
                         std::int8_t* tap) {
    if (width > kNarrow) return;
    std::int32_t sum = 0;
    for (std::size_t i = 0; i < k; ++i) sum -= w[i] < 0 ? w[i] : 0;
    memcpy(tap + width * round_up(k, kNarrowKr) + column * sizeof sum, &sum, sizeof sum);
  }

  // A prepared row: per tap, u of all its codes and then m, both padded with zeros. The row sums of
  // all slots come first.
  static constexpr std::size_t kSumBytes = round_up(kRowsPerPass * sizeof(std::int32_t), 64);
  static std::size_t prepared_bytes(std::size_t k) { return 2 * round_up(k, 32); }
  static std::size_t scratch_bytes(std::size_t taps, std::size_t k) {
    return kSumBytes + kRowsPerPass * taps * prepared_bytes(k);
  }

  [[gnu::always_inline]] static inline __m256i load(const void* from) {
    return _mm256_loadu_si256(static_cast<const __m256i*>(from));
  }
  [[gnu::always_inline]] static inline void put(char* to, __m256i y) {
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(to), y);
  }

  // u and m of 32 codes, m half bytes after u; the result is u where a < 0.
  [[gnu::always_inline]] static inline __m256i prepare_32(__m256i a, char* out, std::size_t half) {
    const __m256i u = _mm256_abs_epi8(a);
    const __m256i m = _mm256_cmpgt_epi8(_mm256_setzero_si256(), a);
    put(out, u);
    put(out + half, m);
    return _mm256_and_si256(u, m);
  }

  // One row of one tap; the result is its sum of u where a < 0, as four 64-bit sums.
  [[gnu::always_inline]] static inline __m256i prepare_tap(const std::uint8_t* a, std::size_t k,
                                                           char* out) {
    const __m256i zero = _mm256_setzero_si256();
    const std::size_t half = round_up(k, 32);
    __m256i sum = zero;
    std::size_t i = 0;
    for (; i + 32 <= k; i += 32) {
      sum = _mm256_add_epi64(sum, _mm256_sad_epu8(prepare_32(load(a + i), out + i, half), zero));
    }
    const std::size_t left = k - i;
    if (left == 0) return sum;
    if (i > 0) {
      // The row's last 32 codes: some come again, are written again and not counted again. Zeros
      // fill the last step.
      memset(out + round_up(k, kKr) - kKr, 0, kKr);
      memset(out + half + round_up(k, kKr) - kKr, 0, kKr);
      const __m256i index =
          _mm256_setr_epi8(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20,
                           21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31);
      const __m256i fresh =
          _mm256_cmpgt_epi8(index, _mm256_set1_epi8(static_cast<char>(31 - left)));
      const __m256i u = prepare_32(load(a + k - 32), out + k - 32, half);
      return _mm256_add_epi64(sum, _mm256_sad_epu8(_mm256_and_si256(u, fresh), zero));
    }
    alignas(32) std::uint8_t tail[32] = {};
    memcpy(tail, a + i, left);
    return _mm256_add_epi64(sum, _mm256_sad_epu8(prepare_32(load(tail), out + i, half), zero));
  }

  static void prepare(const GemmTask& task, std::size_t first, std::size_t rows) {
    if (task.n_end - task.n_begin <= kNarrow) return;
    auto* sums = static_cast<std::int32_t*>(task.scratch);
    char* out = static_cast<char*>(task.scratch) + kSumBytes;
    const std::size_t stride = prepared_bytes(task.k);
    for (std::size_t slot = 0; slot < rows; ++slot) {
      __m256i sum = _mm256_setzero_si256();
      for (std::size_t tap = 0; tap < task.taps; ++tap, out += stride) {
        const std::uint8_t* a = task.rows[tap * task.m + first + slot];
        sum = _mm256_add_epi64(sum, prepare_tap(a, task.k, out));
      }
      const __m128i half =
          _mm_add_epi64(_mm256_castsi256_si128(sum), _mm256_extracti128_si256(sum, 1));
      sums[slot] = _mm_cvtsi128_si32(half) + _mm_extract_epi32(half, 2);
    }
  }

  // A vector's step for one row.
  [[gnu::always_inline]] static inline __m256i add(__m256i acc, __m256i u, __m256i flipped) {
    const __m256i pairs = _mm256_maddubs_epi16(u, flipped);
    __m256i sum = _mm256_add_epi32(acc, _mm256_madd_epi16(pairs, _mm256_set1_epi16(1)));
    asm("" : "+x"(sum));
    return sum;
  }

  template <std::size_t Rows, std::size_t Vectors>
  [[gnu::always_inline]] static inline void wide_tile(const GemmTask& task, const Block& block) {
    const auto* sums = static_cast<const std::int32_t*>(task.scratch) + block.slot;
    __m256i acc[Rows][Vectors];
    unroll<Vectors>([&](auto v) {
      const __m256i bias = load(task.epilogue.bias + block.column + kLanes * v);
      unroll<Rows>([&](auto r) { acc[r][v] = _mm256_add_epi32(bias, _mm256_set1_epi32(sums[r])); });
    });

    const std::size_t half = round_up(task.k, 32);
    const std::size_t row_stride = task.taps * 2 * half;
    const char* rows = static_cast<const char*>(task.scratch) + kSumBytes + block.slot * row_stride;
    const std::int8_t* panel = block.panel;
    constexpr bool kFetches = Rows > 1 && Vectors == 4;
    Ahead ahead;  // in registers: a step of two rows takes 12 cycles
    if constexpr (kFetches) ahead = *block.ahead;
    for (std::size_t tap = 0; tap < task.taps; ++tap, rows += 2 * half) {
      const char* a[Rows];
      unroll<Rows>([&](auto r) { a[r] = rows + r * row_stride; });
      // All 16 registers are in use. The empty assembly keeps the compiler from wanting more: the
      // weights stay memory operands of vpxor, and the steps are not interleaved.
      for (std::size_t k = 0; k < task.k; k += kKr, panel += 32 * Vectors) {
        if constexpr (kFetches) ahead.fetch<32 * Vectors / kBytesPerFetch>();
        unroll<Rows>([&](auto r) {
          const __m256i u = _mm256_set1_epi32(static_cast<int>(load_word(a[r] + k)));
          const __m256i m = _mm256_set1_epi32(static_cast<int>(load_word(a[r] + half + k)));
          unroll<Vectors>([&](auto v) {
            acc[r][v] = add(acc[r][v], u, _mm256_xor_si256(load(panel + 32 * v), m));
          });
          asm("" : "+r"(panel));
        });
      }
    }
    if constexpr (kFetches) *block.ahead = ahead;
    Store256<Sign::s8>::store(task, block, acc);
  }

  // The last k % 8 codes of a row, zeros after them.
  [[gnu::always_inline]] static inline std::uint64_t load_last(const std::uint8_t* a,
                                                               std::size_t k) {
    std::uint64_t codes = 0;
    if (k >= kNarrowKr) {
      memcpy(&codes, a + k - kNarrowKr, sizeof codes);
      return codes >> 1 >> (8 * (kNarrowKr - k % kNarrowKr) - 1);  // by 64, if there is none
    }
    for (std::size_t i = k; i > 0; --i) codes = codes << 8 | a[i - 1];
    return codes;
  }

  template <std::size_t Rows, std::size_t Vectors>
  [[gnu::always_inline]] static inline void narrow_tile(const GemmTask& task, const Block& block) {
    constexpr std::size_t kWide = (Vectors + 1) / 2;
    __m256i acc[Rows][Vectors];
    unroll<Rows>(
        [&](auto r) { unroll<Vectors>([&](auto v) { acc[r][v] = _mm256_setzero_si256(); }); });
    const std::int8_t* panel = block.panel;
    for (std::size_t tap = 0; tap < task.taps; ++tap) {
      const std::uint8_t* a[Rows];
      unroll<Rows>([&](auto r) { a[r] = task.rows[tap * task.m + block.row + r]; });
      std::uint64_t last[Rows];
      for (std::size_t r = 0; r < Rows; ++r) last[r] = load_last(a[r], task.k);
      // The steps of eight codes, then one that zeros fill.
      std::size_t steps = task.k / kNarrowKr;
      for (bool rest = task.k % kNarrowKr != 0;; rest = false) {
        for (std::size_t i = 0; i < steps; ++i, panel += 32 * Vectors) {
          unroll<Vectors>([&](auto v) {
            const __m256i w = load(panel + 32 * v);
            const __m256i u = _mm256_abs_epi8(w);
            const __m256i m = _mm256_cmpgt_epi8(_mm256_setzero_si256(), w);
            unroll<Rows>([&](auto r) {
              long long codes;
              memcpy(&codes, a[r] + kNarrowKr * i, sizeof codes);
              acc[r][v] = add(acc[r][v], u, _mm256_xor_si256(_mm256_set1_epi64x(codes), m));
            });
          });
        }
        if (!rest) break;
        unroll<Rows>([&](auto r) { a[r] = reinterpret_cast<const std::uint8_t*>(last + r); });
        steps = 1;
      }
      panel += 32 * kWide;
    }
    __m256i sums[kWide];
    unroll<kWide>([&](auto v) {
      sums[v] = load(task.epilogue.bias + block.column + kLanes * v);
      const std::int8_t* end = panel;
      for (std::size_t tap = 0; tap < task.taps; ++tap) {
        sums[v] = _mm256_add_epi32(sums[v], load(end - 32 * (kWide - v)));
        end -= tap_bytes(4 * Vectors, task.k);
      }
    });
    __m256i wide[Rows][kWide];
    unroll<Rows>([&](auto r) {
      unroll<kWide>([&](auto v) {
        constexpr std::size_t kSecond = 2 * v + 1 < Vectors ? 2 * v + 1 : 2 * v;
        const __m256i pairs = _mm256_hadd_epi32(acc[r][2 * v], acc[r][kSecond]);
        wide[r][v] = _mm256_add_epi32(_mm256_permute4x64_epi64(pairs, 0b11'01'10'00), sums[v]);
      });
    });
    Store256<Sign::s8>::store(task, block, wide);
  }

  template <std::size_t Rows, std::size_t Width>
  [[gnu::flatten]] static void tile(const GemmTask& task, const Block& block) {
    if constexpr (Width > kNarrow) {
      wide_tile<Rows, Width / kLanes>(task, block);
    } else {
      narrow_tile<Rows, Width / 4>(task, block);
    }
  }
};

}  // namespace

constinit const Table kAvx2Table =
    make_table<Avx2, xsimd::avx2, Sign::s8>("avx2", kAvx2Floats, Avx2::scratch_bytes);

}  // namespace octet::kernels
