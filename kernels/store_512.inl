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

// A product of 2^31 or more would convert to INT_MIN. Where Epilogue::below_one rules it out the
// upper bound is applied to bytes, elsewhere to floats.
enum class Products { any, below_int32_max };

// Requantizes the sums of a row. What is too low converts to INT_MIN rightly, saturates while
// narrowing and meets lo as a byte. Packing works within 128-bit lanes: the permutation puts the
// columns in order.
template <std::size_t Vectors, Products kProducts = Products::any>
struct Codes {
  static constexpr bool kAny = kProducts == Products::any;
  __m512i upper;  // floats, or bytes
  __m512i lower;
  __m512i zero_point;
  __mmask64 mask;
  __m512 mult[Vectors];

  [[gnu::always_inline]] inline Codes(const GemmTask& task, const Block& block) {
    const Epilogue& e = task.epilogue;
    upper = kAny ? _mm512_castps_si512(_mm512_set1_ps(static_cast<float>(e.hi - e.zero_point)))
                 : _mm512_set1_epi8(static_cast<char>(e.hi));
    lower = _mm512_set1_epi8(static_cast<char>(e.lo));
    zero_point = _mm512_set1_epi16(static_cast<short>(e.zero_point));
    mask =
        ~std::uint64_t{0} >> (64 - (block.columns < 16 * Vectors ? block.columns : 16 * Vectors));
    unroll<Vectors>([&](auto v) { mult[v] = _mm512_loadu_ps(e.mult + block.column + 16 * v); });
  }

  [[gnu::always_inline]] inline void store(const __m512i (&sums)[Vectors], char* c) const {
    const __m512i order = _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
    __m512i q[4] = {};
    unroll<Vectors>([&](auto v) {
      __m512 product = _mm512_mul_ps(_mm512_cvtepi32_ps(sums[v]), mult[v]);
      if constexpr (kAny) product = _mm512_min_ps(product, _mm512_castsi512_ps(upper));
      q[v] = _mm512_cvtps_epi32(product);
    });
    const __m512i low = _mm512_adds_epi16(_mm512_packs_epi32(q[0], q[1]), zero_point);
    const __m512i high = _mm512_adds_epi16(_mm512_packs_epi32(q[2], q[3]), zero_point);
    __m512i bytes = _mm512_max_epu8(_mm512_packus_epi16(low, high), lower);
    if constexpr (!kAny) bytes = _mm512_min_epu8(bytes, upper);
    const __m512i y = _mm512_permutexvar_epi32(order, bytes);
    if (Vectors == 4 && mask == ~std::uint64_t{0}) {
      _mm512_storeu_si512(c, y);
    } else {
      _mm512_mask_storeu_epi8(c, mask, y);
    }
  }
};

// One vector is not worth packing: it is clamped as floats and truncated.
template <>
struct Codes<1, Products::any> {
  __m512 upper;
  __m512 lower;
  __m512i zero_point;
  __mmask16 mask;
  __m512 mult;

  [[gnu::always_inline]] inline Codes(const GemmTask& task, const Block& block) {
    const Epilogue& e = task.epilogue;
    upper = _mm512_set1_ps(static_cast<float>(e.hi - e.zero_point));
    lower = _mm512_set1_ps(static_cast<float>(e.lo - e.zero_point));
    zero_point = _mm512_set1_epi32(e.zero_point);
    mask = lanes_of(block, 0);
    mult = _mm512_loadu_ps(e.mult + block.column);
  }

  [[gnu::always_inline]] inline void store(const __m512i (&sums)[1], char* c) const {
    const __m512 product = _mm512_mul_ps(_mm512_cvtepi32_ps(sums[0]), mult);
    const __m512i q = _mm512_cvtps_epi32(_mm512_max_ps(_mm512_min_ps(product, upper), lower));
    _mm_mask_storeu_epi8(c, mask, _mm512_cvtepi32_epi8(_mm512_add_epi32(q, zero_point)));
  }
};

// Requantizes four rows of panels of narrow vectors at once: the four vectors of the same four
// columns are added up to one whose lane of 128 bits c holds column c of the four rows. Products
// are below_int32_max.
template <std::size_t Vectors>
struct CodesOfFour {
  __m512i upper;
  __m512i lower;
  __m512i zero_point;
  __m512i bias[Vectors];
  __m512 mult[Vectors];
  __mmask16 mask;

  [[gnu::always_inline]] inline CodesOfFour(const GemmTask& task, const Block& block) {
    const Epilogue& e = task.epilogue;
    upper = _mm512_set1_epi8(static_cast<char>(e.hi));
    lower = _mm512_set1_epi8(static_cast<char>(e.lo));
    zero_point = _mm512_set1_epi16(static_cast<short>(e.zero_point));
    mask = lanes_of(block, 0);
    const auto spread = [&](const void* columns) {
      const __m128i four = _mm_loadu_si128(static_cast<const __m128i*>(columns));
      return _mm512_permutexvar_epi32(
          _mm512_setr_epi32(0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3),
          _mm512_castsi128_si512(four));
    };
    unroll<Vectors>([&](auto v) {
      bias[v] = spread(e.bias + block.column + 4 * v);
      mult[v] = _mm512_castsi512_ps(spread(e.mult + block.column + 4 * v));
    });
  }

  // Vector v of rows a to d.
  [[gnu::always_inline]] inline __m512i round(std::size_t v, __m512i a, __m512i b, __m512i c,
                                              __m512i d) const {
    const __m512i ab = _mm512_add_epi32(_mm512_unpacklo_epi32(a, b), _mm512_unpackhi_epi32(a, b));
    const __m512i cd = _mm512_add_epi32(_mm512_unpacklo_epi32(c, d), _mm512_unpackhi_epi32(c, d));
    const __m512i sums =
        _mm512_add_epi32(_mm512_unpacklo_epi64(ab, cd), _mm512_unpackhi_epi64(ab, cd));
    const __m512 real = _mm512_cvtepi32_ps(_mm512_add_epi32(sums, bias[v]));
    return _mm512_cvtps_epi32(_mm512_mul_ps(real, mult[v]));
  }

  // Byte 4 v + r of lane c becomes byte 4 v + c of lane r: transposed within dwords' bytes, then
  // dwords, then again.
  [[gnu::always_inline]] inline void store(const __m512i (&q)[Vectors], char* c,
                                           std::size_t ldc) const {
    __m512i all[4] = {};
    unroll<Vectors>([&](auto v) { all[v] = q[v]; });
    const __m512i low = _mm512_adds_epi16(_mm512_packs_epi32(all[0], all[1]), zero_point);
    const __m512i high = _mm512_adds_epi16(_mm512_packs_epi32(all[2], all[3]), zero_point);
    const __m512i bytes =
        _mm512_min_epu8(_mm512_max_epu8(_mm512_packus_epi16(low, high), lower), upper);
    const __m512i within =
        _mm512_broadcast_i32x4(_mm_setr_epi8(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15));
    const __m512i across = _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
    const __m512i y = _mm512_shuffle_epi8(
        _mm512_permutexvar_epi32(across, _mm512_shuffle_epi8(bytes, within)), within);
    unroll<4>(
        [&](auto r) { _mm_mask_storeu_epi8(c + r * ldc, mask, _mm512_extracti32x4_epi32(y, r)); });
  }
};

// sums[rows][vectors][16], as floats or as they are.
[[gnu::noinline]] void store_words(const GemmTask& task, const Block& block,
                                   const std::int32_t* sums, std::size_t rows,
                                   std::size_t vectors) {
  const Epilogue& e = task.epilogue;
  const __m512 min = _mm512_set1_ps(e.min);
  const __m512 max = _mm512_set1_ps(e.max);
  char* c = static_cast<char*>(task.c) + block.row * task.ldc + block.column * 4;
  for (std::size_t v = 0; v < vectors; ++v) {
    const __mmask16 lanes = lanes_of(block, v);
    const __m512 mult = _mm512_loadu_ps(e.mult + block.column + 16 * v);
    for (std::size_t r = 0; r < rows; ++r) {
      const __m512i sum = _mm512_load_si512(sums + 16 * (r * vectors + v));
      const __m512 y = _mm512_mul_ps(_mm512_cvtepi32_ps(sum), mult);
      const __m512i bits = _mm512_castps_si512(_mm512_min_ps(_mm512_max_ps(y, min), max));
      _mm512_mask_storeu_epi32(c + r * task.ldc + 64 * v, lanes,
                               e.store == Store::f32 ? bits : sum);
    }
  }
}

}  // namespace
}  // namespace octet::kernels
