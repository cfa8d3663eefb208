// SPDX-License-Identifier: Apache-2.0
// What a row needs whose activations get their scale when the network runs: its range, and the way
// from its sums to floats. Written once over xsimd, like elementwise.inl.
#pragma once

#include <string.h>

#include <xsimd/xsimd.hpp>

#include "kernels/kernels.h"

namespace octet::kernels {
namespace {

template <class Arch>
struct Dynamic {
  using F = xsimd::batch<float, Arch>;
  using I = xsimd::batch<std::int32_t, Arch>;
  static constexpr std::size_t kLanes = F::size;
  static constexpr std::size_t kChains = 4;  // comparisons take several cycles each

  // In whichever order they come: the least of floats is one of them, and a NaN is never taken.
  static void range(const float* x, std::size_t n, float* least, float* largest) {
    F low[kChains];
    F high[kChains];
    for (std::size_t c = 0; c < kChains; ++c) low[c] = high[c] = F(0.0f);
    const auto take = [&](const float* from, std::size_t c) {
      const F v = F::load_unaligned(from);
      low[c] = xsimd::select(v < low[c], v, low[c]);
      high[c] = xsimd::select(v > high[c], v, high[c]);
    };
    std::size_t i = 0;
    for (; i + kChains * kLanes <= n; i += kChains * kLanes) {
      for (std::size_t c = 0; c < kChains; ++c) take(x + i + c * kLanes, c);
    }
    for (; i + kLanes <= n; i += kLanes) take(x + i, 0);
    if (i < n) {
      float tail[kLanes] = {};
      memcpy(tail, x + i, (n - i) * sizeof(float));
      take(tail, 0);
    }
    float lowest = 0;
    float highest = 0;
    for (std::size_t c = 0; c < kChains; ++c) {
      float lanes[kLanes];
      low[c].store_unaligned(lanes);
      for (const float v : lanes) lowest = v < lowest ? v : lowest;
      high[c].store_unaligned(lanes);
      for (const float v : lanes) highest = v > highest ? v : highest;
    }
    *least = lowest;
    *largest = highest;
  }

  static void sums_vector(const std::int32_t* sum, const std::int32_t* weight_sum,
                          const float* weight_scale, const float* bias, const DynamicParams& p,
                          float* y) {
    const I acc = I::load_unaligned(sum) - I(p.zero_point) * I::load_unaligned(weight_sum);
    const F mult = F(p.scale) * F::load_unaligned(weight_scale);
    F v = xsimd::to_float(acc) * mult + F::load_unaligned(bias);
    v = xsimd::select(v > F(p.min), v, F(p.min));
    v = xsimd::select(v < F(p.max), v, F(p.max));
    v.store_unaligned(y);
  }
  static void dequantize_sums(const std::int32_t* sum, std::size_t n, const DynamicParams& p,
                              float* y) {
    std::size_t i = 0;
    for (; i + kLanes <= n; i += kLanes) {
      sums_vector(sum + i, p.weight_sum + i, p.weight_scale + i, p.bias + i, p, y + i);
    }
    if (i == n) return;
    const std::size_t bytes = (n - i) * sizeof(float);
    std::int32_t sums[2][kLanes] = {};
    float reals[3][kLanes] = {};
    memcpy(sums[0], sum + i, bytes);
    memcpy(sums[1], p.weight_sum + i, bytes);
    memcpy(reals[0], p.weight_scale + i, bytes);
    memcpy(reals[1], p.bias + i, bytes);
    sums_vector(sums[0], sums[1], reals[0], reals[1], p, reals[2]);
    memcpy(y + i, reals[2], bytes);
  }
};

}  // namespace
}  // namespace octet::kernels
