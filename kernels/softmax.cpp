// SPDX-License-Identifier: Apache-2.0
// Softmax with an exponential and a logarithm of our own: compiled once for the baseline
// instruction set, scalar, every operation rounded in the order written here.
#include "kernels/softmax.h"

#include <bit>
#include <cstdint>
#include <limits>

namespace octet::kernels {
namespace {

constexpr float kLog2E = 0x1.715476p+0F;
// ln 2 in two parts: the first has 9 significant bits, so that z * kLn2High is exact for |z| <
// 2^15.
constexpr float kLn2High = 0x1.63p-1F;
constexpr float kLn2Low = -0x1.bd0106p-13F;
// Adding and subtracting 1.5 * 2^23 rounds a float below 2^22 to the nearest integer, ties to even.
constexpr float kRound = 0x1.8p+23F;

// exp(x) for x <= 0: x = z ln 2 + r with |r| <= ln 2 / 2, then the Taylor series to r^7 / 7!
// (truncation below 6e-9) by Horner's rule, then the exponent. Results below 2^-126 are 0.
float exp_nonpositive(float x) {
  if (x < -87.0F) return 0.0F;
  const float z = (x * kLog2E + kRound) - kRound;
  float r = x - z * kLn2High;
  r = r - z * kLn2Low;
  float p = 1.0F / 5040.0F;
  p = p * r + 1.0F / 720.0F;
  p = p * r + 1.0F / 120.0F;
  p = p * r + 1.0F / 24.0F;
  p = p * r + 1.0F / 6.0F;
  p = p * r + 0.5F;
  p = p * r + 1.0F;
  p = p * r + 1.0F;
  const auto exponent = static_cast<std::uint32_t>(static_cast<std::int32_t>(z) + 127);
  return p * std::bit_cast<float>(exponent << 23);
}

// log(x) for finite x >= 1: x = m 2^e with m in [sqrt 1/2, sqrt 2), then log m = 2 atanh(s), s = (m
// - 1) / (m + 1), by the series to s^9 / 9 (truncation below 1e-9).
float log_from_one(float x) {
  constexpr std::uint32_t kSqrtHalf = 0x3f3504f3;
  const auto bits = std::bit_cast<std::uint32_t>(x) - kSqrtHalf;
  const auto e = static_cast<float>(static_cast<std::int32_t>(bits >> 23));
  const float m = std::bit_cast<float>((bits & 0x7fffff) + kSqrtHalf);
  const float s = (m - 1.0F) / (m + 1.0F);
  const float s2 = s * s;
  float p = 2.0F / 9.0F;
  p = p * s2 + 2.0F / 7.0F;
  p = p * s2 + 2.0F / 5.0F;
  p = p * s2 + 2.0F / 3.0F;
  p = p * s2 + 2.0F;
  return e * kLn2High + (e * kLn2Low + p * s);
}

// The largest element; NaN where the row has no finite result: a NaN, an infinity on top, or
// nothing but -inf.
float finite_max(const float* x, std::size_t n, std::size_t stride) {
  float max = x[0];
  for (std::size_t i = 0; i < n; ++i) {
    const float v = x[i * stride];
    if (v != v) return v;
    if (v > max) max = v;
  }
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  return max == kInfinity || max == -kInfinity ? std::numeric_limits<float>::quiet_NaN() : max;
}

// One NaN for all CPUs: the hardware's default NaN differs in sign between x86 and Arm.
void fill_nan(std::size_t n, std::size_t stride, float* y) {
  for (std::size_t i = 0; i < n; ++i) y[i * stride] = std::bit_cast<float>(0x7fc00000U);
}

}  // namespace

void softmax(const float* x, std::size_t n, std::size_t stride, float* y) noexcept {
  const float max = finite_max(x, n, stride);
  if (max != max) return fill_nan(n, stride, y);
  float sum = 0.0F;
  for (std::size_t i = 0; i < n; ++i) {
    const float e = exp_nonpositive(x[i * stride] - max);
    y[i * stride] = e;
    sum = sum + e;
  }
  for (std::size_t i = 0; i < n; ++i) y[i * stride] = y[i * stride] / sum;
}

void log_softmax(const float* x, std::size_t n, std::size_t stride, float* y) noexcept {
  const float max = finite_max(x, n, stride);
  if (max != max) return fill_nan(n, stride, y);
  float sum = 0.0F;
  for (std::size_t i = 0; i < n; ++i) sum = sum + exp_nonpositive(x[i * stride] - max);
  const float log_sum = log_from_one(sum);
  for (std::size_t i = 0; i < n; ++i) y[i * stride] = (x[i * stride] - max) - log_sum;
}

}  // namespace octet::kernels
