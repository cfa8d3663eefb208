// SPDX-License-Identifier: Apache-2.0
// What the simplifier's passes share: who makes and who uses a value, and how a node is taken out.
// Each pass makes at most one rewrite and says whether it did. Internal to simplify().
#pragma once

#include <cstddef>
#include <vector>

#include "tools/convert/graph.h"

namespace octet::convert {

inline constexpr std::size_t kNoNode = static_cast<std::size_t>(-1);

class Links {
 public:
  explicit Links(const Graph& graph);

  // The index of the node that makes a value, kNoNode for a graph input.
  std::size_t producer(ValueId value) const { return producer_[value]; }
  // The nodes that use a value, one entry per use.
  const std::vector<std::size_t>& users(ValueId value) const { return users_[value]; }
  bool is_output(ValueId value) const { return is_output_[value]; }
  // Nobody but one node sees it.
  bool is_private(ValueId value) const { return !is_output_[value] && users_[value].size() == 1; }

 private:
  std::vector<std::size_t> producer_;
  std::vector<std::vector<std::size_t>> users_;
  std::vector<bool> is_output_;
};

// Takes out a node whose output equals its first input: one value takes the place of both, under
// the name of a graph output if one of them is. False, and nothing done, where both are seen from
// outside.
bool bypass(Graph& graph, const Links& links, std::size_t node);

// Nodes that change nothing (a reshape to the same shape, a clip at infinity, ...), chains of
// reshapes or of transposes.
bool simplify_views(Graph& graph);
// An affine into the linear or affine before it, or into all linears after it, also through views.
bool fold_affine(Graph& graph);
// A clip into the linear, add or clip before it, also through views.
bool fuse_clip(Graph& graph);
// quantize and dequantize to the nodes that compute, where they come from a quantized graph.
bool fold_qdq(Graph& graph);

}  // namespace octet::convert
