// SPDX-License-Identifier: Apache-2.0
// ONNX file -> float graph. The only place that knows protobuf and ONNX.
#pragma once

#include <string>

#include "tools/convert/graph.h"
#include "tools/convert/import_limits.h"

namespace octet::convert {

// Reads an ONNX network, float or quantized (operators: see onnx_ops.cpp; opsets 7 to 21), and
// gives its canonical graph, constants folded, shapes inferred, the leading dimension taken as the
// batch whatever its exported value. External data is read from inside the model's folder only.
// Throws octet::Error: io for a file that cannot be read, format for bytes that are not a valid
// ONNX model, limit for one that asks for absurd sizes or goes beyond limits, unsupported with ALL
// nodes that cannot be imported (up to limits.reported_nodes) in one message, each with its op,
// path and remedy.
Graph import_onnx(const std::string& path, const ImportLimits& limits = {});

}  // namespace octet::convert
