// SPDX-License-Identifier: Apache-2.0
// The float linear kernel of a table over xsimd: y[n] = bias[n], then for k ascending y[n] = y[n] +
// a[k] * w[n][k], each step rounded. Vector lanes run over n, so the order of summation never
// depends on the vector length, the batch or the block.
//
// Weights are packed in panels of kNr = 4 vectors of columns, k after k; the last panel is as many
// vectors wide as its columns need. The register block is 4 rows x 4 vectors:
//
//             w[k]:  v0   v1   v2   v3
//     a[0][k]  ->   acc  acc  acc  acc
//     ...
//     a[3][k]  ->   acc  acc  acc  acc
#pragma once

#include <string.h>

#include <xsimd/xsimd.hpp>

#include "kernels/float_store.inl"
#include "kernels/kernels.h"
#include "kernels/unroll.inl"

namespace octet::kernels {
namespace {

template <class Arch>
struct FloatLinear {
  using F = xsimd::batch<float, Arch>;
  static constexpr std::size_t kLanes = F::size;
  static constexpr std::size_t kMr = 4;
  static constexpr std::size_t kNr = 4 * kLanes;

  static std::size_t packed_bytes(std::size_t n, std::size_t k) {
    return round_up(round_up(n, kLanes) * k * sizeof(float), 64);
  }

  // Columns of the panel that starts at column n0, rounded up to whole vectors.
  static std::size_t panel_width(std::size_t n, std::size_t n0) {
    return n - n0 < kNr ? round_up(n - n0, kLanes) : kNr;
  }

  static void pack(const float* w, std::size_t n, std::size_t k, void* packed) {
    memset(packed, 0, packed_bytes(n, k));
    float* out = static_cast<float*>(packed);
    for (std::size_t n0 = 0; n0 < n; n0 += kNr) {
      const std::size_t width = panel_width(n, n0);
      const std::size_t columns = n - n0 < width ? n - n0 : width;
      for (std::size_t j = 0; j < columns; ++j) {
        for (std::size_t i = 0; i < k; ++i) out[i * width + j] = w[(n0 + j) * k + i];
      }
      out += width * k;
    }
  }

  // Rows x Vectors of the output at row m0, column n0; columns of it are stored.
  template <std::size_t Rows, std::size_t Vectors>
  [[gnu::flatten]] static void tile(const FloatLinearTask& task, std::size_t m0, std::size_t n0,
                                    const float* panel, std::size_t columns) {
    F acc[Rows][Vectors];
    const float* rows[Rows];
    unroll<Vectors>([&](auto v) {
      const F bias = F::load_unaligned(task.bias + n0 + v * kLanes);
      unroll<Rows>([&](auto r) { acc[r][v] = bias; });
    });
    unroll<Rows>([&](auto r) { rows[r] = task.rows[m0 + r]; });
    for (std::size_t k = 0; k < task.k; ++k, panel += Vectors * kLanes) {
      unroll<Rows>([&](auto r) {
        const F a(rows[r][k]);
        unroll<Vectors>(
            [&](auto v) { acc[r][v] = acc[r][v] + a * F::load_aligned(panel + v * kLanes); });
      });
    }
    FloatStore<Arch>::block(task, m0, n0, columns, acc);
  }

  template <std::size_t Vectors>
  static void panel_rows(const FloatLinearTask& task, std::size_t n0, const float* panel,
                         std::size_t columns) {
    std::size_t m0 = 0;
    for (; m0 + kMr <= task.m; m0 += kMr) tile<kMr, Vectors>(task, m0, n0, panel, columns);
    for (; m0 < task.m; ++m0) tile<1, Vectors>(task, m0, n0, panel, columns);
  }

  static void run(const FloatLinearTask& task) {
    const float* weights = static_cast<const float*>(task.weights);
    for (std::size_t n0 = task.n_begin; n0 < task.n_end; n0 += kNr) {
      const float* panel = weights + n0 * task.k;
      const std::size_t columns = task.n_end - n0 < kNr ? task.n_end - n0 : kNr;
      switch (round_up(columns, kLanes) / kLanes) {
        case 1:
          panel_rows<1>(task, n0, panel, columns);
          break;
        case 2:
          panel_rows<2>(task, n0, panel, columns);
          break;
        case 3:
          panel_rows<3>(task, n0, panel, columns);
          break;
        default:
          panel_rows<4>(task, n0, panel, columns);
          break;
      }
    }
  }
};

}  // namespace
}  // namespace octet::kernels
