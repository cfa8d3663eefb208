// SPDX-License-Identifier: Apache-2.0
// The elementwise functions on floats, written once over xsimd like those on codes in
// elementwise.inl.
#pragma once

#include <xsimd/xsimd.hpp>

#include "kernels/kernels.h"

namespace octet::kernels {
namespace {

template <class Arch>
struct FloatElementwise {
  using F = xsimd::batch<float, Arch>;

  // y[i] = vector(x, ...) for whole vectors, then scalar(x, ...) for the rest.
  template <class Vector, class Scalar>
  static void map(std::size_t n, Vector vector, Scalar scalar) {
    std::size_t i = 0;
    for (; i + F::size <= n; i += F::size) vector(i);
    for (; i < n; ++i) scalar(i);
  }

  static void clamp(const float* x, std::size_t n, float min, float max, float* y) {
    map(
        n,
        [&](std::size_t i) {
          F v = F::load_unaligned(x + i);
          v = xsimd::select(v > F(min), v, F(min));
          xsimd::select(v < F(max), v, F(max)).store_unaligned(y + i);
        },
        [&](std::size_t i) {
          const float v = x[i] > min ? x[i] : min;
          y[i] = v < max ? v : max;
        });
  }

  static F one_nan(F x) { return xsimd::select(x == x, x, F(__builtin_nanf(""))); }
  static float one_nan(float x) { return x == x ? x : __builtin_nanf(""); }

  static void add(const float* a, const float* b, std::size_t n, float* y) {
    map(
        n,
        [&](std::size_t i) {
          one_nan(F::load_unaligned(a + i) + F::load_unaligned(b + i)).store_unaligned(y + i);
        },
        [&](std::size_t i) { y[i] = one_nan(a[i] + b[i]); });
  }

  static void affine(const float* x, const float* scale, const float* shift, std::size_t n,
                     float* y) {
    map(
        n,
        [&](std::size_t i) {
          const F product = F::load_unaligned(x + i) * F::load_unaligned(scale + i);
          one_nan(product + F::load_unaligned(shift + i)).store_unaligned(y + i);
        },
        [&](std::size_t i) {
          const float product = x[i] * scale[i];
          y[i] = one_nan(product + shift[i]);
        });
  }
};

}  // namespace
}  // namespace octet::kernels
