// SPDX-License-Identifier: Apache-2.0
// The elementwise functions of a table, written once over xsimd and instantiated by each
// instruction set's file with its architecture tag. Everything is in an unnamed namespace: no copy
// compiled for one CPU may be linked into another's code.
//
// Data passes through blocks of kBlock elements: bytes are widened to a small array, computed on in
// vectors, and narrowed again; the plain loops over the small arrays are what compilers turn into
// the conversions (vpmovzxbd, vpmovdb, ...) that xsimd 8.1 does not offer. A tail is a block that
// is copied in and out.
#pragma once

#include <string.h>

#include <xsimd/xsimd.hpp>

#include "kernels/kernels.h"

namespace octet::kernels {
namespace {

template <class Arch, Sign kSign>
struct Elementwise {
  using F = xsimd::batch<float, Arch>;
  using I = xsimd::batch<std::int32_t, Arch>;
  using Code = std::conditional_t<kSign == Sign::u8, std::uint8_t, std::int8_t>;
  using Codes = xsimd::batch<Code, Arch>;
  static constexpr std::size_t kBlock = 64;
  static constexpr std::size_t kLanes = F::size;

  // Round to nearest even of values clamped to [lo, hi]; NaN becomes lo.
  static I round_clamped(F v, F lo, F hi) {
    v = xsimd::select(v > lo, v, lo);
    v = xsimd::select(v < hi, v, hi);
    return xsimd::nearbyint_as_int(v);
  }

  // Correctly rounded: by the compiler's own vectors, because xsimd's division on NEON multiplies
  // by an approximate reciprocal.
  static F divide(F x, F y) {
    using Register = typename F::register_type;
    return F(static_cast<Register>(x) / static_cast<Register>(y));
  }

  // Calls f(first, count) for whole blocks, then once for the tail.
  template <class Full, class Tail>
  static void for_blocks(std::size_t n, Full full, Tail tail) {
    std::size_t i = 0;
    for (; i + kBlock <= n; i += kBlock) full(i);
    if (i < n) tail(i, n - i);
  }

  static void load_codes(const std::uint8_t* x, std::int32_t* wide) {
    for (std::size_t i = 0; i < kBlock; ++i) wide[i] = static_cast<Code>(x[i]);
  }
  static void store_codes(const std::int32_t* wide, std::uint8_t* y) {
    for (std::size_t i = 0; i < kBlock; ++i) y[i] = static_cast<std::uint8_t>(wide[i]);
  }

  static void quantize_block(const float* x, const QuantizeParams& p, std::uint8_t* y) {
    const F scale(p.scale);
    const F lo(static_cast<float>(p.lo - p.zero_point));
    const F hi(static_cast<float>(p.hi - p.zero_point));
    const I zero_point(p.zero_point);
    alignas(64) std::int32_t codes[kBlock];
    for (std::size_t i = 0; i < kBlock; i += kLanes) {
      const F v = divide(F::load_unaligned(x + i), scale);
      (round_clamped(v, lo, hi) + zero_point).store_aligned(codes + i);
    }
    store_codes(codes, y);
  }
  static void quantize(const float* x, std::size_t n, const QuantizeParams& params,
                       std::uint8_t* y) {
    for_blocks(
        n, [&](std::size_t i) { quantize_block(x + i, params, y + i); },
        [&](std::size_t i, std::size_t count) {
          float in[kBlock] = {};
          std::uint8_t out[kBlock];
          memcpy(in, x + i, count * sizeof(float));
          quantize_block(in, params, out);
          memcpy(y + i, out, count);
        });
  }

  static void dequantize_block(const std::uint8_t* x, float scale, std::int32_t zero_point,
                               float* y) {
    alignas(64) std::int32_t codes[kBlock];
    load_codes(x, codes);
    for (std::size_t i = 0; i < kBlock; i += kLanes) {
      const F v = xsimd::to_float(I::load_aligned(codes + i) - I(zero_point));
      (F(scale) * v).store_unaligned(y + i);
    }
  }
  static void dequantize(const std::uint8_t* x, std::size_t n, float scale, std::int32_t zero_point,
                         float* y) {
    for_blocks(
        n, [&](std::size_t i) { dequantize_block(x + i, scale, zero_point, y + i); },
        [&](std::size_t i, std::size_t count) {
          std::uint8_t in[kBlock] = {};
          float out[kBlock];
          memcpy(in, x + i, count);
          dequantize_block(in, scale, zero_point, out);
          memcpy(y + i, out, count * sizeof(float));
        });
  }

  static void add_q8_block(const std::uint8_t* a, const std::uint8_t* b, const AddParams& p,
                           std::uint8_t* y) {
    const F lo(static_cast<float>(p.lo));
    const F hi(static_cast<float>(p.hi));
    const I offset(p.offset);
    alignas(64) std::int32_t wide_a[kBlock];
    alignas(64) std::int32_t wide_b[kBlock];
    load_codes(a, wide_a);
    load_codes(b, wide_b);
    for (std::size_t i = 0; i < kBlock; i += kLanes) {
      const F va = xsimd::to_float(I::load_aligned(wide_a + i) + offset);
      const F vb = xsimd::to_float(I::load_aligned(wide_b + i) + offset);
      const F sum = F(p.ra) * va + (F(p.rb) * vb + F(p.c));
      (round_clamped(sum, lo, hi) - offset).store_aligned(wide_a + i);
    }
    store_codes(wide_a, y);
  }
  static void add_q8(const std::uint8_t* a, const std::uint8_t* b, std::size_t n,
                     const AddParams& params, std::uint8_t* y) {
    for_blocks(
        n, [&](std::size_t i) { add_q8_block(a + i, b + i, params, y + i); },
        [&](std::size_t i, std::size_t count) {
          std::uint8_t in_a[kBlock] = {};
          std::uint8_t in_b[kBlock] = {};
          memcpy(in_a, a + i, count);
          memcpy(in_b, b + i, count);
          add_q8_block(in_a, in_b, params, in_a);
          memcpy(y + i, in_a, count);
        });
  }

  // y[i] = vector(x, ...) for whole vectors of T, then scalar(x, ...) for the rest.
  template <class T, class Vector, class Scalar>
  static void map(std::size_t n, Vector vector, Scalar scalar) {
    constexpr std::size_t lanes = xsimd::batch<T, Arch>::size;
    std::size_t i = 0;
    for (; i + lanes <= n; i += lanes) vector(i);
    for (; i < n; ++i) scalar(i);
  }

  static void clamp_q8(const std::uint8_t* x, std::size_t n, std::int32_t lo, std::int32_t hi,
                       std::uint8_t* y) {
    const Code low = static_cast<Code>(lo);
    const Code high = static_cast<Code>(hi);
    const Codes vlow(low);
    const Codes vhigh(high);
    map<Code>(
        n,
        [&](std::size_t i) {
          const Codes v = Codes::load_unaligned(reinterpret_cast<const Code*>(x + i));
          xsimd::min(xsimd::max(v, vlow), vhigh).store_unaligned(reinterpret_cast<Code*>(y + i));
        },
        [&](std::size_t i) {
          Code v = static_cast<Code>(x[i]);
          v = v > low ? v : low;
          y[i] = static_cast<std::uint8_t>(v < high ? v : high);
        });
  }

  // Scalar on purpose: one load per byte is the rate of the load ports, and 256 entries do not fit
  // the byte shuffles of AVX2 and NEON without four to sixteen of them per vector.
  static void lookup(const std::uint8_t* x, std::size_t n, const std::uint8_t* table,
                     std::uint8_t* y) {
    for (std::size_t i = 0; i < n; ++i) y[i] = table[x[i]];
  }

  static void flip(const std::uint8_t* x, std::size_t n, std::uint8_t* y) {
    using Bytes = xsimd::batch<std::uint8_t, Arch>;
    map<std::uint8_t>(
        n,
        [&](std::size_t i) {
          (Bytes::load_unaligned(x + i) ^ Bytes(std::uint8_t{0x80})).store_unaligned(y + i);
        },
        [&](std::size_t i) { y[i] = static_cast<std::uint8_t>(x[i] ^ 0x80); });
  }
};

}  // namespace
}  // namespace octet::kernels
