// SPDX-License-Identifier: Apache-2.0
// Dynamic quantization as exporters spell it out, written as the one operator that it is.
#pragma once

#include <onnx/onnx.pb.h>

#include <string>

namespace octet::convert {

// Rewrites, where an ONNX graph has all of it:
//   ReduceMin, ReduceMax, ... Cast, QuantizeLinear (ONNX's definition of it)  ->
//   DynamicQuantizeLinear DynamicQuantizeLinear, MatMulInteger, Cast, Mul by both scales, or
//   MatMulIntegerToFloat of com.microsoft                    -> DynamicQuantizeMatMul of
//   com.microsoft
// The results keep their names; nodes that nobody needs any more may stay. path: for messages.
void fuse_dynamic_quantization(onnx::GraphProto& graph, const std::string& path);

}  // namespace octet::convert
