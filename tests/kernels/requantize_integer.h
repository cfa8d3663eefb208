// SPDX-License-Identifier: Apache-2.0
// What requantize gives, by integers alone: the float of an accumulator, its product with the
// multiplier and the rounding to a code are shifts and 64-bit products on the numbers' bits.
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>

namespace octet::test::requantize_test {

// significand * 2^exponent
struct Real {
  std::uint64_t significand;
  int exponent;
};

// x / 2^shift, rounded half to even.
inline std::uint64_t shift_half_even(std::uint64_t x, int shift) {
  if (shift <= 0) return x;
  if (shift > 62) return 0;  // x is below 2^62: less than half
  const std::uint64_t down = x >> shift;
  const std::uint64_t rest = x - (down << shift);
  const std::uint64_t half = std::uint64_t{1} << (shift - 1);
  return down + static_cast<std::uint64_t>(rest > half || (rest == half && down % 2 == 1));
}

// The nearest float: 24 bits, none worth less than 2^-149. What a float would call infinite stays a
// number of 24 bits: far above every code too.
inline Real round_to_float(Real x) {
  const int spare = static_cast<int>(std::bit_width(x.significand)) - 24;
  const int drop = std::max({spare, -149 - x.exponent, 0});
  return {shift_half_even(x.significand, drop), x.exponent + drop};
}

inline Real decode(std::uint32_t positive_float) {
  const std::uint32_t exponent = positive_float >> 23;
  const std::uint32_t fraction = positive_float & 0x7fffffu;
  return exponent == 0 ? Real{fraction, -149}
                       : Real{fraction | 0x800000u, static_cast<int>(exponent) - 150};
}

struct Codes {
  std::int32_t zero_point;
  std::int32_t lo;
  std::int32_t hi;
};

// |round_to_float(round_to_float(acc) * mult)|
inline Real product_of(std::int32_t acc, Real mult) {
  const std::int64_t wide = acc;
  const Real a = round_to_float({static_cast<std::uint64_t>(wide < 0 ? -wide : wide), 0});
  return round_to_float({a.significand * mult.significand, a.exponent + mult.exponent});
}

// saturate(round_half_even(round_to_float(round_to_float(acc) * mult)) + zero_point)
inline std::int32_t requantize(std::int32_t acc, Real mult, const Codes& codes,
                               std::uint64_t& ties) {
  constexpr std::int64_t kMany = 1 << 20;  // more than any code, or than the step to one
  const Real product = product_of(acc, mult);
  std::int64_t q = 0;
  if (product.exponent < 0) {
    const std::uint64_t rounded = shift_half_even(product.significand, -product.exponent);
    q = std::min(static_cast<std::int64_t>(rounded), kMany);
    if (product.exponent >= -24) {
      const std::uint64_t unit = std::uint64_t{1} << -product.exponent;
      ties += static_cast<std::uint64_t>(product.significand % unit * 2 == unit && q <= 256);
    }
  } else if (product.significand != 0) {
    q = product.exponent > 20 ? kMany
                              : static_cast<std::int64_t>(product.significand) << product.exponent;
    q = std::min(q, kMany);
  }
  if (acc < 0) q = -q;
  return static_cast<std::int32_t>(
      std::clamp<std::int64_t>(q + codes.zero_point, codes.lo, codes.hi));
}

}  // namespace octet::test::requantize_test
