// SPDX-License-Identifier: Apache-2.0
// How the NEON tables with dot products read a row: 16 codes at a time, zeros after the last.
#pragma once

#include <arm_neon.h>
#include <string.h>

#include "kernels/kernels.h"

namespace octet::kernels {
namespace {

constexpr std::size_t kCodes = 16;

inline int8x16_t load_codes(const std::uint8_t* from) {
  return vreinterpretq_s8_u8(vld1q_u8(from));
}

// The codes from k on, 1 to 15 of them. Reads only the row: its last 16 codes, moved to the front.
inline int8x16_t load_last_codes(const std::uint8_t* row, std::size_t k, std::size_t size) {
  std::uint8_t part[kCodes] = {};
  if (size < kCodes) {
    memcpy(part, row + k, size - k);
    return load_codes(part);
  }
  constexpr std::uint8_t kIndex[kCodes] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
  const auto known = static_cast<std::uint8_t>(kCodes - (size - k));
  // An index beyond 15 selects zero.
  const uint8x16_t index = vaddq_u8(vld1q_u8(kIndex), vdupq_n_u8(known));
  return vreinterpretq_s8_u8(vqtbl1q_u8(vld1q_u8(row + size - kCodes), index));
}

}  // namespace
}  // namespace octet::kernels
