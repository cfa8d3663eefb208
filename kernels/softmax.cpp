// SPDX-License-Identifier: Apache-2.0
// Softmax with an exponential and a logarithm of our own: compiled once for the baseline
// instruction set, four elements at a time, every operation rounded in the order written here.
#include "kernels/softmax.h"

#include <bit>
#include <cstdint>
#include <cstring>
#include <limits>

namespace octet::kernels {
namespace {

// The compiler's own vectors, which every 64-bit CPU has.
constexpr std::size_t kLanes = 4;
using Floats [[gnu::vector_size(16)]] = float;
using Ints [[gnu::vector_size(16)]] = std::int32_t;

Floats all(float x) {
  return Floats{x, x, x, x};
}

// f(j) for the first count of kLanes lanes, each a constant: vectors stay in registers.
template <class Function>
[[gnu::always_inline]] inline void for_lanes(std::size_t count, Function f) {
  f(0);
  if (count > 1) f(1);
  if (count > 2) f(2);
  if (count > 3) f(3);
}

// count elements; lanes behind the last hold the first again.
[[gnu::noinline]] Floats gather(const float* x, std::size_t stride, std::size_t count) {
  const auto element = [&](std::size_t j) { return x[j < count ? j * stride : 0]; };
  return Floats{element(0), element(1), element(2), element(3)};
}
[[gnu::noinline]] void scatter(Floats v, std::size_t stride, std::size_t count, float* y) {
  for_lanes(count, [&](std::size_t j) { y[j * stride] = v[j]; });
}

struct Row {
  const float* x;
  std::size_t n, stride;

  // f(first, count, x of these) for all elements, kLanes of them at a time; see gather().
  template <class Function>
  [[gnu::always_inline]] inline void for_vectors(Function f) const {
    for (std::size_t i = 0; i < n; i += kLanes) {
      const std::size_t count = n - i < kLanes ? n - i : kLanes;
      Floats v;
      if (stride == 1 && count == kLanes) {
        std::memcpy(&v, x + i, sizeof v);
      } else {
        v = gather(x + i * stride, stride, count);
      }
      f(i, count, v);
    }
  }
  [[gnu::always_inline]] inline void store(float* y, std::size_t i, std::size_t count,
                                           Floats v) const {
    if (stride == 1 && count == kLanes) {
      std::memcpy(y + i, &v, sizeof v);
    } else {
      scatter(v, stride, count, y + i * stride);
    }
  }
};

constexpr float kLog2E = 0x1.715476p+0F;
// ln 2 in two parts: the first has 9 significant bits, so that z * kLn2High is exact for |z| <
// 2^15.
constexpr float kLn2High = 0x1.63p-1F;
constexpr float kLn2Low = -0x1.bd0106p-13F;
// Adding and subtracting 1.5 * 2^23 rounds a float below 2^22 to the nearest integer, ties to even.
constexpr float kRound = 0x1.8p+23F;

// exp(x) for x <= 0: x = z ln 2 + r with |r| <= ln 2 / 2, then the Taylor series to r^7 / 7!
// (truncation below 6e-9) by Horner's rule, then the exponent. Results below 2^-126 are 0.
Floats exp_nonpositive(Floats x) {
  const Ints normal = x >= all(-87.0F);
  x = normal ? x : all(0.0F);  // z would be no int
  const Floats z = (x * kLog2E + kRound) - kRound;
  Floats r = x - z * kLn2High;
  r = r - z * kLn2Low;
  Floats p = all(1.0F / 5040.0F);
  p = p * r + 1.0F / 720.0F;
  p = p * r + 1.0F / 120.0F;
  p = p * r + 1.0F / 24.0F;
  p = p * r + 1.0F / 6.0F;
  p = p * r + 0.5F;
  p = p * r + 1.0F;
  p = p * r + 1.0F;
  const Ints exponent = __builtin_convertvector(z, Ints) + 127;
  return normal ? p * std::bit_cast<Floats>(exponent << 23) : all(0.0F);
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
float finite_max(const Row& row) {
  const float first = row.x[0];
  Floats most = all(first);
  Ints nan = {};
  row.for_vectors([&](std::size_t, std::size_t, Floats v) {
    nan |= v != v;
    most = v > most ? v : most;
  });
  float max = first;
  for (std::size_t j = 0; j < kLanes; ++j) max = most[j] > max ? most[j] : max;
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  const bool finite =
      (nan[0] | nan[1] | nan[2] | nan[3]) == 0 && max < kInfinity && max > -kInfinity;
  return finite ? max : std::numeric_limits<float>::quiet_NaN();
}

// The sum of exp(x - max), which is kept in y unless that is null.
float sum_of_exponentials(const Row& row, float max, float* y) {
  float sum = 0.0F;
  row.for_vectors([&](std::size_t i, std::size_t count, Floats v) {
    const Floats e = exp_nonpositive(v - max);
    if (y != nullptr) row.store(y, i, count, e);
    for_lanes(count, [&](std::size_t j) { sum = sum + e[j]; });
  });
  return sum;
}

// One NaN for all CPUs: the hardware's default NaN differs in sign between x86 and Arm.
void fill_nan(std::size_t n, std::size_t stride, float* y) {
  for (std::size_t i = 0; i < n; ++i) y[i * stride] = std::bit_cast<float>(0x7fc00000U);
}

}  // namespace

void softmax(const float* x, std::size_t n, std::size_t stride, float* y) noexcept {
  const Row row{x, n, stride};
  const float max = finite_max(row);
  if (max != max) return fill_nan(n, stride, y);
  const float sum = sum_of_exponentials(row, max, y);
  Row{y, n, stride}.for_vectors(
      [&](std::size_t i, std::size_t count, Floats e) { row.store(y, i, count, e / sum); });
}

void log_softmax(const float* x, std::size_t n, std::size_t stride, float* y) noexcept {
  const Row row{x, n, stride};
  const float max = finite_max(row);
  if (max != max) return fill_nan(n, stride, y);
  const float log_sum = log_from_one(sum_of_exponentials(row, max, nullptr));
  row.for_vectors([&](std::size_t i, std::size_t count, Floats v) {
    row.store(y, i, count, (v - max) - log_sum);
  });
}

}  // namespace octet::kernels
