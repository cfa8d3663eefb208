// SPDX-License-Identifier: Apache-2.0
// ONNX external data: tensors in files beside the model.
#pragma once

#include <onnx/onnx.pb.h>

#include <cstddef>
#include <string>

namespace octet::convert {

// The raw bytes of a tensor whose data_location is EXTERNAL; it must have exactly `bytes`. Only
// regular files beneath the folder of model_path are read, links to such files followed: no
// absolute location, no "..". what names the tensor in messages. Throws octet::Error: format, or
// io.
std::string read_external_data(const onnx::TensorProto& tensor, std::size_t bytes,
                               const std::string& model_path, const std::string& what);

}  // namespace octet::convert
