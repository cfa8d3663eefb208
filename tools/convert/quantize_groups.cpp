// SPDX-License-Identifier: Apache-2.0
// One group at a time: a scale, then the nearest codes.
#include "tools/convert/quantize_groups.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace octet::convert {
namespace {

std::int8_t to_code(float w, double scale, double lowest, double highest) {
  return static_cast<std::int8_t>(
      std::clamp(std::nearbyint(static_cast<double>(w) / scale), lowest, highest));
}

double squared_error(std::span<const float> weights, double scale) {
  double sum = 0;
  for (const float w : weights) {
    const double error = static_cast<double>(w) - scale * to_code(w, scale, -8, 7);
    sum += error * error;
  }
  return sum;
}

// Not zero, and no denormal, whose inverse could be infinite.
float normal(double scale) {
  constexpr double kLeast = std::numeric_limits<float>::min();
  return static_cast<float>(std::copysign(std::max(std::abs(scale), kLeast), scale));
}

float scale_of_4_bits(std::span<const float> weights, float extreme) {
  const double base = static_cast<double>(extreme) / -8;
  float best = normal(base);
  double least = std::numeric_limits<double>::infinity();
  for (int part = 48; part <= 80; ++part) {  // 3/4 to 5/4
    const float scale = normal(base * part / 64);
    const double error = squared_error(weights, static_cast<double>(scale));
    if (error >= least) continue;
    best = scale;
    least = error;
  }
  return best;
}

}  // namespace

GroupParameters quantize_groups(std::span<const float> weights, std::size_t k, std::size_t bits,
                                std::size_t group) {
  GroupParameters result;
  result.codes.resize(weights.size());
  const double lowest = bits == 8 ? -127 : -8;
  const double highest = bits == 8 ? 127 : 7;
  for (std::size_t row = 0; row < weights.size(); row += k) {
    for (std::size_t begin = 0; begin < k; begin += group) {
      const auto part = weights.subspan(row + begin, std::min(group, k - begin));
      const float extreme =
          *std::ranges::max_element(part, {}, [](float w) { return std::abs(w); });
      const float scale = extreme == 0 ? 1
                          : bits == 8  ? normal(static_cast<double>(std::abs(extreme)) / 127)
                                       : scale_of_4_bits(part, extreme);
      result.scale.push_back(scale);
      for (std::size_t i = 0; i < part.size(); ++i) {
        result.codes[row + begin + i] =
            to_code(part[i], static_cast<double>(scale), lowest, highest);
      }
    }
  }
  return result;
}

std::vector<std::uint8_t> pack_nibbles(std::span<const std::int8_t> codes, std::size_t k) {
  std::vector<std::uint8_t> bytes;
  for (std::size_t row = 0; row < codes.size(); row += k) {
    for (std::size_t i = 0; i < k; i += 2) {
      const int high = i + 1 < k ? codes[row + i + 1] : 0;
      bytes.push_back(static_cast<std::uint8_t>((codes[row + i] & 15) | (high & 15) << 4));
    }
  }
  return bytes;
}

}  // namespace octet::convert
