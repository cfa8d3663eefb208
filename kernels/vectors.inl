// SPDX-License-Identifier: Apache-2.0
// What elementwise functions ask of an architecture's vectors and xsimd 8.1 does not offer.
//   kTogether                         vectors of floats that are computed side by side, so that
//                                     cores that run in order need not wait for each
//   greater(x, y), less(x, y)         x > y ? x : y, x < y ? x : y; y where one is NaN
//   least(x), largest(x)              of a vector's floats, none of which is NaN or -0
//   fused(a, b, c)                    a * b + c, rounded once
//   at_most(x, limit)                 the smaller; NaN stays NaN, a quiet one
//   round(x)                          the nearest integer, ties to even, of an x below 2^31; below
//                                     -1000 for what is too low, and for a quiet NaN
//   reals<Code>(codes, shift, r)      code + shift, exactly, of a vector of codes
//   narrow<Code>(q, zero_point)       q + zero_point, saturated to a vector of codes
//   kLooksUp, Lookup(table)(codes)    the table's bytes by a vector of codes, where that is quick
//   load_part<kBlock>(x, n, block)    n < kBlock elements, and zeros behind them, to a block
//   store_part<kBlock>(block, n, y)   n < kBlock elements of a block
#pragma once

#include <stdint.h>
#include <string.h>

#include <xsimd/xsimd.hpp>

#include "kernels/unroll.inl"

namespace octet::kernels {
namespace {

template <class Arch>
struct Vectors;

struct PlainParts {
  static constexpr bool kLooksUp = false;

  template <std::size_t kBlock, class T>
  static void load_part(const T* x, std::size_t n, T* block) {
    memset(block, 0, kBlock * sizeof(T));
    copy(x, n * sizeof(T), block);
  }
  template <std::size_t kBlock, class T>
  static void store_part(const T* block, std::size_t n, T* y) {
    copy(block, n * sizeof(T), y);
  }
  // A call of memcpy takes three times as long.
  [[gnu::noinline]] static void copy(const void* from, std::size_t bytes, void* to) {
    const char* in = static_cast<const char*>(from);
    char* out = static_cast<char*>(to);
    for (; bytes >= 16; bytes -= 16, in += 16, out += 16) memcpy(out, in, 16);
    unroll<4>([&](auto i) {
      constexpr std::size_t kBytes = 8 >> i;
      if ((bytes & kBytes) == 0) return;
      memcpy(out, in, kBytes);
      in += kBytes;
      out += kBytes;
    });
  }
};

#if XSIMD_WITH_AVX512BW
template <>
struct Vectors<xsimd::avx512bw> {
  using Arch = xsimd::avx512bw;
  using F = xsimd::batch<float, Arch>;
  using I = xsimd::batch<int32_t, Arch>;
  static constexpr std::size_t kTogether = 1;

  static F greater(F x, F y) { return F(_mm512_max_ps(x, y)); }
  static F less(F x, F y) { return F(_mm512_min_ps(x, y)); }
  static F fused(F a, F b, F c) { return F(_mm512_fmadd_ps(a, b, c)); }
  static float least(F x) { return _mm512_reduce_min_ps(x); }
  static float largest(F x) { return _mm512_reduce_max_ps(x); }
  static F at_most(F x, F limit) { return less(limit, x); }
  // INT_MIN where it does not fit.
  static I round(F x) { return I(_mm512_cvtps_epi32(x)); }

  // A code below the exponent of 2^23 is 2^23 more.
  template <class Code>
  static void reals(const uint8_t* codes, int32_t shift, F (&r)[4]) {
    static_assert(Code(-1) > 0, "the table reads unsigned codes");
    const __m512i spread = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
    const __m512 base = _mm512_set1_ps(0x1p23f);
    const __m512 more = _mm512_sub_ps(base, _mm512_set1_ps(static_cast<float>(shift)));
    unroll<4>([&](auto v) {
      const __m512i bytes =
          _mm512_broadcast_i32x4(_mm_loadu_si128(reinterpret_cast<const __m128i*>(codes + 16 * v)));
      const __m512i real =
          _mm512_mask_shuffle_epi8(_mm512_castps_si512(base), 0x1111111111111111, bytes, spread);
      r[v] = F(_mm512_sub_ps(_mm512_castsi512_ps(real), more));
    });
  }
  template <class Code>
  static xsimd::batch<Code, Arch> narrow(const I (&q)[4], xsimd::batch<int16_t, Arch> zero_point) {
    const __m512i low = _mm512_adds_epi16(_mm512_packs_epi32(q[0], q[1]), zero_point);
    const __m512i high = _mm512_adds_epi16(_mm512_packs_epi32(q[2], q[3]), zero_point);
    const __m512i codes =
        Code(-1) < 0 ? _mm512_packs_epi16(low, high) : _mm512_packus_epi16(low, high);
    // Packing works within 128-bit lanes.
    const __m512i order = _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
    return {_mm512_permutexvar_epi32(order, codes)};
  }

  // The table is 128 words: a permutation takes six bits of an index, a blend the highest bit, a
  // shift the lowest. Bytes at even addresses first, then those at odd ones.
  static constexpr bool kLooksUp = true;
  struct Lookup {
    __m512i words[4];

    explicit Lookup(const uint8_t* table) {
      unroll<4>([&](auto v) { words[v] = _mm512_loadu_si512(table + 64 * v); });
    }
    __m512i word_of(__m512i index, __mmask32 upper) const {
      return _mm512_mask_blend_epi16(upper, _mm512_permutex2var_epi16(words[0], index, words[1]),
                                     _mm512_permutex2var_epi16(words[2], index, words[3]));
    }
    __m512i operator()(__m512i x) const {
      const __m512i low_bits = _mm512_set1_epi16(0x0101);
      // 8 where a code is odd
      const __m512i odd = _mm512_slli_epi16(_mm512_and_si512(x, low_bits), 3);
      const __m512i even_bytes = _mm512_srlv_epi16(
          word_of(_mm512_srli_epi16(x, 1), _mm512_test_epi16_mask(x, _mm512_set1_epi16(0x80))),
          _mm512_and_si512(odd, _mm512_set1_epi16(8)));
      const __m512i odd_bytes = _mm512_srlv_epi16(
          word_of(_mm512_srli_epi16(x, 9), _mm512_movepi16_mask(x)), _mm512_srli_epi16(odd, 8));
      return _mm512_mask_blend_epi8(0xaaaaaaaaaaaaaaaa, even_bytes,
                                    _mm512_slli_epi16(odd_bytes, 8));
    }
  };

  template <std::size_t kBlock, class T>
  static void load_part(const T* x, std::size_t n, T* block) {
    if constexpr (sizeof(T) == 1) {
      _mm512_store_si512(block, _mm512_maskz_loadu_epi8(first(n), x));
    } else {
      unroll<kBlock / 16>([&](auto v) {
        const auto mask = static_cast<__mmask16>(first(n) >> (16 * v));
        _mm512_store_ps(block + 16 * v, _mm512_maskz_loadu_ps(mask, x + 16 * v));
      });
    }
  }
  template <std::size_t kBlock, class T>
  static void store_part(const T* block, std::size_t n, T* y) {
    if constexpr (sizeof(T) == 1) {
      _mm512_mask_storeu_epi8(y, first(n), _mm512_load_si512(block));
    } else {
      unroll<kBlock / 16>([&](auto v) {
        const auto mask = static_cast<__mmask16>(first(n) >> (16 * v));
        _mm512_mask_storeu_ps(y + 16 * v, mask, _mm512_load_ps(block + 16 * v));
      });
    }
  }
  static __mmask64 first(std::size_t n) { return (uint64_t{1} << n) - 1; }
};
#endif

#if XSIMD_WITH_AVX2
template <>
struct Vectors<xsimd::avx2> : PlainParts {
  using Arch = xsimd::avx2;
  using F = xsimd::batch<float, Arch>;
  using I = xsimd::batch<int32_t, Arch>;
  static constexpr std::size_t kTogether = 1;

  static F greater(F x, F y) { return F(_mm256_max_ps(x, y)); }
  static F less(F x, F y) { return F(_mm256_min_ps(x, y)); }
  static F fused(F a, F b, F c) { return F(_mm256_fmadd_ps(a, b, c)); }
  static float least(F x) {
    const __m128 four = _mm_min_ps(_mm256_castps256_ps128(x), _mm256_extractf128_ps(x, 1));
    const __m128 two = _mm_min_ps(four, _mm_movehl_ps(four, four));
    return _mm_cvtss_f32(_mm_min_ss(two, _mm_movehdup_ps(two)));
  }
  static float largest(F x) {
    const __m128 four = _mm_max_ps(_mm256_castps256_ps128(x), _mm256_extractf128_ps(x, 1));
    const __m128 two = _mm_max_ps(four, _mm_movehl_ps(four, four));
    return _mm_cvtss_f32(_mm_max_ss(two, _mm_movehdup_ps(two)));
  }
  static F at_most(F x, F limit) { return less(limit, x); }
  // INT_MIN where it does not fit.
  static I round(F x) { return I(_mm256_cvtps_epi32(x)); }

  template <class Code>
  static void reals(const uint8_t* codes, int32_t shift, F (&r)[4]) {
    unroll<4>([&](auto v) {
      const __m128i bytes = _mm_loadl_epi64(reinterpret_cast<const __m128i*>(codes + 8 * v));
      const __m256i wide = Code(-1) < 0 ? _mm256_cvtepi8_epi32(bytes) : _mm256_cvtepu8_epi32(bytes);
      r[v] = F(_mm256_cvtepi32_ps(_mm256_add_epi32(wide, _mm256_set1_epi32(shift))));
    });
  }
  template <class Code>
  static xsimd::batch<Code, Arch> narrow(const I (&q)[4], xsimd::batch<int16_t, Arch> zero_point) {
    const __m256i low = _mm256_adds_epi16(_mm256_packs_epi32(q[0], q[1]), zero_point);
    const __m256i high = _mm256_adds_epi16(_mm256_packs_epi32(q[2], q[3]), zero_point);
    const __m256i codes =
        Code(-1) < 0 ? _mm256_packs_epi16(low, high) : _mm256_packus_epi16(low, high);
    // Packing works within 128-bit lanes.
    const __m256i order = _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7);
    return {_mm256_permutevar8x32_epi32(codes, order)};
  }
};
#endif

#if XSIMD_WITH_NEON64
template <>
struct Vectors<xsimd::neon64> : PlainParts {
  using Arch = xsimd::neon64;
  using F = xsimd::batch<float, Arch>;
  using I = xsimd::batch<int32_t, Arch>;
  static constexpr std::size_t kTogether = 4;

  // Not vmaxq and vminq, which order -0 and +0.
  static F greater(F x, F y) { return F(vbslq_f32(vcgtq_f32(x, y), x, y)); }
  static F less(F x, F y) { return F(vbslq_f32(vcltq_f32(x, y), x, y)); }
  static F fused(F a, F b, F c) { return F(vfmaq_f32(c, a, b)); }
  static float least(F x) { return vminvq_f32(x); }
  static float largest(F x) { return vmaxvq_f32(x); }
  static F at_most(F x, F limit) { return F(vminq_f32(x, limit)); }
  // fcvtns saturates, but makes 0 of NaN; fmaxnm takes the number, unless the NaN is signaling.
  static I round(F x) { return I(vcvtnq_s32_f32(vmaxnmq_f32(x, vdupq_n_f32(-1024)))); }

  // 64 bytes at a time; an index beyond them leaves what is there.
  static constexpr bool kLooksUp = true;
  struct Lookup {
    uint8x16x4_t bytes[4];

    explicit Lookup(const uint8_t* table) {
      unroll<4>([&](auto i) {
        unroll<4>([&](auto v) { bytes[i].val[v] = vld1q_u8(table + 64 * i + 16 * v); });
      });
    }
    int8x16_t operator()(int8x16_t codes) const {
      const uint8x16_t x = vreinterpretq_u8_s8(codes);
      uint8x16_t y = vqtbl4q_u8(bytes[0], x);
      unroll<3>([&](auto i) {
        constexpr uint8_t kFirst = 64 * (i + 1);
        y = vqtbx4q_u8(y, bytes[i + 1], veorq_u8(x, vdupq_n_u8(kFirst)));
      });
      return vreinterpretq_s8_u8(y);
    }
  };

  template <class Code>
  static void reals(const uint8_t* codes, int32_t shift, F (&r)[4]) {
    static_assert(Code(-1) < 0, "NEON tables read signed codes");
    const int16x8_t more = vdupq_n_s16(static_cast<int16_t>(shift));
    const int8x16_t bytes = vreinterpretq_s8_u8(vld1q_u8(codes));
    const int16x8_t low = vaddw_s8(more, vget_low_s8(bytes));
    const int16x8_t high = vaddw_high_s8(more, bytes);
    r[0] = F(vcvtq_f32_s32(vmovl_s16(vget_low_s16(low))));
    r[1] = F(vcvtq_f32_s32(vmovl_high_s16(low)));
    r[2] = F(vcvtq_f32_s32(vmovl_s16(vget_low_s16(high))));
    r[3] = F(vcvtq_f32_s32(vmovl_high_s16(high)));
  }
  template <class Code>
  static xsimd::batch<Code, Arch> narrow(const I (&q)[4], xsimd::batch<int16_t, Arch> zero_point) {
    static_assert(Code(-1) < 0, "NEON tables write signed codes");
    const int16x8_t low = vqmovn_high_s32(vqmovn_s32(q[0]), q[1]);
    const int16x8_t high = vqmovn_high_s32(vqmovn_s32(q[2]), q[3]);
    return {vqmovn_high_s16(vqmovn_s16(vqaddq_s16(low, zero_point)), vqaddq_s16(high, zero_point))};
  }
};
#endif

}  // namespace
}  // namespace octet::kernels
