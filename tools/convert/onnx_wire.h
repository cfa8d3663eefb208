// SPDX-License-Identifier: Apache-2.0
// Looks at an ONNX file's bytes before protobuf does, whose messages may take 100 times a hostile
// file's size.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "tools/convert/import_limits.h"

namespace octet::convert {

// Walks protobuf's wire format from end to end, and allocates nothing. Returns the memory that
// parsing takes at most, without the bytes themselves. Throws octet::Error that begins with path:
// format where a field is cut off, leaves its message, has another wire type than onnx.proto gives
// it, or is a group; limit where messages nest deeper than limits.nesting, or where the bytes and
// what is parsed from them take more than limits.memory_bytes. Fields that onnx.proto does not
// have, those of later versions, are counted and left alone.
std::uint64_t check_wire(std::string_view bytes, const std::string& path,
                         const ImportLimits& limits);

}  // namespace octet::convert
