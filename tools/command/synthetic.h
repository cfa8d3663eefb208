// SPDX-License-Identifier: Apache-2.0
// Inputs that are the same on every machine, for octet verify and octet bench.
#pragma once

#include <octet/octet.h>

#include <cstddef>
#include <vector>

namespace octet::command {

// Samples for every input. Input i draws from SplitMix64 with seed i, its numbers little-endian in
// the order they come. 8-bit inputs take the bytes as codes: 8 per number. float32 inputs take 16
// bits each, 4 per number, as (h - 16384) / 32768: an exact grid of [-0.5, 1.5), wider than pixels
// in [0, 1], so that quantizing saturates on both sides. Throws octet::Error (limit) if samples and
// outputs together exceed 2 GiB.
std::vector<std::vector<std::byte>> synthetic_inputs(const Model& model, std::size_t samples);

}  // namespace octet::command
