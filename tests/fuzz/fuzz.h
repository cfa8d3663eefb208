// SPDX-License-Identifier: Apache-2.0
// What the fuzz targets share: an expectation that ends the process, counts that are printed at its
// end, random numbers made of an input.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <iterator>
#include <limits>
#include <span>
#include <string>

#include "engine/checksum.h"
#include "tools/data/splitmix.h"

// libFuzzer's own mutations of size bytes at data, which may grow to max_size. Gives the new size.
extern "C" std::size_t LLVMFuzzerMutate(std::uint8_t* data, std::size_t size, std::size_t max_size);

namespace octet::fuzz {

using Input = std::span<const std::uint8_t>;

// A finding: libFuzzer keeps the input of a process that aborts.
[[noreturn]] inline void finding(const std::string& what) {
  std::fprintf(stderr, "finding: %s\n", what.c_str());
  std::abort();
}
inline void expect(bool holds, const char* what) {
  if (!holds) finding(what);
}

// Printed when the process ends, for tools/fuzz.sh: "count NAME VALUE".
class Count {
 public:
  explicit Count(const char* name) : name_(name) {}
  Count(const Count&) = delete;
  Count& operator=(const Count&) = delete;
  ~Count() { std::fprintf(stderr, "count %s %llu\n", name_, value_); }
  void operator++() noexcept { ++value_; }

 private:
  const char* name_;
  unsigned long long value_ = 0;
};

// Reads an input front to back; behind its end come zeros, so that any input means something.
class Reader {
 public:
  explicit Reader(Input input) : left_(input) {}

  bool empty() const noexcept { return left_.empty(); }
  std::uint8_t byte() noexcept {
    if (left_.empty()) return 0;
    const std::uint8_t first = left_.front();
    left_ = left_.subspan(1);
    return first;
  }
  template <class T>
  T value() noexcept {
    std::uint8_t bytes[sizeof(T)];
    for (std::uint8_t& b : bytes) b = byte();
    T result;
    std::memcpy(&result, bytes, sizeof result);
    return result;
  }
  // In [0, below), below at most 65536.
  std::size_t below(std::size_t below) noexcept {
    return (below <= 256 ? byte() : value<std::uint16_t>()) % below;
  }
  bool flag() noexcept { return (byte() & 1u) != 0; }

 private:
  Input left_;
};

// A seed that depends on every byte.
inline std::uint64_t seed_of(Input input) noexcept {
  return engine::xxh64(std::as_bytes(input), 0);
}

// Any float: a few magnitudes, now and then a special one.
inline float draw_float(data::SplitMix64& random) noexcept {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  constexpr float kSpecial[] = {0.0f,      -0.0f,      1e-42f,
                                -1e-42f,   3e38f,      -3e38f,
                                kInfinity, -kInfinity, std::numeric_limits<float>::quiet_NaN()};
  constexpr float kSpreads[] = {0.1f, 1, 8, 300};
  const std::uint64_t draw = random.next();
  if (draw % 32 == 0) return kSpecial[(draw >> 8) % std::size(kSpecial)];
  return (static_cast<float>(draw >> 40) * 0x1p-23f - 1) * kSpreads[draw >> 8 & 3];
}

}  // namespace octet::fuzz
