// SPDX-License-Identifier: Apache-2.0
// Reads an ONNX file and says what is wrong with it; nothing here knows what an operator means.
#pragma once

#include <onnx/onnx.pb.h>

#include <cstdint>
#include <string>

#include "tools/convert/import_limits.h"

namespace octet::convert {

struct OnnxFile {
  onnx::ModelProto model;
  std::string sha256;              // of the file itself, without its external data
  std::uint64_t memory_bytes = 0;  // of model, at most
};

// Throws octet::Error: io if path is not a readable regular file, limit above protobuf's 2 GiB or
// one of the limits, format if it is not an ONNX model with a graph.
OnnxFile read_onnx_file(const std::string& path, const ImportLimits& limits = {});

}  // namespace octet::convert
