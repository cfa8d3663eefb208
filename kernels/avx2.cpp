// SPDX-License-Identifier: Apache-2.0
// AVX2, exact. vpmaddubsw adds pairs of u8 x s8 products in int16 and saturates on full-range
// codes; with u = |a| and m = (a < 0 ? 0xff : 0) the identity
//
//     a * w = u * (w xor m) + (a < 0 ? u : 0)
//
// leaves pairs of u <= 128 by an s8: within [-32768, 32512], so nothing saturates for any s8 a and
// w. The last term does not depend on w: it is one int32 per row. prepare() makes u, m, that sum,
// and of what fills no 16 k of a row 16 codes.
//
// The register block is 3 rows x 4 vectors of 8 columns; per step of 4 k:
//
//              w[step]:   v0   v1   v2   v3      memory, 8 columns x 4 k each
//     u0, m0       ->    acc  acc  acc  acc      ymm, u and m broadcast to all columns
//     u1, m1       ->    acc  acc  acc  acc
//     u2, m2       ->    acc  acc  acc  acc      12 accumulators + u, m, ones, 1 product = 16
//
// For a panel of up to 16 columns rows are not worth preparing. There the weight gives u and m,
// which are both packed, the row is flipped, and what is left of the identity, a sum per column,
// lies behind them. The panel is narrow vectors of 4 columns x 8 k, whose two sums per column are
// added in the end:
//
//              u, m[step]:  | column 0: k..k+7 | column 1 | column 2 | column 3 |
//     a[0][k..k+7] ->       broadcast to the four lanes of 64 bits
//
// 10 columns, the last layer of most classifiers, are two of them per 8 k and one of 2 columns x 16
// k per 16 k: 2.5 products per 8 k where vectors of 8 columns x 4 k would be 4.
#include <immintrin.h>

#include "kernels/make_table.inl"
#include "kernels/store_256.inl"
#include "kernels/tables.h"

namespace octet::kernels {
namespace {

struct Avx2 {
  static constexpr std::size_t kLanes = 8;
  static constexpr std::size_t kWide = 32;    // the only panel of vectors of 8 columns
  static constexpr std::size_t kNarrow = 16;  // the widest of narrow vectors
  static constexpr std::size_t kWidths[] = {4, 8, 10, 16, kWide};
  static constexpr std::size_t kKr = 4;
  static constexpr std::size_t kMr = 3;
  static constexpr std::size_t kRowsPerPass = 24;
  static constexpr std::size_t kBytesAhead = 2048;  // of a wide panel are on their way

  // k of a step of narrow vectors.
  static constexpr std::size_t step_k(std::size_t width) { return width == 10 ? 16 : 8; }

  // A tap of narrow vectors is u and m of each, kToM bytes apart, and ends with an int32 for each
  // column and zeros up to whole vectors.
  static constexpr std::size_t kToM = 32;
  static std::size_t tap_bytes(std::size_t width, std::size_t k) {
    if (width > kNarrow) return width * round_up(k, kKr);
    return 2 * width * round_up(k, step_k(width)) + sizeof(std::int32_t) * round_up(width, kLanes);
  }
  // Of a narrow vector that of u, for any i.
  static std::size_t place(std::size_t width, std::size_t column, std::size_t, std::size_t i) {
    if (width > kNarrow) return i * width + column * kKr;
    const std::size_t step = step_k(width);
    const std::size_t first = 2 * width * (i / step * step);
    i %= step;
    if (width == 10 && column >= 8) return first + 256 + column % 2 * 16 + i;
    return first + i / 8 * 128 + column / 4 * 64 + column % 4 * 8 + i % 8;
  }
  static void finish_tap(std::size_t width, std::size_t column, std::size_t k, const std::int8_t* w,
                         std::int8_t* tap) {
    if (width > kNarrow) return;
    std::int32_t sum = 0;
    for (std::size_t i = 0; i < k; ++i) {
      if (w[i] >= 0) continue;
      sum -= w[i];
      std::int8_t* u = tap + place(width, column, k, i);
      *u = static_cast<std::int8_t>(-w[i]);
      u[kToM] = -1;
    }
    memcpy(tap + tap_bytes(width, k) - sizeof sum * (round_up(width, kLanes) - column), &sum,
           sizeof sum);
  }

  // What prepare() leaves of a pass: a sum for each row; for each row and tap its last k % 16 codes
  // and zeros; and for each u of all its codes and then m, both padded with zeros.
  static constexpr std::size_t kSumBytes = round_up(kRowsPerPass * sizeof(std::int32_t), 64);
  static std::size_t rest_bytes(std::size_t taps) { return kRowsPerPass * taps * 16; }
  static std::size_t prepared_bytes(std::size_t k) { return 2 * round_up(k, 32); }
  static std::size_t scratch_bytes(std::size_t taps, std::size_t k) {
    return kSumBytes + rest_bytes(taps) + kRowsPerPass * taps * prepared_bytes(k);
  }

  [[gnu::always_inline]] static inline __m256i load(const void* from) {
    return _mm256_loadu_si256(static_cast<const __m256i*>(from));
  }
  [[gnu::always_inline]] static inline __m128i load_16(const void* from) {
    return _mm_loadu_si128(static_cast<const __m128i*>(from));
  }
  [[gnu::always_inline]] static inline void put(char* to, __m256i y) {
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(to), y);
  }
  [[gnu::always_inline]] static inline void put_16(char* to, __m128i y) {
    _mm_storeu_si128(reinterpret_cast<__m128i*>(to), y);
  }

  // u and m of 32 codes, m half bytes after u; the result is u where a < 0.
  [[gnu::always_inline]] static inline __m256i prepare_32(__m256i a, char* out, std::size_t half) {
    const __m256i u = _mm256_abs_epi8(a);
    const __m256i m = _mm256_cmpgt_epi8(_mm256_setzero_si256(), a);
    put(out, u);
    put(out + half, m);
    return _mm256_and_si256(u, m);
  }

  // One row of one tap, its rest beside it; the result is its sum of u where a < 0, as four 64-bit
  // sums.
  [[gnu::always_inline]] static inline __m256i prepare_tap(const std::uint8_t* a, const char* rest,
                                                           std::size_t k, char* out) {
    const __m256i zero = _mm256_setzero_si256();
    const std::size_t half = round_up(k, 32);
    __m256i sum = zero;
    std::size_t i = 0;
    for (; i + 32 <= k; i += 32) {
      sum = _mm256_add_epi64(sum, _mm256_sad_epu8(prepare_32(load(a + i), out + i, half), zero));
    }
    if (i == k) return sum;
    __m256i last = zero;
    if (k % 16 > 0) last = _mm256_zextsi128_si256(load_16(rest));
    if (k - i >= 16) {
      last = _mm256_permute2x128_si256(_mm256_castsi128_si256(load_16(a + i)), last, 0x20);
    }
    return _mm256_add_epi64(sum, _mm256_sad_epu8(prepare_32(last, out + i, half), zero));
  }

  // The first count (1 to 8) bytes and zeros.
  [[gnu::always_inline]] static inline std::uint64_t load_few(const std::uint8_t* from,
                                                              std::size_t count) {
    if (count < 4) return load_part(from, count);
    return load_word(from) | std::uint64_t{load_word(from + count - 4)} << (8 * (count - 4));
  }

  // The last k % 16 codes of each row and zeros.
  [[gnu::always_inline]] static inline void prepare_rests(const std::uint8_t* const* a,
                                                          std::size_t rows, std::size_t k,
                                                          char* out) {
    if (k < 16) {
      for (std::size_t row = 0; row < rows; ++row) {
        const std::uint64_t first = load_few(a[row], k < 8 ? k : 8);
        const std::uint64_t second = k > 8 ? load_few(a[row] + 8, k - 8) : 0;
        put_16(out + 16 * row,
               _mm_set_epi64x(static_cast<long long>(second), static_cast<long long>(first)));
      }
      return;
    }
    alignas(32) static constexpr std::int8_t kOrder[32] = {
        0,  1,  2,  3,  4,  5,  6,  7,  8,  9,  10, 11, 12, 13, 14, 15,
        -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1};
    const __m128i order = load_16(kOrder + 16 - k % 16);
    for (std::size_t row = 0; row < rows; ++row) {
      put_16(out + 16 * row, _mm_shuffle_epi8(load_16(a[row] + k - 16), order));
    }
  }

  static void prepare(const GemmTask& task, std::size_t first, std::size_t rows) {
    char* rests = static_cast<char*>(task.scratch) + kSumBytes;
    for (std::size_t tap = 0; tap < task.taps && task.k % 16 > 0; ++tap) {
      prepare_rests(task.rows + tap * task.m + first, rows, task.k,
                    rests + 16 * kRowsPerPass * tap);
    }
    if (task.n_end - task.n_begin <= kWide - kLanes) return;  // there is no wide panel
    auto* sums = static_cast<std::int32_t*>(task.scratch);
    char* out = rests + rest_bytes(task.taps);
    const std::size_t stride = prepared_bytes(task.k);
    for (std::size_t slot = 0; slot < rows; ++slot) {
      __m256i sum = _mm256_setzero_si256();
      for (std::size_t tap = 0; tap < task.taps; ++tap, out += stride) {
        const std::uint8_t* a = task.rows[tap * task.m + first + slot];
        const char* rest = rests + 16 * (kRowsPerPass * tap + slot);
        sum = _mm256_add_epi64(sum, prepare_tap(a, rest, task.k, out));
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

  template <std::size_t Rows>
  [[gnu::always_inline]] static inline void wide_tile(const GemmTask& task, const Block& block) {
    constexpr std::size_t kVectors = kWide / kLanes;
    const auto* sums = static_cast<const std::int32_t*>(task.scratch) + block.slot;
    __m256i acc[Rows][kVectors];
    unroll<kVectors>([&](auto v) {
      const __m256i bias = load(task.epilogue.bias + block.column + kLanes * v);
      unroll<Rows>([&](auto r) { acc[r][v] = _mm256_add_epi32(bias, _mm256_set1_epi32(sums[r])); });
    });

    const std::size_t half = round_up(task.k, 32);
    const std::size_t row_stride = task.taps * 2 * half;
    const char* rows = static_cast<const char*>(task.scratch) + kSumBytes + rest_bytes(task.taps) +
                       block.slot * row_stride;
    const std::int8_t* panel = block.panel;
    std::size_t tap = 0;
    do {
      const char* a[Rows];
      unroll<Rows>([&](auto r) { a[r] = rows + r * row_stride; });
      // All 16 registers are in use. The empty assembly keeps the compiler from wanting more: the
      // weights stay memory operands of vpxor, and the steps are not interleaved.
      for (std::size_t k = 0; k < task.k; k += kKr, panel += kWide * kKr) {
        unroll<kWide * kKr / 64>(
            [&](auto i) { __builtin_prefetch(panel + kBytesAhead + 64 * i, 0, 3); });
        unroll<Rows>([&](auto r) {
          const __m256i u = _mm256_set1_epi32(static_cast<int>(load_word(a[r] + k)));
          const __m256i m = _mm256_set1_epi32(static_cast<int>(load_word(a[r] + half + k)));
          unroll<kVectors>([&](auto v) {
            acc[r][v] = add(acc[r][v], u, _mm256_xor_si256(load(panel + 32 * v), m));
          });
          asm("" : "+r"(panel));
        });
      }
      rows += 2 * half;
    } while (++tap < task.taps);
    Store256<Sign::s8>::store(task, block, acc);
  }

  template <std::size_t Rows, std::size_t Width>
  [[gnu::always_inline]] static inline void narrow_tile(const GemmTask& task, const Block& block) {
    constexpr std::size_t kStep = step_k(Width);
    constexpr std::size_t kVectors = (Width + 3) / 4;
    constexpr std::size_t kFull = Width / 4;  // of 4 columns x 8 k
    constexpr std::size_t kSums = (kVectors + 1) / 2;
    __m256i acc[Rows][kVectors];
    unroll<Rows>(
        [&](auto r) { unroll<kVectors>([&](auto v) { acc[r][v] = _mm256_setzero_si256(); }); });
    __m256i sums[kSums];
    unroll<kSums>([&](auto v) { sums[v] = load(task.epilogue.bias + block.column + kLanes * v); });
    const std::int8_t* panel = block.panel;
    const auto* rest = static_cast<const std::uint8_t*>(task.scratch) + kSumBytes +
                       16 * block.slot + (kStep == 8 ? task.k & 8 : 0);
    std::size_t tap = 0;
    do {
      const std::uint8_t* a[Rows];
      unroll<Rows>([&](auto r) { a[r] = task.rows[tap * task.m + block.row + r]; });
      // The whole steps of the rows, then one of their rests.
      std::size_t end = task.k / kStep * kStep;
      for (bool more = task.k % kStep != 0;; more = false) {
        for (std::size_t k = 0; k < end; k += kStep) {
          unroll<kStep / 8>([&](auto s) {
            unroll<kFull>([&](auto v) {
              const __m256i u = load(panel + 64 * v);
              const __m256i m = load(panel + 64 * v + kToM);
              unroll<Rows>([&](auto r) {
                long long codes;
                memcpy(&codes, a[r] + k + 8 * s, sizeof codes);
                acc[r][v] = add(acc[r][v], u, _mm256_xor_si256(_mm256_set1_epi64x(codes), m));
              });
            });
            panel += 64 * kFull;
          });
          if constexpr (kFull < kVectors) {
            const __m256i u = load(panel);
            const __m256i m = load(panel + kToM);
            unroll<Rows>([&](auto r) {
              const __m256i codes = _mm256_broadcastsi128_si256(load_16(a[r] + k));
              acc[r][kFull] = add(acc[r][kFull], u, _mm256_xor_si256(codes, m));
            });
            panel += 64;
          }
        }
        if (!more) break;
        unroll<Rows>([&](auto r) { a[r] = rest + 16 * r; });
        end = kStep;
      }
      unroll<kSums>([&](auto v) { sums[v] = _mm256_add_epi32(sums[v], load(panel + 32 * v)); });
      panel += 32 * kSums;
      rest += 16 * kRowsPerPass;
    } while (++tap < task.taps);
    __m256i wide[Rows][kSums];
    unroll<Rows>([&](auto r) {
      unroll<kSums>([&](auto v) {
        constexpr std::size_t kSecond = 2 * v + 1 < kVectors ? 2 * v + 1 : 2 * v;
        __m256i pairs = _mm256_permute4x64_epi64(_mm256_hadd_epi32(acc[r][2 * v], acc[r][kSecond]),
                                                 0b11'01'10'00);
        if constexpr (Width == 10 && v == 1) pairs = _mm256_hadd_epi32(pairs, pairs);  // of four
        wide[r][v] = _mm256_add_epi32(pairs, sums[v]);
      });
    });
    Store256<Sign::s8>::store(task, block, wide);
  }

  template <std::size_t Rows, std::size_t Width>
  [[gnu::flatten]] static void tile(const GemmTask& task, const Block& block) {
    if constexpr (Width > kNarrow) {
      wide_tile<Rows>(task, block);
    } else {
      narrow_tile<Rows, Width>(task, block);
    }
  }
};

}  // namespace

constinit const Table kAvx2Table =
    make_table<Avx2, xsimd::avx2, Sign::s8>("avx2", kAvx2Floats, Avx2::scratch_bytes);

}  // namespace octet::kernels
