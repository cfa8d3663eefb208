// SPDX-License-Identifier: Apache-2.0
// A quantized float graph, as the importer makes it of QDQ and of QOperator files -> engine graph.
#pragma once

#include <optional>

#include "engine/graph.h"
#include "tools/convert/graph.h"
#include "tools/convert/quantize.h"

namespace octet::convert {

// Whether the graph brings its own scales: then it is lowered, else quantize() is to choose them.
bool is_quantized(const Graph& graph) noexcept;

// graph: simplified, with its own quantize and dequantize nodes, whose scales are kept. pixels: the
// float inputs become uint8 pixels, real = (p / 255 - mean) / std. The result has passed
// engine::check_graph. Throws octet::Error (unsupported, format) with the node and a remedy.
//
// The folding, the same for every file:
//   linear   between dequantize and quantize: one step from 8 bits to 8 bits, requantized once;
//   with
//            floats wanted: from the accumulator to f32. The bias is rounded to the scale of the
//            input times that of the weights. Weights of q - zero_point outside int8 are written as
//            a sum of up to three parts, exact at as many times the work.
//            Without integer weights, or on floats: in f32
//   add      between dequantize and quantize: in 8 bits, as QLinearAdd; else in f32
//   unary and affine by one scalar between dequantize and quantize: a look-up table
//            To s32, the sums alone, where the file shows them. A dynamic one: dynamic_linear
//   views, concat and clip: on codes; quantize of dequantize: requantize
//   softmax, affine by a vector: in f32
QuantizedGraph lower_quantized(const Graph& graph,
                               const std::optional<engine::Normalization>& pixels);

}  // namespace octet::convert
