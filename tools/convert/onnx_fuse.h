// SPDX-License-Identifier: Apache-2.0
// Dynamic quantization as exporters spell it out, written as the one operator that it is.
#pragma once

#include <onnx/onnx.pb.h>

#include <string>

namespace octet::convert {

// Rewrites, where an ONNX graph has all of a pattern:
//   - ONNX's definition of DynamicQuantizeLinear, from ReduceMin to QuantizeLinear, into that;
//   - MatMulInteger of its codes, Cast and Mul by both scales, or com.microsoft's
//     MatMulIntegerToFloat, into DynamicQuantizeMatMul of com.microsoft.
// The results keep their names; nodes that nobody needs any more may stay. path: for messages.
void fuse_dynamic_quantization(onnx::GraphProto& graph, const std::string& path);

}  // namespace octet::convert
