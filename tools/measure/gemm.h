// SPDX-License-Identifier: Apache-2.0
// One layer's work as the engine hands it to a kernel table, for measurements: the command times
// tables with it and the benchmarks compare it with other libraries.
#pragma once

#include <cstdint>
#include <type_traits>
#include <vector>

#include "kernels/kernels.h"

namespace octet::measure {

// A hidden layer with ReLU: u8 codes with zero point 0, one weight scale. y = saturate(rne((bias[n]
// + sum over k of a[m][k] * w[n][k]) * mult)), and mult spreads y over the codes.
struct GemmData {
  GemmData(std::size_t m, std::size_t n, std::size_t k);

  std::size_t m, n, k;
  std::vector<std::uint8_t> a;     // [m][k]
  std::vector<std::int8_t> w;      // [n][k]
  std::vector<std::int32_t> bias;  // [n]
  float mult;

  double operations() const { return 2.0 * static_cast<double>(m * n * k); }
};

// GemmData packed for a table, with rows padded to 64 bytes as in the engine's arena.
class Gemm {
 public:
  Gemm(const kernels::Table& table, const GemmData& data, kernels::Store store);
  Gemm(const Gemm&) = delete;
  Gemm& operator=(const Gemm&) = delete;

  void run(std::size_t calls) const {
    for (std::size_t i = 0; i < calls; ++i) table_.gemm(task_);
  }
  // What run() made, [m][n]: u8 codes of Store::q8, sums of Store::s32.
  std::vector<std::uint8_t> codes() const;
  std::vector<std::int32_t> sums() const;

 private:
  struct alignas(64) Line {
    std::uint8_t bytes[64];
  };
  static std::vector<Line> lines(std::size_t bytes) { return std::vector<Line>(bytes / 64 + 1); }
  // All of them: those of the first line alone would end after 64.
  template <class Lines>
  static auto* bytes_of(Lines& lines) {
    using Byte = std::conditional_t<std::is_const_v<Lines>, const std::uint8_t, std::uint8_t>;
    return reinterpret_cast<Byte*>(lines.data());
  }

  const kernels::Table& table_;
  std::size_t n_;
  std::vector<Line> packed_, a_, c_, scratch_;
  std::vector<const std::uint8_t*> rows_;
  std::vector<std::int32_t> bias_;
  std::vector<float> mult_;
  kernels::GemmTask task_;
};

}  // namespace octet::measure
