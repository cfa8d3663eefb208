// SPDX-License-Identifier: Apache-2.0
// How the NEON tables read rows, 16 codes at a time with zeros after the last, and copy parts of
// them.
#pragma once

#include <arm_neon.h>
#include <string.h>

#include <bit>

#include "kernels/kernels.h"
#include "kernels/unroll.inl"

namespace octet::kernels {
namespace {

constexpr std::size_t kCodes = 16;

inline int8x16_t load_codes(const std::uint8_t* from) {
  return vreinterpretq_s8_u8(vld1q_u8(from));
}

// Fewer than 2 * Largest bytes; Largest is a power of two. It calls nothing: blocks that call
// functions save registers.
template <std::size_t Largest>
[[gnu::always_inline]] inline void copy_part(void* to, const void* from, std::size_t bytes) {
  auto* out = static_cast<char*>(to);
  const auto* in = static_cast<const char*>(from);
  unroll<std::bit_width(Largest)>([&](auto i) {
    constexpr std::size_t kBytes = Largest >> i;
    if ((bytes & kBytes) == 0) return;
    memcpy(out, in, kBytes);
    out += kBytes;
    in += kBytes;
  });
}

// The codes from k on, 1 to 15 of them. Reads only the row: its last 16 codes, moved to the front.
inline int8x16_t load_last_codes(const std::uint8_t* row, std::size_t k, std::size_t size) {
  std::uint8_t part[kCodes] = {};
  if (size < kCodes) {
    copy_part<kCodes / 2>(part, row + k, size - k);
    return load_codes(part);
  }
  constexpr std::uint8_t kIndex[kCodes] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
  const auto known = static_cast<std::uint8_t>(kCodes - (size - k));
  // An index beyond 15 selects zero.
  const uint8x16_t index = vaddq_u8(vld1q_u8(kIndex), vdupq_n_u8(known));
  return vreinterpretq_s8_u8(vqtbl1q_u8(vld1q_u8(row + size - kCodes), index));
}

// What stands in for rows of k % Step codes more than whole steps: per row and tap the last codes,
// and zeros.
template <std::size_t Step>
struct LastCodes {
  static constexpr std::size_t kRowsPerPass = 96;

  static std::size_t scratch_bytes(std::size_t taps, std::size_t) {
    return kRowsPerPass * taps * kCodes;
  }
  static void prepare(const GemmTask& task, std::size_t first, std::size_t rows) {
    const std::size_t whole = task.k / Step * Step;
    if (whole == task.k) return;
    auto* out = static_cast<std::int8_t*>(task.scratch);
    for (std::size_t slot = 0; slot < rows; ++slot) {
      for (std::size_t tap = 0; tap < task.taps; ++tap, out += kCodes) {
        vst1q_s8(out, load_last_codes(task.rows[tap * task.m + first + slot], whole, task.k));
      }
    }
  }
  // Those of a block's first row and a tap; the next row's lie taps * kCodes further.
  static const std::int8_t* last_codes(const GemmTask& task, std::size_t slot, std::size_t tap) {
    return static_cast<const std::int8_t*>(task.scratch) + (slot * task.taps + tap) * kCodes;
  }
};

}  // namespace
}  // namespace octet::kernels
