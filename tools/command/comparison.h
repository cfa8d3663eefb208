// SPDX-License-Identifier: Apache-2.0
// A model beside the float network it was made from, node by node, on a data set.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "engine/graph.h"
#include "tools/command/feed.h"
#include "tools/command/imitation.h"
#include "tools/convert/graph.h"
#include "tools/convert/metrics.h"
#include "tools/data/dataset.h"

namespace octet::command {

// Counts of values in equal bins from low to high.
struct Histogram {
  static constexpr std::size_t kBins = 96;
  double low = 0;
  double high = 0;
  std::vector<std::uint64_t> counts = std::vector<std::uint64_t>(kBins);
};

// A node's output beside the value of the same name in the float network.
struct NodeComparison {
  std::string name;
  std::string op;
  engine::DType dtype = engine::DType::f32;
  double sqnr_db = 0;  // of the node's values, all errors before it included
  double cosine = 0;
  Histogram values;  // of the float network
  Effect alone;      // this node in int8, all others in float
  Effect left_out;   // this node in float, all others in int8
  // Of 8 bits:
  double lowest = 0;  // what the codes can say
  double highest = 0;
  double used = 0;     // part of the 256 codes from the first to the last that occurs
  double clipped = 0;  // part of the float values outside [lowest, highest]
  double wasted = 0;   // part of the codes on the side of zero that no float value reaches
  // Of linears with weights:
  double accumulator = 0;  // largest |bias| + sum |w| * max |a - zero_point| as part of 2^31
  Histogram weights;       // of the float network
};

struct Flip {
  std::size_t sample;
  std::size_t label;  // only with labels
  std::size_t expected;
  std::size_t got;
  double margin;  // between the float network's best and second logit
};

struct Comparison {
  std::vector<NodeComparison> nodes;   // in the model's order
  std::vector<std::string> unmatched;  // nodes whose output the float network does not have
  std::vector<Flip> flips;             // the smallest margin first
  convert::Evaluation total;
  std::size_t classes = 0;
  bool has_labels = false;
};

// graph: of the model file; original: simplified. The data are run whole, so that memory grows with
// samples times activations. Throws octet::Error.
Comparison compare_networks(const engine::Graph& graph, const std::string& model_path,
                            convert::Graph original, const data::Dataset& dataset,
                            const std::optional<Normalization>& normalization);

}  // namespace octet::command
