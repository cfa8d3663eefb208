// SPDX-License-Identifier: Apache-2.0
// The elementwise functions on floats, written once over xsimd like those on codes in
// elementwise.inl.
#pragma once

#include <xsimd/xsimd.hpp>

#include "kernels/blocks.inl"
#include "kernels/kernels.h"
#include "kernels/vectors.inl"

namespace octet::kernels {
namespace {

template <class Arch>
struct FloatElementwise {
  using V = Vectors<Arch>;
  using F = xsimd::batch<float, Arch>;

  static F load(const float* x) { return F::load_unaligned(x); }

  static void clamp(const float* x, std::size_t n, float min, float max, float* y) {
    const auto clamped = [&](const float* from) __attribute__((always_inline)) {
      return V::less(V::greater(load(from), F(min)), F(max));
    };
    for_vectors<V>(n, clamped, y, x);
  }

  static F one_nan(F x) { return xsimd::select(x == x, x, F(__builtin_nanf(""))); }

  static void add(const float* a, const float* b, std::size_t n, float* y) {
    const auto sum = [](const float* from_a, const float* from_b) __attribute__((always_inline)) {
      return one_nan(load(from_a) + load(from_b));
    };
    for_vectors<V>(n, sum, y, a, b);
  }

  static void affine(const float* x, const float* scale, const float* shift, std::size_t n,
                     float* y) {
    const auto result = [](const float* from, const float* scales, const float* shifts)
        __attribute__((always_inline)) {
      return one_nan(load(from) * load(scales) + load(shifts));
    };
    for_vectors<V>(n, result, y, x, scale, shift);
  }
};

}  // namespace
}  // namespace octet::kernels
