// SPDX-License-Identifier: Apache-2.0
// XXH64, the published 64-bit checksum of Yann Collet (xxhash.com): fast, against damage, not
// against intent.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace octet::engine {

std::uint64_t xxh64(std::span<const std::byte> bytes, std::uint64_t seed) noexcept;

}  // namespace octet::engine
