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
#include <immintrin.h>

#include "kernels/make_table.inl"
#include "kernels/store_256.inl"
#include "kernels/tables.h"

namespace octet::kernels {
namespace {

struct Avx2 : Steps<4> {
  static constexpr std::size_t kLanes = 8;
  static constexpr std::size_t kWidths[] = {8, 16, 24, 32};
  static constexpr std::size_t kMr = 3;
  static constexpr std::size_t kRowsPerPass = 24;

  // A prepared row: per tap, 64 bytes for every 32 codes, 8 pairs of 4 bytes of u and 4 of m. The
  // row sums of all slots come first.
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

  // 32 codes to their pairs; the result is u where a < 0.
  [[gnu::always_inline]] static inline __m256i prepare_32(__m256i a, char* out) {
    const __m256i u = _mm256_abs_epi8(a);
    const __m256i m = _mm256_cmpgt_epi8(_mm256_setzero_si256(), a);
    const __m256i low = _mm256_unpacklo_epi32(u, m);
    const __m256i high = _mm256_unpackhi_epi32(u, m);
    put(out, _mm256_permute2x128_si256(low, high, 0x20));
    put(out + 32, _mm256_permute2x128_si256(low, high, 0x31));
    return _mm256_and_si256(u, m);
  }

  // One row of one tap; the result is its sum of u where a < 0, as four 64-bit sums.
  [[gnu::always_inline]] static inline __m256i prepare_tap(const std::uint8_t* a, std::size_t k,
                                                           char* out) {
    const __m256i zero = _mm256_setzero_si256();
    __m256i sum = zero;
    std::size_t i = 0;
    for (; i + 32 <= k; i += 32) {
      sum = _mm256_add_epi64(sum, _mm256_sad_epu8(prepare_32(load(a + i), out + 2 * i), zero));
    }
    const std::size_t left = k - i;
    if (left == 0) return sum;
    if (i > 0 && k % kKr == 0) {
      // The row's last 32 codes: some come again, are written again and not counted again.
      const __m256i index =
          _mm256_setr_epi8(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20,
                           21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31);
      const __m256i fresh =
          _mm256_cmpgt_epi8(index, _mm256_set1_epi8(static_cast<char>(31 - left)));
      const __m256i u = prepare_32(load(a + k - 32), out + 2 * (k - 32));
      return _mm256_add_epi64(sum, _mm256_sad_epu8(_mm256_and_si256(u, fresh), zero));
    }
    alignas(32) std::uint8_t tail[32] = {};
    memcpy(tail, a + i, left);
    return _mm256_add_epi64(sum, _mm256_sad_epu8(prepare_32(load(tail), out + 2 * i), zero));
  }

  static void prepare(const GemmTask& task, std::size_t first, std::size_t rows) {
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

  template <std::size_t Rows, std::size_t Width>
  [[gnu::flatten]] static void tile(const GemmTask& task, const Block& block) {
    constexpr std::size_t kVectors = Width / kLanes;
    const auto* sums = static_cast<const std::int32_t*>(task.scratch) + block.slot;
    __m256i acc[Rows][kVectors];
    unroll<kVectors>([&](auto v) {
      const __m256i bias = load(task.epilogue.bias + block.column + kLanes * v);
      unroll<Rows>([&](auto r) { acc[r][v] = _mm256_add_epi32(bias, _mm256_set1_epi32(sums[r])); });
    });

    const std::size_t tap_stride = prepared_bytes(task.k);
    const std::size_t row_stride = task.taps * tap_stride;
    const char* rows = static_cast<const char*>(task.scratch) + kSumBytes + block.slot * row_stride;
    const std::int8_t* panel = block.panel;
    const __m256i ones = _mm256_set1_epi16(1);
    for (std::size_t tap = 0; tap < task.taps; ++tap, rows += tap_stride) {
      const char* a[Rows];
      unroll<Rows>([&](auto r) { a[r] = rows + r * row_stride; });
      // All 16 registers are in use. The empty assembly keeps the compiler from wanting more: the
      // weights stay memory operands of vpxor, and the steps are not interleaved.
      for (std::size_t k = 0; k < task.k; k += kKr, panel += 32 * kVectors) {
        unroll<Rows>([&](auto r) {
          const __m256i u = _mm256_set1_epi32(static_cast<int>(load_word(a[r] + 2 * k)));
          const __m256i m = _mm256_set1_epi32(static_cast<int>(load_word(a[r] + 2 * k + 4)));
          unroll<kVectors>([&](auto v) {
            const __m256i flipped = _mm256_xor_si256(load(panel + 32 * v), m);
            const __m256i pairs = _mm256_maddubs_epi16(u, flipped);
            acc[r][v] = _mm256_add_epi32(acc[r][v], _mm256_madd_epi16(pairs, ones));
            __asm__("" : "+x"(acc[r][v]));
          });
          __asm__("" : "+r"(panel));
        });
      }
    }
    Store256<Sign::s8>::store(task, block, acc);
  }
};

}  // namespace

constinit const Table kAvx2Table =
    make_table<Avx2, xsimd::avx2, Sign::s8>("avx2", kAvx2Floats, Avx2::scratch_bytes);

}  // namespace octet::kernels
