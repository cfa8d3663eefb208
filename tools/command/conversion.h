// SPDX-License-Identifier: Apache-2.0
// From a float network and calibration data to a quantized one: one attempt with the options as
// they are, or with --auto several, of which the best is kept.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "tools/command/command.h"
#include "tools/convert/graph.h"
#include "tools/convert/metrics.h"
#include "tools/convert/quantize.h"
#include "tools/data/dataset.h"

namespace octet::command {

// How an attempt is made, beside the options.
struct Recipe {
  std::string calibration;  // see find_calibration
  bool equalize = false;
  bool clip_weights = false;
  bool correct_bias = false;
  std::vector<std::string> keep_float;  // linear nodes
};

struct Conversion {
  convert::QuantizedGraph quantized;
  Recipe recipe;                   // what it was made by
  std::vector<std::string> notes;  // what a user should know
  convert::Evaluation cost;        // beside the float graph on the calibration samples
};

// graph: simplified, float. Throws octet::Error.
Conversion convert_with(const convert::Graph& graph, const data::Dataset& dataset,
                        const ConvertOptions& options);

// What --mode weight-only asks for; nothing for another mode.
std::optional<convert::QuantizeOptions::WeightOnly> weight_only(const ConvertOptions& options);

// The same for --mode weight-only and dynamic, which need no data; there is one attempt, and no
// cost.
convert::QuantizedGraph convert_without_data(const convert::Graph& graph,
                                             const ConvertOptions& options);

}  // namespace octet::command
