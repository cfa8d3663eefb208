// SPDX-License-Identifier: Apache-2.0
// What can be proved of a model's nodes from the file alone.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "engine/graph.h"

namespace octet::command {

enum class Arithmetic {
  none,  // moves elements, or brings them from one form into another
  int8,
  floats,
};

struct NodeProof {
  Arithmetic arithmetic = Arithmetic::none;
  std::string why;  // of floats
  // Of each output channel of an integer linear, what no input can exceed:
  // |bias| + sum |w| * max |a - zero_point|. Below 2^31, or the file does not load.
  std::vector<std::int64_t> accumulators;
};

// node: of the graph, which was checked.
NodeProof prove(const engine::Graph& graph, const engine::Node& node);

// The largest accumulator as part of 2^31; 0 where there is none.
double largest_accumulator(const NodeProof& proof) noexcept;

// Throws octet::Error (unsupported) with the nodes that compute in float, each with the reason.
void check_strict(const engine::Graph& graph, const std::string& source);

}  // namespace octet::command
