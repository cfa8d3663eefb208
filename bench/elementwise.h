// SPDX-License-Identifier: Apache-2.0
// The elementwise functions that the benchmarks call, and what they work on.
#pragma once

#include <cstdint>
#include <vector>

#include "kernels/kernels.h"

namespace octet::bench {

using kernels::Sign;
using kernels::Table;

struct Operands {
  explicit Operands(std::size_t n)
      : reals(n),
        more_reals(n, 0.5F),
        real_results(n),
        codes(n),
        more_codes(n),
        code_results(n),
        sums(n),
        weight_sums(n, 3),
        entries(256) {
    for (std::size_t i = 0; i < n; ++i) {
      const auto bits = static_cast<std::uint32_t>(i) * 2654435761U;
      reals[i] = static_cast<float>(bits >> 22) * 0.01F - 5;
      codes[i] = static_cast<std::uint8_t>(bits >> 13);
      more_codes[i] = static_cast<std::uint8_t>(bits >> 19);
      sums[i] = static_cast<std::int32_t>(bits >> 14);
    }
    for (std::size_t i = 0; i < 256; ++i) entries[i] = static_cast<std::uint8_t>(255 - i);
  }

  std::vector<float> reals, more_reals, real_results;
  std::vector<std::uint8_t> codes, more_codes, code_results;
  std::vector<std::int32_t> sums, weight_sums;
  std::vector<std::uint8_t> entries;
  float least, largest;
};

// One call on the operands.
using Call = void (*)(const Table& table, Operands& o);

struct Function {
  const char* name;
  double bytes;  // read and written per element
  Call call;
};

// A code of the table's sign by its place among all.
inline std::int32_t code(const Table& table, std::int32_t place) {
  return table.sign == Sign::u8 ? place : place - 128;
}

inline constexpr Function kFunctions[] = {
    {"quantize", 5,
     [](const Table& t, Operands& o) {
       t.quantize(o.reals.data(), o.reals.size(), {0.0431F, code(t, 3), code(t, 0), code(t, 255)},
                  o.code_results.data());
     }},
    {"dequantize", 5,
     [](const Table& t, Operands& o) {
       t.dequantize(o.codes.data(), o.codes.size(), 0.0431F, code(t, 3), o.real_results.data());
     }},
    {"clamp_q8", 2,
     [](const Table& t, Operands& o) {
       t.clamp_q8(o.codes.data(), o.codes.size(), code(t, 10), code(t, 250), o.code_results.data());
     }},
    {"add_q8", 3,
     [](const Table& t, Operands& o) {
       t.add_q8(o.codes.data(), o.more_codes.data(), o.codes.size(),
                {0.7F, 0.4F, 3.3F, 0, 255, t.sign == Sign::u8 ? 0 : 128}, o.code_results.data());
     }},
    {"lookup", 2,
     [](const Table& t, Operands& o) {
       t.lookup(o.codes.data(), o.codes.size(), o.entries.data(), o.code_results.data());
     }},
    {"flip", 2,
     [](const Table& t, Operands& o) {
       t.flip(o.codes.data(), o.codes.size(), o.code_results.data());
     }},
    {"range", 4,
     [](const Table& t, Operands& o) {
       t.f32->range(o.reals.data(), o.reals.size(), &o.least, &o.largest);
     }},
    {"dequantize_sums", 20,
     [](const Table& t, Operands& o) {
       t.f32->dequantize_sums(o.sums.data(), o.sums.size(),
                              {code(t, 3), 0.01F, o.weight_sums.data(), o.more_reals.data(),
                               o.more_reals.data(), -1e30F, 1e30F},
                              o.real_results.data());
     }},
    {"clamp_f32", 8,
     [](const Table& t, Operands& o) {
       t.f32->clamp(o.reals.data(), o.reals.size(), -3, 3, o.real_results.data());
     }},
    {"add_f32", 12,
     [](const Table& t, Operands& o) {
       t.f32->add(o.reals.data(), o.more_reals.data(), o.reals.size(), o.real_results.data());
     }},
    {"affine_f32", 16,
     [](const Table& t, Operands& o) {
       t.f32->affine(o.reals.data(), o.more_reals.data(), o.more_reals.data(), o.reals.size(),
                     o.real_results.data());
     }},
};

}  // namespace octet::bench
