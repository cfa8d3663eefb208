// SPDX-License-Identifier: Apache-2.0
// Sums in vectors of 512 bits to codes in memory.
#pragma once

#include <immintrin.h>

#include "kernels/gemm_loop.inl"

namespace octet::kernels {
namespace {

// The lanes of vector v of a block that are to be stored.
inline __mmask16 lanes_of(const Block& block, std::size_t v) {
  const std::size_t left = block.columns - 16 * v;
  return static_cast<__mmask16>(left < 16 ? (1u << left) - 1 : 0xffffu);
}

// Four dwords, each in the lanes of its 128 bits that the mask has.
inline __m512i spread_four(__mmask16 mask, const void* dwords) {
  return _mm512_maskz_permutexvar_epi32(
      mask, _mm512_setr_epi32(0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3),
      _mm512_castsi128_si512(_mm_loadu_si128(static_cast<const __m128i*>(dwords))));
}

// The bytes of a row's codes of so many vectors that are to be stored.
template <std::size_t Vectors>
inline __mmask64 bytes_of(const Block& block) {
  if constexpr (Vectors == 1) return lanes_of(block, 0);
  return ~std::uint64_t{0} >> (64 - (block.columns < 16 * Vectors ? block.columns : 16 * Vectors));
}

// The block's columns from first on.
inline Block from_column(Block block, std::size_t first) {
  block.column += first;
  block.columns -= first;
  return block;
}

// Dword d of 128-bit lane l becomes dword l of lane d.
inline __m512i transpose_lanes(__m512i x) {
  return _mm512_permutexvar_epi32(
      _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15), x);
}

// Dword r of each lane: the sum of the four dwords of vector r's lane.
[[gnu::always_inline]] inline __m512i add_dwords(__m512i a, __m512i b, __m512i c, __m512i d) {
  const __m512i ab = _mm512_add_epi32(_mm512_unpacklo_epi32(a, b), _mm512_unpackhi_epi32(a, b));
  const __m512i cd = _mm512_add_epi32(_mm512_unpacklo_epi32(c, d), _mm512_unpackhi_epi32(c, d));
  return _mm512_add_epi32(_mm512_unpacklo_epi64(ab, cd), _mm512_unpackhi_epi64(ab, cd));
}

// Every dword: the sum of its lane's four.
[[gnu::always_inline]] inline __m512i add_lanes(__m512i x) {
  x = _mm512_add_epi32(x, _mm512_shuffle_epi32(x, _MM_PERM_BADC));
  return _mm512_add_epi32(x, _mm512_shuffle_epi32(x, _MM_PERM_CDAB));
}

// Sums as clamped floats.
[[gnu::always_inline]] inline __m512i scale(__m512i sums, __m512 mult, __m512 min, __m512 max) {
  const __m512 y = _mm512_mul_ps(_mm512_cvtepi32_ps(sums), mult);
  return _mm512_castps_si512(_mm512_min_ps(_mm512_max_ps(y, min), max));
}

// Zero point 0 and every code allowed, as behind a ReLU: narrowing with saturation is all there is
// to do.
inline bool narrows_only(const Epilogue& e) {
  return e.zero_point == 0 && e.lo == 0 && e.hi == 255;
}

// Sums whose products are all below 2^31 to codes: what is too low converts to INT_MIN rightly,
// saturates while narrowing and meets lo as a byte.
struct Requantize {
  __m512i upper;
  __m512i lower;
  __m512i zero_point;

  [[gnu::always_inline]] inline explicit Requantize(const Epilogue& e)
      : upper(_mm512_set1_epi8(static_cast<char>(e.hi))),
        lower(_mm512_set1_epi8(static_cast<char>(e.lo))),
        zero_point(_mm512_set1_epi16(static_cast<short>(e.zero_point))) {}

  [[gnu::always_inline]] static inline __m512i round(__m512i sums, __m512 mult) {
    return _mm512_cvtps_epi32(_mm512_mul_ps(_mm512_cvtepi32_ps(sums), mult));
  }

  // Dword v of each lane: the codes of the four words of vector v's lane. narrows: narrows_only(e),
  // asked where it is worth it.
  [[gnu::always_inline]] inline __m512i narrow(const __m512i (&q)[4], bool narrows) const {
    __m512i low = _mm512_packs_epi32(q[0], q[1]);
    __m512i high = _mm512_packs_epi32(q[2], q[3]);
    if (narrows) return _mm512_packus_epi16(low, high);
    low = _mm512_adds_epi16(low, zero_point);
    high = _mm512_adds_epi16(high, zero_point);
    return _mm512_min_epu8(_mm512_max_epu8(_mm512_packus_epi16(low, high), lower), upper);
  }
};

// The codes of a row of wide vectors.
template <std::size_t Vectors>
struct Codes : Requantize {
  static constexpr bool kAnyProducts = false;
  __m512 mult[Vectors];

  [[gnu::always_inline]] inline Codes(const GemmTask& task, const Block& block)
      : Requantize(task.epilogue) {
    const float* from = task.epilogue.mult + block.column;
    unroll<Vectors>([&](auto v) { mult[v] = _mm512_loadu_ps(from + 16 * v); });
  }

  [[gnu::always_inline]] inline void store(const __m512i (&sums)[Vectors], char* c, __mmask64 mask,
                                           bool narrows) const {
    __m512i q[4] = {};
    unroll<Vectors>([&](auto v) { q[v] = round(sums[v], mult[v]); });
    _mm512_mask_storeu_epi8(c, mask, transpose_lanes(narrow(q, narrows)));
  }

  // Two rows of all 32 columns.
  [[gnu::always_inline]] inline void store_two(const __m512i (&sums)[4], char* c, std::size_t ldc,
                                               bool narrows) const {
    static_assert(Vectors == 2);
    __m512i q[4];
    unroll<4>([&](auto v) { q[v] = round(sums[v], mult[v % 2]); });
    const __m512i y = transpose_lanes(narrow(q, narrows));
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(c), _mm512_castsi512_si256(y));
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(c + ldc), _mm512_extracti64x4_epi64(y, 1));
  }
};

// One vector is not worth packing: it is clamped as floats and truncated.
template <>
struct Codes<1> {
  static constexpr bool kAnyProducts = true;
  __m512 upper;
  __m512 lower;
  __m512i zero_point;
  __m512 mult;

  [[gnu::always_inline]] inline Codes(const GemmTask& task, const Block& block) {
    const Epilogue& e = task.epilogue;
    upper = _mm512_set1_ps(static_cast<float>(e.hi - e.zero_point));
    lower = _mm512_set1_ps(static_cast<float>(e.lo - e.zero_point));
    zero_point = _mm512_set1_epi32(e.zero_point);
    mult = _mm512_loadu_ps(e.mult + block.column);
  }

  [[gnu::always_inline]] inline void store(const __m512i (&sums)[1], char* c, __mmask64 mask,
                                           bool) const {
    const __m512 product = _mm512_mul_ps(_mm512_cvtepi32_ps(sums[0]), mult);
    const __m512i q = _mm512_cvtps_epi32(_mm512_max_ps(_mm512_min_ps(product, upper), lower));
    _mm_mask_storeu_epi8(c, static_cast<__mmask16>(mask),
                         _mm512_cvtepi32_epi8(_mm512_add_epi32(q, zero_point)));
  }
};

// The codes of four rows of a narrow vector, whose sums were added up to one: its lane c holds
// column c of the four rows.
struct CodesOfFour : Requantize {
  __m512 mult;

  [[gnu::always_inline]] inline CodesOfFour(const GemmTask& task, const Block& block)
      : Requantize(task.epilogue),
        mult(_mm512_castsi512_ps(spread_four(0xffff, task.epilogue.mult + block.column))) {}

  // Byte r of lane c becomes byte c of lane r: transposed within dwords' bytes, then dwords, then
  // again.
  [[gnu::always_inline]] inline void store(__m512i sums, char* c, std::size_t ldc, __mmask16 mask,
                                           bool narrows) const {
    const __m512i within =
        _mm512_broadcast_i32x4(_mm_setr_epi8(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15));
    const __m512i q = narrow({round(sums, mult)}, narrows);
    const __m512i y = _mm512_shuffle_epi8(transpose_lanes(_mm512_shuffle_epi8(q, within)), within);
    unroll<4>(
        [&](auto r) { _mm_mask_storeu_epi8(c + r * ldc, mask, _mm512_extracti32x4_epi32(y, r)); });
  }
};

// sums[rows][vectors][16] as codes, whatever their multipliers.
[[maybe_unused, gnu::cold, gnu::noinline]] void store_any_codes(const GemmTask& task,
                                                                const Block& block,
                                                                const std::int32_t* sums,
                                                                std::size_t rows,
                                                                std::size_t vectors) {
  for (std::size_t v = 0; v < vectors; ++v) {
    const Block part = from_column(block, 16 * v);
    const Codes<1> codes(task, part);
    char* c = static_cast<char*>(task.c) + block.row * task.ldc + part.column;
    for (std::size_t r = 0; r < rows; ++r) {
      const __m512i sum[1] = {_mm512_load_si512(sums + 16 * (r * vectors + v))};
      codes.store(sum, c + r * task.ldc, bytes_of<1>(part), false);
    }
  }
}

// sums[rows][Vectors][16] as floats or as they are.
template <std::size_t Vectors>
[[gnu::noinline]] void store_words(const GemmTask& task, const Block& block,
                                   const std::int32_t* sums, std::size_t rows) {
  const Epilogue& e = task.epilogue;
  const __m512 min = _mm512_set1_ps(e.min);
  const __m512 max = _mm512_set1_ps(e.max);
  const __mmask16 last = lanes_of(block, Vectors - 1);
  char* c = static_cast<char*>(task.c) + block.row * task.ldc + block.column * 4;
  const auto store = [&](auto word) __attribute__((always_inline)) {
    for (const auto* end = sums + 16 * Vectors * rows; sums != end; c += task.ldc) {
      unroll<Vectors>([&](auto v) {
        _mm512_mask_storeu_epi32(c + 64 * v, v + 1 == Vectors ? last : 0xffff,
                                 word(_mm512_load_si512(sums + 16 * v), v));
      });
      sums += 16 * Vectors;
    }
  };
  if (e.store == Store::s32) return store([](__m512i sum, std::size_t) { return sum; });
  __m512 mult[Vectors];
  unroll<Vectors>([&](auto v) { mult[v] = _mm512_loadu_ps(e.mult + block.column + 16 * v); });
  store([&](__m512i sum, std::size_t v) { return scale(sum, mult[v], min, max); });
}

}  // namespace
}  // namespace octet::kernels
