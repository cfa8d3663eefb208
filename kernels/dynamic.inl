// SPDX-License-Identifier: Apache-2.0
// What a row needs whose activations get their scale when the network runs: its range, and the way
// from its sums to floats. Written once over xsimd, like elementwise.inl.
#pragma once

#include <xsimd/xsimd.hpp>

#include "kernels/blocks.inl"
#include "kernels/kernels.h"
#include "kernels/unroll.inl"
#include "kernels/vectors.inl"

namespace octet::kernels {
namespace {

template <class Arch>
struct Dynamic {
  using V = Vectors<Arch>;
  using F = xsimd::batch<float, Arch>;
  using I = xsimd::batch<std::int32_t, Arch>;
  static constexpr std::size_t kLanes = F::size;
  static constexpr std::size_t kChains = 4;  // comparisons take several cycles each

  // In whichever order they come, and more than once: the least of floats is one of them, and a NaN
  // is never taken. flatten: or the vectors lived in memory.
  [[gnu::flatten]] static void range(const float* x, std::size_t n, float* least, float* largest) {
    F low[kChains];
    F high[kChains];
    unroll<kChains>([&](auto c) { low[c] = high[c] = F(0.0f); });
    const auto take = [&](const float* from, auto c) __attribute__((always_inline)) {
      const F v = F::load_unaligned(from);
      low[c] = V::less(v, low[c]);
      high[c] = V::greater(v, high[c]);
    };
    constexpr std::integral_constant<std::size_t, kChains - 1> kLast;
    if (n < kLanes) {
      take(BlockInput<V, kLanes, float>(x, n).copy, kLast);
    } else {
      std::size_t i = 0;
      for (; i + kChains * kLanes <= n; i += kChains * kLanes) {
        unroll<kChains>([&](auto c) { take(x + i + c * kLanes, c); });
      }
      unroll<kChains - 1>([&](auto c) {
        if (i + (c + 1) * kLanes <= n) take(x + i + c * kLanes, c);
      });
      take(x + n - kLanes, kLast);
    }
    *least = V::least(V::less(V::less(low[0], low[1]), V::less(low[2], low[3])));
    *largest = V::largest(V::greater(V::greater(high[0], high[1]), V::greater(high[2], high[3])));
  }

  static void dequantize_sums(const std::int32_t* sum, std::size_t n, const DynamicParams& p,
                              float* y) {
    const I zero_point(p.zero_point);
    const F scale(p.scale);
    const F min(p.min);
    const F max(p.max);
    const auto real = [&](const std::int32_t* sums, const std::int32_t* weight_sums,
                          const float* weight_scales, const float* biases)
        __attribute__((always_inline)) {
      const I acc = I::load_unaligned(sums) - zero_point * I::load_unaligned(weight_sums);
      const F mult = scale * F::load_unaligned(weight_scales);
      const F v = xsimd::to_float(acc) * mult + F::load_unaligned(biases);
      return V::less(V::greater(v, min), max);
    };
    for_vectors<V>(n, real, y, sum, p.weight_sum, p.weight_scale, p.bias);
  }
};

}  // namespace
}  // namespace octet::kernels
