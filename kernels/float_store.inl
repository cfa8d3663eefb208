// SPDX-License-Identifier: Apache-2.0
// How float_linear and group_linear store a register block: through memory, by one function,
// because a copy of it in every block would be half of their code, and a block is k times as much
// work.
#pragma once

#include <string.h>

#include <xsimd/xsimd.hpp>

#include "kernels/kernels.h"
#include "kernels/unroll.inl"
#include "kernels/vectors.inl"

namespace octet::kernels {
namespace {

template <class Arch>
struct FloatStore {
  using V = Vectors<Arch>;
  using F = xsimd::batch<float, Arch>;

  // acc at row m0, column n0 of the output; columns of it are stored.
  template <std::size_t Rows, std::size_t Vectors>
  [[gnu::always_inline]] static void block(const FloatLinearTask& task, std::size_t m0,
                                           std::size_t n0, std::size_t columns,
                                           const F (&acc)[Rows][Vectors]) {
    alignas(64) float y[Rows * Vectors * F::size];
    unroll<Rows>([&](auto r) {
      unroll<Vectors>([&](auto v) { acc[r][v].store_aligned(y + (r * Vectors + v) * F::size); });
    });
    rows(task, y, Rows, Vectors * F::size, task.c + m0 * task.ldc + n0, columns);
  }

 private:
  // y[count][width], clamped where it is.
  [[gnu::noinline]] static void rows(const FloatLinearTask& task, float* y, std::size_t count,
                                     std::size_t width, float* c, std::size_t columns) {
    const F min(task.min);
    const F max(task.max);
    for (std::size_t r = 0; r < count; ++r, y += width, c += task.ldc) {
      for (std::size_t j = 0; j < width; j += F::size) {
        V::less(V::greater(F::load_aligned(y + j), min), max).store_aligned(y + j);
      }
      memcpy(c, y, columns * sizeof(float));
    }
  }
};

}  // namespace
}  // namespace octet::kernels
