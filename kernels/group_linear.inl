// SPDX-License-Identifier: Apache-2.0
// The weight-only kernel of a table over xsimd: float activations times codes of 8 or 4 bits, a
// float scale per group of k. Vector lanes run over n, as in float_linear.inl, so the order of the
// sums is the formula's for every vector length.
//
// Weights are packed in panels of kNr = 4 vectors of columns, what is left over in panels of one
// vector; a panel holds for each group the scales of its columns, then the codes, k after k. Of 4
// bits a byte holds two k's, the low nibble the first. Codes become floats in the register, once
// for the kMr rows of the block:
//
//             codes[k]:  v0   v1   v2   v3  -> float
//     a[0][k]  ->       acc  acc  acc  acc      after each group: y = y + acc * scale
//     ...
#pragma once

#include <string.h>

#include <xsimd/xsimd.hpp>

#include "kernels/codes_to_float.inl"
#include "kernels/float_store.inl"
#include "kernels/kernels.h"
#include "kernels/unroll.inl"

namespace octet::kernels {
namespace {

template <class Arch>
struct GroupLinear {
  using F = xsimd::batch<float, Arch>;
  using Load = CodesToFloat<Arch>;
  static constexpr std::size_t kLanes = F::size;
  static constexpr std::size_t kNr = 4 * kLanes;
  static constexpr std::size_t kMr = kLanes == 8 ? 2 : 4;  // AVX2 has 16 registers, others 32

  // Of one column: a group's scale and codes, and all groups'.
  static std::size_t group_bytes(std::size_t count, std::size_t bits) {
    return sizeof(float) + (bits == 8 ? count : (count + 1) / 2);
  }
  static std::size_t column_bytes(std::size_t k, std::size_t group, std::size_t bits) {
    const std::size_t rest = k % group;
    return k / group * group_bytes(group, bits) + (rest == 0 ? 0 : group_bytes(rest, bits));
  }

  static std::size_t packed_bytes(std::size_t n, std::size_t k, std::size_t group,
                                  std::size_t bits) {
    return round_up(round_up(n, kLanes) * column_bytes(k, group, bits), 64);
  }

  static std::size_t panel_width(std::size_t columns_left) {
    return columns_left < kNr ? kLanes : kNr;
  }

  // Cold: it runs once for a model; unrolled as the kernels are it would be a seventh of a table.
  [[gnu::cold]] static void pack(const std::int8_t* codes, const float* scale, std::size_t n,
                                 std::size_t k, std::size_t group, std::size_t bits, void* packed) {
    memset(packed, 0, packed_bytes(n, k, group, bits));
    const std::size_t groups = (k + group - 1) / group;
    auto* out = static_cast<std::uint8_t*>(packed);
    for (std::size_t n0 = 0; n0 < n; n0 += panel_width(n - n0)) {
      const std::size_t width = panel_width(n - n0);
      const std::size_t columns = n - n0 < width ? n - n0 : width;
      for (std::size_t g = 0; g < groups; ++g) {
        const std::size_t begin = g * group;
        const std::size_t end = k - begin < group ? k : begin + group;
        for (std::size_t j = 0; j < columns; ++j) {
          memcpy(out + j * sizeof(float), scale + (n0 + j) * groups + g, sizeof(float));
        }
        out += width * sizeof(float);
        for (std::size_t i = begin; i < end; i += bits == 8 ? 1 : 2) {
          for (std::size_t j = 0; j < columns; ++j) {
            const std::int8_t* code = codes + (n0 + j) * k + i;
            const int high = bits == 4 && i + 1 < end ? code[1] : 0;
            out[j] = static_cast<std::uint8_t>(bits == 8 ? *code : (*code & 15) | high << 4);
          }
          out += width;
        }
      }
    }
  }

  template <std::size_t Rows, std::size_t Vectors>
  [[gnu::always_inline]] static void multiply(F (&acc)[Rows][Vectors], const float* const* rows,
                                              std::size_t k, const F (&w)[Vectors]) {
    unroll<Rows>([&](auto r) {
      const F a(rows[r][k]);
      unroll<Vectors>([&](auto v) { acc[r][v] = acc[r][v] + a * w[v]; });
    });
  }

  // Rows x Vectors of the output at row m0, column n0; columns of it are stored.
  template <std::size_t Rows, std::size_t Vectors, std::size_t kBits>
  [[gnu::flatten]] static void tile(const FloatLinearTask& task, std::size_t m0, std::size_t n0,
                                    const std::uint8_t* panel, std::size_t columns) {
    F y[Rows][Vectors];
    const float* rows[Rows];
    unroll<Vectors>([&](auto v) {
      const F bias = F::load_unaligned(task.bias + n0 + v * kLanes);
      unroll<Rows>([&](auto r) { y[r][v] = bias; });
    });
    unroll<Rows>([&](auto r) { rows[r] = task.rows[m0 + r]; });
    for (std::size_t begin = 0; begin < task.k; begin += task.group) {
      const std::size_t end = task.k - begin < task.group ? task.k : begin + task.group;
      const auto* scale = reinterpret_cast<const float*>(panel);
      panel += Vectors * kLanes * sizeof(float);
      F acc[Rows][Vectors];
      unroll<Rows>([&](auto r) { unroll<Vectors>([&](auto v) { acc[r][v] = F(0.0f); }); });
      std::size_t k = begin;
      if constexpr (kBits == 8) {
        for (; k < end; ++k, panel += Vectors * kLanes) {
          F w[Vectors];
          unroll<Vectors>([&](auto v) { w[v] = Load::s8(panel + v * kLanes); });
          multiply(acc, rows, k, w);
        }
      } else {
        for (; k + 2 <= end; k += 2, panel += Vectors * kLanes) {
          F w[Vectors];
          F next[Vectors];
          unroll<Vectors>([&](auto v) { Load::s4(panel + v * kLanes, w[v], next[v]); });
          multiply(acc, rows, k, w);
          multiply(acc, rows, k + 1, next);
        }
        if (k < end) {
          F w[Vectors];
          F next[Vectors];
          unroll<Vectors>([&](auto v) { Load::s4(panel + v * kLanes, w[v], next[v]); });
          multiply(acc, rows, k, w);
          panel += Vectors * kLanes;
        }
      }
      unroll<Vectors>([&](auto v) {
        const F s = F::load_unaligned(scale + v * kLanes);
        unroll<Rows>([&](auto r) { y[r][v] = y[r][v] + acc[r][v] * s; });
      });
    }
    FloatStore<Arch>::block(task, m0, n0, columns, y);
  }

  template <std::size_t Vectors, std::size_t kBits>
  static void panel_rows(const FloatLinearTask& task, std::size_t n0, const std::uint8_t* panel,
                         std::size_t columns) {
    std::size_t m0 = 0;
    for (; m0 + kMr <= task.m; m0 += kMr) tile<kMr, Vectors, kBits>(task, m0, n0, panel, columns);
    for (; m0 < task.m; ++m0) tile<1, Vectors, kBits>(task, m0, n0, panel, columns);
  }

  template <std::size_t kBits>
  static void panels(const FloatLinearTask& task) {
    const auto* weights = static_cast<const std::uint8_t*>(task.weights);
    const std::size_t column = column_bytes(task.k, task.group, kBits);
    for (std::size_t n0 = task.n_begin; n0 < task.n_end;) {
      const std::uint8_t* panel = weights + n0 * column;
      const std::size_t left = task.n_end - n0;
      if (panel_width(left) == kNr) {
        panel_rows<4, kBits>(task, n0, panel, kNr);
      } else {
        panel_rows<1, kBits>(task, n0, panel, left < kLanes ? left : kLanes);
      }
      n0 += panel_width(left);
    }
  }

  static void run(const FloatLinearTask& task) {
    if (task.bits == 8) {
      panels<8>(task);
    } else {
      panels<4>(task);
    }
  }
};

}  // namespace
}  // namespace octet::kernels
