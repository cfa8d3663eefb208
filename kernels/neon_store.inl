// SPDX-License-Identifier: Apache-2.0
// The fused epilogue of the NEON tables, whose register blocks are one or two vectors of 4 columns.
// Part of a panel is stored to a whole block on the stack and copied from there.
#pragma once

#include <arm_neon.h>

#include "kernels/gemm_loop.inl"

namespace octet::kernels {
namespace {

struct NeonStore {
  static constexpr std::size_t kLanes = 4;

  template <std::size_t Rows, std::size_t Vectors>
  using Acc = int32x4_t[Rows][Vectors];

  template <std::size_t Rows, std::size_t Vectors>
  [[gnu::always_inline]] static inline void store(const GemmTask& task, const Block& block,
                                                  const Acc<Rows, Vectors>& acc) {
    const Store kind = task.epilogue.store;
    const std::size_t element = kind == Store::q8 ? 1 : 4;
    // A row of codes is one store of 8 bytes.
    const bool whole = block.columns == (kind == Store::q8 ? 8 : kLanes * Vectors);
    alignas(16) char part[Rows][16 * Vectors];
    char* c = static_cast<char*>(task.c) + block.row * task.ldc + block.column * element;
    char* out = whole ? c : part[0];
    const std::size_t stride = whole ? task.ldc : sizeof part[0];
    switch (kind) {
      case Store::q8:
        store_q8(task, block, acc, out, stride);
        break;
      case Store::f32:
        store_f32(task, block, acc, out, stride);
        break;
      case Store::s32:
        unroll<Rows>([&](auto r) {
          unroll<Vectors>([&](auto v) {
            vst1q_s32(reinterpret_cast<std::int32_t*>(out + r * stride + 16 * v), acc[r][v]);
          });
        });
        break;
    }
    if (whole) return;
    for (std::size_t r = 0; r < Rows; ++r) {
      memcpy(c + r * task.ldc, part[r], block.columns * element);
    }
  }

  [[gnu::always_inline]] static inline float32x4_t product(const GemmTask& task, const Block& block,
                                                           int32x4_t acc, std::size_t v) {
    const float32x4_t mult = vld1q_f32(task.epilogue.mult + block.column + kLanes * v);
    return vmulq_f32(vcvtq_f32_s32(acc), mult);
  }

  // Every narrowing saturates, from the conversion (vcvtn rounds half to even) on: the clamp to
  // [lo, hi] at the end is the same as one in the reals.
  template <std::size_t Rows, std::size_t Vectors>
  [[gnu::always_inline]] static inline void store_q8(const GemmTask& task, const Block& block,
                                                     const Acc<Rows, Vectors>& acc, char* out,
                                                     std::size_t stride) {
    const Epilogue& e = task.epilogue;
    const int8x8_t lo = vdup_n_s8(static_cast<std::int8_t>(e.lo));
    const int8x8_t hi = vdup_n_s8(static_cast<std::int8_t>(e.hi));
    const int16x8_t zero_point = vdupq_n_s16(static_cast<std::int16_t>(e.zero_point));
    unroll<Rows>([&](auto r) {
      int16x4_t q[2] = {vdup_n_s16(0), vdup_n_s16(0)};
      unroll<Vectors>(
          [&](auto v) { q[v] = vqmovn_s32(vcvtnq_s32_f32(product(task, block, acc[r][v], v))); });
      const int8x8_t codes = vqmovn_s16(vqaddq_s16(vcombine_s16(q[0], q[1]), zero_point));
      vst1_s8(reinterpret_cast<std::int8_t*>(out + r * stride), vmin_s8(vmax_s8(codes, lo), hi));
    });
  }

  // Comparisons and selections instead of vmaxq and vminq, which order -0 and +0 where the
  // reference does not.
  template <std::size_t Rows, std::size_t Vectors>
  [[gnu::always_inline]] static inline void store_f32(const GemmTask& task, const Block& block,
                                                      const Acc<Rows, Vectors>& acc, char* out,
                                                      std::size_t stride) {
    const float32x4_t min = vdupq_n_f32(task.epilogue.min);
    const float32x4_t max = vdupq_n_f32(task.epilogue.max);
    unroll<Rows>([&](auto r) {
      unroll<Vectors>([&](auto v) {
        float32x4_t y = product(task, block, acc[r][v], v);
        y = vbslq_f32(vcgtq_f32(y, min), y, min);
        y = vbslq_f32(vcltq_f32(y, max), y, max);
        vst1q_f32(reinterpret_cast<float*>(out + r * stride + 16 * v), y);
      });
    });
  }
};

}  // namespace
}  // namespace octet::kernels
