// SPDX-License-Identifier: Apache-2.0
// A vector of signed codes as floats, exactly: what xsimd 8 has no instruction for.
//   s8(p)              one code per byte
//   s4(p, low, high)   two per byte: those of the low and those of the high nibbles
#pragma once

#include <stdint.h>
#include <string.h>

#include <xsimd/xsimd.hpp>

namespace octet::kernels {
namespace {

template <class Arch>
struct CodesToFloat;

#if XSIMD_WITH_AVX512BW
template <>
struct CodesToFloat<xsimd::avx512bw> {
  using F = xsimd::batch<float, xsimd::avx512bw>;
  static __m512i widen(const uint8_t* p) {
    return _mm512_cvtepi8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)));
  }
  static F s8(const uint8_t* p) { return F(_mm512_cvtepi32_ps(widen(p))); }
  static void s4(const uint8_t* p, F& low, F& high) {
    // Sixteen floats to choose from: the permutation reads the lowest four bits of each index.
    const __m512 floats = _mm512_setr_ps(0, 1, 2, 3, 4, 5, 6, 7, -8, -7, -6, -5, -4, -3, -2, -1);
    const __m512i both = widen(p);
    low = F(_mm512_permutexvar_ps(both, floats));
    high = F(_mm512_permutexvar_ps(_mm512_srli_epi32(both, 4), floats));
  }
};
#endif

#if XSIMD_WITH_AVX2
template <>
struct CodesToFloat<xsimd::avx2> {
  using F = xsimd::batch<float, xsimd::avx2>;
  static __m256i widen(const uint8_t* p) {
    return _mm256_cvtepi8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(p)));
  }
  static F s8(const uint8_t* p) { return F(_mm256_cvtepi32_ps(widen(p))); }
  static void s4(const uint8_t* p, F& low, F& high) {
    const __m256i both = widen(p);
    low = F(_mm256_cvtepi32_ps(_mm256_srai_epi32(_mm256_slli_epi32(both, 28), 28)));
    high = F(_mm256_cvtepi32_ps(_mm256_srai_epi32(both, 4)));
  }
};
#endif

#if XSIMD_WITH_NEON64
template <>
struct CodesToFloat<xsimd::neon64> {
  using F = xsimd::batch<float, xsimd::neon64>;
  static int32x4_t widen(const uint8_t* p) {
    uint32_t word;
    memcpy(&word, p, sizeof word);
    const int8x8_t bytes = vreinterpret_s8_u32(vdup_n_u32(word));
    return vmovl_s16(vget_low_s16(vmovl_s8(bytes)));
  }
  static F s8(const uint8_t* p) { return F(vcvtq_f32_s32(widen(p))); }
  static void s4(const uint8_t* p, F& low, F& high) {
    const int32x4_t both = widen(p);
    low = F(vcvtq_f32_s32(vshrq_n_s32(vshlq_n_s32(both, 28), 28)));
    high = F(vcvtq_f32_s32(vshrq_n_s32(both, 4)));
  }
};
#endif

}  // namespace
}  // namespace octet::kernels
