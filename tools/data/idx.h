// SPDX-License-Identifier: Apache-2.0
// IDX files, the format of MNIST: 00 00 type rank, then the extents and the data, big-endian.
#pragma once

#include <cstddef>
#include <limits>
#include <string>

#include "tools/data/array.h"

namespace octet::data {

// Reads a file of unsigned bytes, plain or gzipped, and keeps its first max_rows rows; the rest is
// read and checked too. Throws octet::Error: io for a file that cannot be read, format for bytes
// that are no IDX file or fewer or more of them than the header declares, unsupported for another
// element type, limit for a header that declares more than the file can hold.
Array read_idx(const std::string& path,
               std::size_t max_rows = std::numeric_limits<std::size_t>::max());

}  // namespace octet::data
