// SPDX-License-Identifier: Apache-2.0
// Reshape, transpose and slice as what they are: each element of the output is one of the input.
#pragma once

#include <cstddef>
#include <vector>

#include "tools/convert/graph.h"

namespace octet::convert {

inline bool is_view(const Node& node) noexcept {
  return node.op == Op::reshape || node.op == Op::transpose || node.op == Op::slice;
}

// map[i]: the index within an input sample of the output sample's element i. node is a view.
std::vector<std::size_t> view_map(const Graph& graph, const Node& node);

}  // namespace octet::convert
