// SPDX-License-Identifier: Apache-2.0
// numpy's .npy files, versions 1 to 3: a Python dict with type, order and shape, then the data.
#pragma once

#include <cstddef>
#include <limits>
#include <span>
#include <string>
#include <vector>

#include "tools/data/array.h"

namespace octet::data {

// Reads a file and keeps its first max_rows rows. uint8, int8, int32, int64, float32 and float64,
// little-endian, C order. Throws octet::Error: io for a file that cannot be read, format for bytes
// that are no .npy file or fewer or more of them than the header declares, unsupported for another
// type or Fortran order, limit for a shape above kMaxArrayBytes.
Array read_npy(const std::string& path,
               std::size_t max_rows = std::numeric_limits<std::size_t>::max());

// A whole version 1 file, its data 64-byte aligned.
std::vector<std::byte> npy_file(ArrayType type, std::span<const std::size_t> shape,
                                std::span<const std::byte> data);

}  // namespace octet::data
