// SPDX-License-Identifier: Apache-2.0
// SHA-256 (FIPS 180-4): what a model was made from, and what `octet verify` compares.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>

namespace octet::data {

// Streaming: update() as often as wanted, then hex() once.
class Sha256 {
 public:
  void update(const void* data, std::size_t bytes) noexcept;

  // 64 lower-case digits; ends the stream, the object is not used afterwards.
  std::string hex();

 private:
  void block(const std::uint8_t* bytes) noexcept;

  std::array<std::uint32_t, 8> state_{0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                      0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
  std::array<std::uint8_t, 64> buffer_{};
  std::uint64_t bytes_ = 0;  // of the whole stream; the buffer holds bytes_ % 64
};

std::string sha256_hex(const void* data, std::size_t bytes);

}  // namespace octet::data
