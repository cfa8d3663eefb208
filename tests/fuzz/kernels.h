// SPDX-License-Identifier: Apache-2.0
// What the kernels' targets share: the tables that this CPU runs, and memory that knows its bounds.
#pragma once

#include <algorithm>
#include <bit>
#include <cmath>
#include <tuple>
#include <utility>
#include <vector>

#include "kernels/reference.h"
#include "tests/fuzz/fuzz.h"
#include "tests/kernels/guarded_rows.h"
#include "tests/kernels/tables_here.h"

namespace octet::fuzz {

using kernels::tables_here;

// Memory for `bytes` bytes, 64-byte aligned, with a pattern in and behind it.
class Padded {
 public:
  explicit Padded(std::size_t bytes) : bytes_(bytes), memory_(bytes + 2 * kPad, kPattern) {}
  std::uint8_t* data() {
    const auto address = reinterpret_cast<std::uintptr_t>(memory_.data());
    return memory_.data() + (kPad - address % kPad);
  }
  template <class T>
  T* as() {
    return reinterpret_cast<T*>(data());
  }
  // The same bytes, and nothing written behind them.
  bool operator==(Padded& other) {
    return std::memcmp(data(), other.data(), bytes_) == 0 && intact() && other.intact();
  }
  bool intact() {
    return std::all_of(data() + bytes_, memory_.data() + memory_.size(),
                       [](std::uint8_t byte) { return byte == kPattern; });
  }

 private:
  static constexpr std::size_t kPad = 64;
  static constexpr std::uint8_t kPattern = 0xa5;
  std::size_t bytes_;
  std::vector<std::uint8_t> memory_;
};

// Codes of one kind: any, or extreme ones only.
class Codes {
 public:
  explicit Codes(Reader& input) : random_(input.byte()), fill_(input.below(6)) {}
  std::uint8_t next() noexcept {
    constexpr std::uint8_t kExtremes[] = {0x80, 0x7f, 0x00, 0xff};
    if (fill_ < 4) return kExtremes[fill_];
    const std::uint64_t draw = random_.next();
    return fill_ == 4 ? kExtremes[draw >> 62] : static_cast<std::uint8_t>(draw >> 56);
  }

 private:
  data::SplitMix64 random_;
  std::size_t fill_;
};

// Bounds of codes and a zero point in a table's sign, in any relation that a plan can make.
struct CodeRange {
  std::int32_t zero_point;
  std::int32_t lo;
  std::int32_t hi;
};
inline CodeRange draw_range(Reader& input, kernels::Sign sign) {
  const std::int32_t lowest = sign == kernels::Sign::u8 ? 0 : -128;
  const std::int32_t a = input.byte();
  const std::int32_t b = input.byte();
  return {lowest + input.byte(), lowest + std::min(a, b), lowest + std::max(a, b)};
}

// Float bounds, min <= max; infinite if the input says so.
inline std::pair<float, float> draw_bounds(Reader& input) {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  const float a = static_cast<float>(static_cast<std::int8_t>(input.byte())) / 4;
  const float b = static_cast<float>(static_cast<std::int8_t>(input.byte())) / 4;
  const std::size_t which = input.below(4);
  return {which & 1u ? std::min(a, b) : -kInfinity, which & 2u ? std::max(a, b) : kInfinity};
}

}  // namespace octet::fuzz
