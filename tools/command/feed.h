// SPDX-License-Identifier: Apache-2.0
// Turns samples as files hold them into the bytes that a network's input takes.
#pragma once

#include <octet/octet.h>

#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "engine/graph.h"
#include "tools/data/array.h"

namespace octet::command {

using engine::Normalization;

// (p / 255 - mean) / std for every pixel value, computed in double and rounded once.
std::array<float, 256> pixel_values(const Normalization& normalization);

// What pixels mean to this input: what the model stores, else what the user gave, else 0,1. Throws
// octet::Error (argument) if both are there; model names the file.
Normalization pixel_meaning(const TensorInfo& input, const std::string& model,
                            const std::optional<Normalization>& given);

// Throws octet::Error (argument) unless the array's rows have as many elements as a sample of the
// input and `feed` knows how to convert them. path and model name the files.
void check_feed(const data::Array& array, const std::string& path, const TensorInfo& input,
                const std::string& model);

// Rows [begin, begin + rows) as the input takes them:
//   the input's own type          as they are
//   uint8 -> float32              pixels: (p / 255 - mean) / std
//   float32 -> uint8 pixels       saturate(rne((x * std + mean) * 255)), NaN gives 0
//   float32 -> other 8-bit        saturate(rne(x / scale) + zero_point), NaN gives the lowest code
// The result points into array or buffer. The array must have passed check_feed.
Input feed(const data::Array& array, std::size_t begin, std::size_t rows, const TensorInfo& input,
           const Normalization& pixels, std::vector<std::byte>& buffer);

}  // namespace octet::command
