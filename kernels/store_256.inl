// SPDX-License-Identifier: Apache-2.0
// The fused epilogue of register blocks that are vectors of 8 columns: avx2 and avxvnni. Part of a
// panel is stored to a whole block on the stack and copied from there: AVX2 has no masked store of
// bytes, and that of words is microcode on AMD before Zen 5.
#pragma once

#include <immintrin.h>

#include "kernels/gemm_loop.inl"

namespace octet::kernels {
namespace {

template <Sign kSign>
struct Store256 {
  static constexpr std::size_t kLanes = 8;

  template <std::size_t Rows, std::size_t Vectors>
  using Acc = __m256i[Rows][Vectors];

  [[gnu::always_inline]] static inline void put(char* to, __m256i y) {
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(to), y);
  }

  template <std::size_t Rows, std::size_t Vectors>
  [[gnu::always_inline]] static inline void store(const GemmTask& task, const Block& block,
                                                  const Acc<Rows, Vectors>& acc) {
    const Epilogue& e = task.epilogue;
    if (e.store != Store::q8 || !e.below_one) {
      alignas(32) std::int32_t sums[Rows * Vectors * kLanes];
      unroll<Rows>([&](auto r) {
        unroll<Vectors>([&](auto v) {
          put(reinterpret_cast<char*>(sums + kLanes * (r * Vectors + v)), acc[r][v]);
        });
      });
      return store_words(task, block, sums, Rows, Vectors);
    }
    // A row of codes is one store of 8, 16 or 32 bytes.
    static_assert(Vectors != 3);
    constexpr std::size_t kCodes = kLanes * Vectors;
    char* c = static_cast<char*>(task.c) + block.row * task.ldc + block.column;
    alignas(32) char part[Rows][kCodes];
    const bool whole = block.columns == kCodes;
    store_q8(task, block, acc, whole ? c : part[0], whole ? task.ldc : kCodes);
    if (!whole) copy_rows(c, task.ldc, part[0], kCodes, Rows, block.columns);
  }

  // The first and the last word of each row's bytes.
  template <class Word>
  [[gnu::always_inline]] static inline void copy_ends(char* to, std::size_t to_stride,
                                                      const char* from, std::size_t stride,
                                                      std::size_t rows, std::size_t bytes) {
    for (; rows > 0; --rows, to += to_stride, from += stride) {
      Word first, last;
      memcpy(&first, from, sizeof first);
      memcpy(&last, from + bytes - sizeof last, sizeof last);
      memcpy(to, &first, sizeof first);
      memcpy(to + bytes - sizeof last, &last, sizeof last);
    }
  }

  // 1 to 31 bytes of each row.
  [[gnu::noinline]] static void copy_rows(char* to, std::size_t to_stride, const char* from,
                                          std::size_t stride, std::size_t rows, std::size_t bytes) {
    if (bytes >= 16) return copy_ends<__m128i>(to, to_stride, from, stride, rows, bytes);
    if (bytes >= 8) return copy_ends<std::uint64_t>(to, to_stride, from, stride, rows, bytes);
    if (bytes >= 4) return copy_ends<std::uint32_t>(to, to_stride, from, stride, rows, bytes);
    if (bytes >= 2) return copy_ends<std::uint16_t>(to, to_stride, from, stride, rows, bytes);
    copy_ends<std::uint8_t>(to, to_stride, from, stride, rows, bytes);
  }

  // Rounded products become codes, saturated and within bounds. Packing works within 128-bit lanes:
  // the permutation puts the columns in order.
  struct Narrow {
    __m256i zero_point, lower, upper;

    [[gnu::always_inline]] explicit Narrow(const Epilogue& e)
        : zero_point(_mm256_set1_epi16(static_cast<short>(e.zero_point))),
          lower(_mm256_set1_epi8(static_cast<char>(e.lo))),
          upper(_mm256_set1_epi8(static_cast<char>(e.hi))) {}

    [[gnu::always_inline]] inline __m256i operator()(const __m256i (&q)[4]) const {
      const __m256i order = _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7);
      const __m256i low = _mm256_adds_epi16(_mm256_packs_epi32(q[0], q[1]), zero_point);
      const __m256i high = _mm256_adds_epi16(_mm256_packs_epi32(q[2], q[3]), zero_point);
      const __m256i codes =
          kSign == Sign::u8
              ? _mm256_min_epu8(_mm256_max_epu8(_mm256_packus_epi16(low, high), lower), upper)
              : _mm256_min_epi8(_mm256_max_epi8(_mm256_packs_epi16(low, high), lower), upper);
      return _mm256_permutevar8x32_epi32(codes, order);
    }
  };

  [[gnu::always_inline]] static inline __m256i load(const std::int32_t* sums) {
    return _mm256_load_si256(reinterpret_cast<const __m256i*>(sums));
  }
  [[gnu::always_inline]] static inline __m256 product(__m256i sum, const float* mult) {
    return _mm256_mul_ps(_mm256_cvtepi32_ps(sum), _mm256_loadu_ps(mult));
  }

  // sums[rows][vectors][kLanes] as codes, whatever the multipliers. The upper bound is a float,
  // because a product of 2^31 or more would convert to INT_MIN; what is too low does so rightly.
  [[gnu::cold, gnu::noinline]] static void store_any_codes(const GemmTask& task, const Block& block,
                                                           const std::int32_t* sums,
                                                           std::size_t rows, std::size_t vectors) {
    const Epilogue& e = task.epilogue;
    const __m256 upper = _mm256_set1_ps(static_cast<float>(e.hi - e.zero_point));
    const Narrow narrow(e);
    char* c = static_cast<char*>(task.c) + block.row * task.ldc + block.column;
    __m256i q[4] = {};
    alignas(32) char codes[4 * kLanes];
    for (std::size_t r = 0; r < rows; ++r, c += task.ldc) {
      for (std::size_t v = 0; v < vectors; ++v, sums += kLanes) {
        const __m256 y = product(load(sums), e.mult + block.column + kLanes * v);
        q[v] = _mm256_cvtps_epi32(_mm256_min_ps(y, upper));
      }
      put(codes, narrow(q));
      memcpy(c, codes, block.columns);
    }
  }

  // sums[rows][vectors][kLanes], as floats, as they are, or as any codes. One layer of a network
  // stores the first two: not worth a copy of this code in every block.
  [[gnu::noinline]] static void store_words(const GemmTask& task, const Block& block,
                                            std::int32_t* sums, std::size_t rows,
                                            std::size_t vectors) {
    const Epilogue& e = task.epilogue;
    if (e.store == Store::q8) return store_any_codes(task, block, sums, rows, vectors);
    char* c = static_cast<char*>(task.c) + block.row * task.ldc + block.column * 4;
    for (std::size_t r = 0; r < rows; ++r, sums += kLanes * vectors) {
      for (std::size_t v = 0; v < vectors && e.store == Store::f32; ++v) {
        const __m256 y = product(load(sums + kLanes * v), e.mult + block.column + kLanes * v);
        put(reinterpret_cast<char*>(sums + kLanes * v),
            _mm256_castps_si256(
                _mm256_min_ps(_mm256_max_ps(y, _mm256_set1_ps(e.min)), _mm256_set1_ps(e.max))));
      }
      memcpy(c + r * task.ldc, sums, block.columns * 4);
    }
  }

  // Products below 2^31: both bounds are bytes.
  template <std::size_t Rows, std::size_t Vectors>
  [[gnu::always_inline]] static inline void store_q8(const GemmTask& task, const Block& block,
                                                     const Acc<Rows, Vectors>& acc, char* out,
                                                     std::size_t stride) {
    const Narrow narrow(task.epilogue);
    const float* mult = task.epilogue.mult + block.column;
    unroll<Rows>([&](auto r) {
      __m256i q[4] = {};
      unroll<Vectors>(
          [&](auto v) { q[v] = _mm256_cvtps_epi32(product(acc[r][v], mult + kLanes * v)); });
      const __m256i codes = narrow(q);
      char* to = out + r * stride;
      if constexpr (Vectors > 2) {
        put(to, codes);
      } else if constexpr (Vectors == 2) {
        _mm_storeu_si128(reinterpret_cast<__m128i*>(to), _mm256_castsi256_si128(codes));
      } else {
        _mm_storel_epi64(reinterpret_cast<__m128i*>(to), _mm256_castsi256_si128(codes));
      }
    });
  }
};

}  // namespace
}  // namespace octet::kernels
