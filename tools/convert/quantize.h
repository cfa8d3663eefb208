// SPDX-License-Identifier: Apache-2.0
// Float graph + ranges -> quantized engine graph: post-training quantization.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "engine/graph.h"
#include "tools/convert/calibrate.h"
#include "tools/convert/graph.h"

namespace octet::convert {

struct QuantizeOptions {
  bool per_channel = true;  // weight scales
  bool symmetric =
      false;  // activations: zero point in the middle (s8, restricted range), else asymmetric u8
  // Weight scales where rounding and clipping change the weights least, by the mean square, instead
  // of where no weight is clipped.
  bool clip_weights = false;
  std::vector<std::string> keep_float;  // names of linear nodes that stay in float
  // Set: activations stay in float, weights have a scale per group of inputs.
  struct WeightOnly {
    std::size_t bits = 8;   // or 4
    std::size_t group = 0;  // 0: all inputs of an output
  };
  std::optional<WeightOnly> weight_only;
  // Activations stay in float between nodes; linear layers quantize them as they come, row by row.
  bool dynamic = false;
  // Set: the graph's inputs become uint8 pixels, real = (p / 255 - mean) / std.
  std::optional<engine::Normalization> pixels;
};

// A quantized graph that owns its constants. Moves, because its tensors point into storage.
struct QuantizedGraph {
  QuantizedGraph() = default;
  QuantizedGraph(QuantizedGraph&&) = default;
  QuantizedGraph& operator=(QuantizedGraph&&) = default;

  engine::Graph graph;
  std::vector<std::vector<std::byte>> storage;  // what graph's constant tensors point to
  std::vector<std::string> notes;  // what a user should know: raised scales, zero points, ...
};

// graph: simplified. ranges: of each value, as observed. The result has passed engine::check_graph;
// its metadata is the caller's. Throws octet::Error (argument, unsupported, format) with the node
// and a remedy, e.g. an accumulator that could overflow.
//
// How ops are lowered:
//   linear       with weight_only: group_linear, in f32; with dynamic: dynamic_linear, in f32 (of
//                pixels, whose codes are known, as below); else (but for those of keep_float) from
//                8 bits to 8 bits; straight from the accumulator to f32 where f32 is wanted (a
//                graph output, softmax), then quantized for those who want 8 bits too
//   add, concat  in 8 bits where an 8-bit op follows, else in f32; concat's inputs share its scale
//   unary and affine by one scalar: look-up tables; affine by a vector, softmax: in f32
//   clip, reshape, transpose, slice: keep the encoding of their input
// Sigmoid, hard_sigmoid, tanh and softmax take the range that they can reach, not the observed one,
// so that no input saturates them.
QuantizedGraph quantize(const Graph& graph, const std::vector<Range>& ranges,
                        const QuantizeOptions& options);

// Throws octet::Error (argument) unless the mean is in [0, 1] and the deviation in [1e-6, 1e6].
void check_pixels(const Graph& graph, const engine::Normalization& pixels);

// scale and zero point of an activation range for [qmin, qmax]: the range is widened to hold 0;
// scale = (max - min) / (qmax - qmin), zero_point = rne(qmin - min / scale), all in double, scale
// then rounded to a normal float (at least the smallest); an empty range gives scale 1. Symmetric:
// scale = max(|min|, |max|) / qmax, zero_point 0, codes in [-qmax, qmax].
struct ScaleZeroPoint {
  float scale;
  std::int32_t zero_point;
};
ScaleZeroPoint choose_asymmetric(Range range, std::int32_t qmin, std::int32_t qmax);
ScaleZeroPoint choose_symmetric(Range range, std::int32_t qmax);
// As quantize() does for activations: all of u8, or s8 in [-127, 127] around 0.
ScaleZeroPoint choose_codes(Range range, bool symmetric);

}  // namespace octet::convert
