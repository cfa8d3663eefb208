// SPDX-License-Identifier: Apache-2.0
// Reads an ONNX file and says what is wrong with it; nothing here knows what an operator means.
#pragma once

#include <onnx/onnx.pb.h>

#include <cstddef>
#include <string>

namespace octet::convert {

struct OnnxFile {
  onnx::ModelProto model;
  std::string sha256;  // of the file itself, without its external data
};

// Throws octet::Error: io if path is not a readable regular file, limit above protobuf's 2 GiB,
// format if it is not an ONNX model with a graph.
OnnxFile read_onnx_file(const std::string& path);

// `bytes` bytes of a regular file from offset on. what stands for the path in messages. Throws
// octet::Error: io, or format if the file is too short.
std::string read_bytes(const std::string& path, const std::string& what, std::size_t offset,
                       std::size_t bytes);

}  // namespace octet::convert
