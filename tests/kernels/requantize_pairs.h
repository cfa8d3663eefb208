// SPDX-License-Identifier: Apache-2.0
// Accumulators and multipliers to try: first every product that is exactly a half, then what rounds
// to one, boundaries, and any.
#pragma once

#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <limits>
#include <random>

namespace octet::test::requantize_test {

// Each column is a sum and a multiplier; the rows add 0 to 7 to its sum.
inline constexpr std::size_t kRows = 8;
inline constexpr std::size_t kColumns = 4096;
inline constexpr std::int32_t kMiddle = 3;  // the row whose sum is the one that was asked for

class Pairs {
 public:
  struct Column {
    std::int32_t acc;
    float mult;
  };

  Column next() {
    if (!all_halves_given_) return next_half();
    const auto draw = random_();
    switch (draw % 8) {
      case 0:
        return boundary();
      case 1:
        return {sum(), multiplier()};
      default:
        return near_half(draw);
    }
  }
  bool all_halves_given() const { return all_halves_given_; }
  std::uint64_t draw() { return random_(); }

 private:
  // Every acc * mult == h / 2 for odd h up to 513: acc = d * 2^j for each divisor d of h and each
  // j, both signs, with mult and the floats on both sides of it.
  Column next_half() {
    const float mult = static_cast<float>(odd_ / divisor_) * std::ldexp(1.0f, -shift_ - 1);
    const std::int64_t acc = std::int64_t{divisor_} << shift_;
    const Column column = {static_cast<std::int32_t>(variant_ % 2 == 0 ? acc : -acc),
                           beside(mult, variant_ / 2 - 1)};
    if (++variant_ < 6) return column;
    variant_ = 0;
    if ((acc << 1) < (std::int64_t{1} << 31)) {
      ++shift_;
      return column;
    }
    shift_ = 0;
    do {
      divisor_ += 2;
    } while (divisor_ <= odd_ && odd_ % divisor_ != 0);
    if (divisor_ > odd_) {
      divisor_ = 1;
      odd_ += 2;
      all_halves_given_ = odd_ > 513;
    }
    return column;
  }

  // Any sum with the multiplier that takes it nearest to a half, or one beside that: the product
  // may round to the half itself.
  Column near_half(std::uint64_t draw) {
    std::int32_t acc = sum();
    if (acc == 0) acc = 1;
    const double half = static_cast<double>(draw >> 8 & 255) + 0.5;
    return {acc, beside(static_cast<float>(half / std::abs(static_cast<double>(acc))),
                        static_cast<int>(draw >> 16 & 3) - 1)};
  }

  Column boundary() {
    constexpr std::int32_t kSums[] = {0,
                                      1,
                                      -1,
                                      255,
                                      (1 << 24) - 1,
                                      (1 << 24) + 1,
                                      -(1 << 24) - 3,
                                      (1 << 30) + 33,
                                      std::numeric_limits<std::int32_t>::max() - 7,
                                      std::numeric_limits<std::int32_t>::max(),
                                      std::numeric_limits<std::int32_t>::min(),
                                      std::numeric_limits<std::int32_t>::min() + kMiddle};
    constexpr float kMultipliers[] = {0,
                                      0x1p-149f,
                                      0x1.fffffcp-127f,
                                      0x1p-126f,
                                      0x1p-32f,
                                      0x1.fffffep-32f,
                                      0x1p-24f,
                                      0x1p-1f,
                                      0x1.fffffep-1f,
                                      1,
                                      0x1.000002p+0f,
                                      0x1p+31f,
                                      std::numeric_limits<float>::max()};
    return {kSums[random_() % std::size(kSums)], kMultipliers[random_() % std::size(kMultipliers)]};
  }

  // As many sums of few bits as of many.
  std::int32_t sum() {
    const auto draw = random_();
    const auto magnitude = static_cast<std::int32_t>((draw >> 32 & 0x7fffffffu) >> draw % 31);
    return (draw >> 8) % 2 == 0 ? magnitude : -magnitude;
  }
  // Of any significand, from 2^-34 to 2^10.
  float multiplier() {
    const auto draw = random_();
    const auto exponent = static_cast<std::uint32_t>(127 - 34 + (draw >> 32) % 44);
    return std::bit_cast<float>(exponent << 23 | static_cast<std::uint32_t>(draw & 0x7fffffu));
  }
  // The float that many steps above.
  static float beside(float x, int steps) {
    return std::bit_cast<float>(std::bit_cast<std::uint32_t>(x) +
                                static_cast<std::uint32_t>(steps));
  }

  std::mt19937_64 random_{2026};
  std::int32_t odd_ = 1;
  std::int32_t divisor_ = 1;
  int shift_ = 0;
  int variant_ = 0;
  bool all_halves_given_ = false;
};

}  // namespace octet::test::requantize_test
