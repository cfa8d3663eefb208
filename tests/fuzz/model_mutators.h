// SPDX-License-Identifier: Apache-2.0
// libFuzzer's custom mutators for model files.
#pragma once

#include "tests/fuzz/model_bytes.h"

namespace octet::fuzz {

// Of four inputs, one is any bytes; in three metadata or tensor data are mutated as bytes, and the
// header is made right. data has room for max_size bytes; gives the new size.
std::size_t mutate_bytes(std::uint8_t* data, std::size_t size, std::size_t max_size, unsigned seed);

// Changes fields of the model: dimensions, enums, scales, indices, counts, order; then writes it
// with a right header. Bytes that hold no model are mutated as bytes.
std::size_t mutate_fields(std::uint8_t* data, std::size_t size, std::size_t max_size,
                          unsigned seed);

}  // namespace octet::fuzz
