// SPDX-License-Identifier: Apache-2.0
// What kernel tests share: buffers with a pattern around them, random values.
#pragma once

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <random>
#include <vector>

#include "tests/kernels/tables_here.h"

namespace octet::kernels {

// n elements at an odd address between two runs of a pattern that must stay.
template <class T>
class Guarded {
 public:
  explicit Guarded(std::size_t n) : bytes_(n * sizeof(T) + 2 * kGuard, kPattern), n_(n) {}
  T* data() { return reinterpret_cast<T*>(bytes_.data() + kGuard); }
  bool intact() const {
    const auto is_pattern = [](std::uint8_t b) { return b == kPattern; };
    return std::all_of(bytes_.begin(), bytes_.begin() + kGuard, is_pattern) &&
           std::all_of(bytes_.end() - kGuard, bytes_.end(), is_pattern);
  }
  std::vector<T> values() { return std::vector<T>(data(), data() + n_); }

 private:
  // 68: aligned for T, but for no vector.
  static constexpr std::ptrdiff_t kGuard = 68;
  static constexpr std::uint8_t kPattern = 0xa5;
  std::vector<std::uint8_t> bytes_;
  std::size_t n_;
};

inline std::vector<std::uint8_t> random_bytes(std::size_t n, std::uint32_t seed) {
  std::mt19937 random(seed);
  std::vector<std::uint8_t> bytes(n);
  for (auto& b : bytes) b = static_cast<std::uint8_t>(random());
  return bytes;
}

// Uniform in [-spread, spread), the same on every standard library.
inline std::vector<float> random_floats(std::size_t n, float spread, std::uint32_t seed) {
  std::mt19937 random(seed);
  std::vector<float> values(n);
  for (auto& v : values) v = (static_cast<float>(random() >> 8) * 0x1p-23F - 1.0F) * spread;
  return values;
}

}  // namespace octet::kernels
