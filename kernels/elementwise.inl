// SPDX-License-Identifier: Apache-2.0
// The elementwise functions of a table on codes, written once over xsimd and instantiated by each
// instruction set's file with its architecture tag. Everything is in an unnamed namespace: no copy
// compiled for one CPU may be linked into another's code.
#pragma once

#include <xsimd/xsimd.hpp>

#include "kernels/blocks.inl"
#include "kernels/kernels.h"
#include "kernels/reference.h"
#include "kernels/unroll.inl"
#include "kernels/vectors.inl"

namespace octet::kernels {
namespace {

template <class Arch, Sign kSign>
struct Elementwise {
  using V = Vectors<Arch>;
  using F = xsimd::batch<float, Arch>;
  using I = xsimd::batch<std::int32_t, Arch>;
  using Words = xsimd::batch<std::int16_t, Arch>;
  using Code = std::conditional_t<kSign == Sign::u8, std::uint8_t, std::int8_t>;
  using Codes = xsimd::batch<Code, Arch>;
  static constexpr std::size_t kLanes = F::size;
  static constexpr std::size_t kBlock = 4 * kLanes;
  static_assert(Codes::size == kBlock);

  // Beyond all codes and zero points, within 16 bits.
  static constexpr float kLimit = 1024;

  static Codes load(const std::uint8_t* x) {
    return Codes::load_unaligned(reinterpret_cast<const Code*>(x));
  }
  static void store(Codes codes, std::uint8_t* y) {
    codes.store_unaligned(reinterpret_cast<Code*>(y));
  }

  // From rounded values to codes. Clamping integers is the same as clamping what they were rounded
  // from.
  struct Narrow {
    Words zero_point;
    Codes lo, hi;

    Narrow(std::int32_t to_zero, std::int32_t lowest, std::int32_t highest)
        : zero_point(static_cast<std::int16_t>(to_zero)),
          lo(static_cast<Code>(lowest)),
          hi(static_cast<Code>(highest)) {}
    Codes operator()(const I (&q)[4]) const {
      return xsimd::min(xsimd::max(V::template narrow<Code>(q, zero_point), lo), hi);
    }
  };

  // x / scale without a division, which would take most of the time: the product with the
  // reciprocal, then what x is away from it times scale, again times the reciprocal, is added
  // (Markstein, "Computation of elementary functions on the IBM RISC System/6000 processor", 1990).
  // Wherever rounding to an integer could see a difference this is the float that a division gives:
  // tests try the mantissas of all scales with the floats around all halves. For scales in this
  // range no step leaves the normal floats where it matters. The limit comes first: what is rounded
  // must be below 2^31, and an infinite product would end as NaN.
  static constexpr float kLeastScale = 0x1p-100f;
  static constexpr float kLargestScale = 0x1p100f;

  static void quantize(const float* x, std::size_t n, const QuantizeParams& p, std::uint8_t* y) {
    if (!(p.scale >= kLeastScale && p.scale <= kLargestScale)) {
      return reference::quantize(x, n, p, y);
    }
    const F scale(-p.scale);
    const F reciprocal(1 / p.scale);
    const F limit(kLimit * p.scale);
    const Narrow narrow(p.zero_point, p.lo, p.hi);
    const auto block = [&](std::uint8_t* to, const float* from) {
      // Four at a time, step by step: cores that run in order would wait for each.
      F value[4];
      F quotient[4];
      I q[4];
      unroll<4>([&](auto v) {
        value[v] = V::at_most(F::load_unaligned(from + v * kLanes), limit);
        quotient[v] = value[v] * reciprocal;
      });
      unroll<4>([&](auto v) { value[v] = V::fused(quotient[v], scale, value[v]); });
      unroll<4>([&](auto v) { quotient[v] = V::fused(value[v], reciprocal, quotient[v]); });
      unroll<4>([&](auto v) { q[v] = V::round(quotient[v]); });
      store(narrow(q), to);
    };
    for_blocks<V, kBlock>(n, block, y, x);
  }

  static void dequantize(const std::uint8_t* x, std::size_t n, float scale, std::int32_t zero_point,
                         float* y) {
    const F times(scale);
    const auto block = [&](float* to, const std::uint8_t* from) {
      F r[4];
      V::template reals<Code>(from, -zero_point, r);
      unroll<4>([&](auto v) { (times * r[v]).store_unaligned(to + v * kLanes); });
    };
    for_blocks<V, kBlock>(n, block, y, x);
  }

  static void add_q8(const std::uint8_t* a, const std::uint8_t* b, std::size_t n,
                     const AddParams& p, std::uint8_t* y) {
    const Narrow narrow(-p.offset, p.lo - p.offset, p.hi - p.offset);
    const std::int32_t offset = p.offset;
    const F ra(p.ra);
    const F rb(p.rb);
    const F c(p.c);
    const auto block = [&](std::uint8_t* to, const std::uint8_t* from_a,
                           const std::uint8_t* from_b) {
      F va[4];
      F vb[4];
      V::template reals<Code>(from_a, offset, va);
      V::template reals<Code>(from_b, offset, vb);
      I q[4];
      unroll<4>([&](auto v) {
        const F sum = ra * va[v] + (rb * vb[v] + c);
        q[v] = V::round(V::at_most(sum, F(kLimit)));
      });
      store(narrow(q), to);
    };
    for_blocks<V, kBlock>(n, block, y, a, b);
  }

  static void clamp_q8(const std::uint8_t* x, std::size_t n, std::int32_t lo, std::int32_t hi,
                       std::uint8_t* y) {
    const Codes low(static_cast<Code>(lo));
    const Codes high(static_cast<Code>(hi));
    const auto block = [&](std::uint8_t* to, const std::uint8_t* from) {
      store(xsimd::min(xsimd::max(load(from), low), high), to);
    };
    for_blocks<V, kBlock>(n, block, y, x);
  }

  // Where vectors cannot, a byte at a time: with AVX2 it would be sixteen shuffles of 16 entries.
  static void lookup(const std::uint8_t* x, std::size_t n, const std::uint8_t* table,
                     std::uint8_t* y) {
    if constexpr (V::kLooksUp) {
      const typename V::Lookup look_up(table);
      const auto block = [&](std::uint8_t* to, const std::uint8_t* from) {
        store(Codes(look_up(load(from))), to);
      };
      for_blocks<V, kBlock>(n, block, y, x);
    } else {
      std::size_t i = 0;
      for (; i + 4 <= n; i += 4) unroll<4>([&](auto j) { y[i + j] = table[x[i + j]]; });
      for (; i < n; ++i) y[i] = table[x[i]];
    }
  }

  static void flip(const std::uint8_t* x, std::size_t n, std::uint8_t* y) {
    const auto block = [&](std::uint8_t* to, const std::uint8_t* from) {
      store(load(from) ^ Codes(static_cast<Code>(0x80)), to);
    };
    for_blocks<V, kBlock>(n, block, y, x);
  }
};

}  // namespace
}  // namespace octet::kernels
