// SPDX-License-Identifier: Apache-2.0
// libFuzzer's custom mutator for ONNX files.
#pragma once

#include "tests/fuzz/fuzz.h"

namespace octet::fuzz {

// Of four inputs, one is any bytes; three are the message with a few of its fields changed, so that
// most of it stays a network. data has room for max_size bytes; gives the new size.
std::size_t mutate_onnx(std::uint8_t* data, std::size_t size, std::size_t max_size, unsigned seed);

}  // namespace octet::fuzz
