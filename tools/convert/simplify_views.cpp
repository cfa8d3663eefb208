// SPDX-License-Identifier: Apache-2.0
// Nodes that only rename or reorder.
#include <algorithm>
#include <limits>
#include <utility>

#include "tools/convert/rewrite.h"
#include "tools/convert/view_map.h"

namespace octet::convert {
namespace {

// A permutation that moves only extents of 1 leaves the elements where they are.
bool keeps_order(const Shape& shape, const std::vector<std::size_t>& perm) {
  std::size_t last = 0;
  for (const std::size_t d : perm) {
    if (d == 0 || shape[d] == 1) continue;
    if (d < last) return false;
    last = d;
  }
  return true;
}

bool all_equal(const std::vector<float>& values, float wanted) {
  return std::all_of(values.begin(), values.end(), [=](float x) { return x == wanted; });
}

// Whether the output's elements are those of the first input, in the same order.
bool is_copy(const Graph& graph, const Node& node) {
  const Shape& in = graph.values[node.inputs[0]].shape;
  const Shape& out = graph.values[node.output].shape;
  switch (node.op) {
    case Op::transpose:
      return keeps_order(in, node.perm);
    case Op::slice:
      return in == out;
    case Op::concat:
      return node.inputs.size() == 1;
    case Op::clip:
      return node.clip_min == -std::numeric_limits<float>::infinity() &&
             node.clip_max == std::numeric_limits<float>::infinity();
    case Op::affine:
      return all_equal(node.scale, 1) && all_equal(node.shift, 0);
    default:
      return false;
  }
}

void become_reshape(Node& node) {
  Node reshape;
  reshape.name = std::move(node.name);
  reshape.op = Op::reshape;
  reshape.inputs = std::move(node.inputs);
  reshape.output = node.output;
  node = std::move(reshape);
}

// The second of two reshapes, or of two transposes, does the work of both.
bool merge_with_previous(Rewriter& graph, Rewriter::Position node) {
  const auto previous = graph.producer(node->inputs[0]);
  if (previous == graph.none() || previous->op != node->op) return false;
  if (node->op == Op::transpose) {
    for (std::size_t& d : node->perm) d = previous->perm[d];
  }
  graph.set_inputs(node, previous->inputs);
  return true;
}

bool simplify_view(Rewriter& graph, Rewriter::Position node) {
  bool changed = false;
  do {
    if (is_copy(graph.graph(), *node)) {
      become_reshape(*node);
      changed = true;
    }
    const bool reorders = node->op == Op::reshape || node->op == Op::transpose;
    if (!reorders || !merge_with_previous(graph, node)) break;
    changed = true;
  } while (true);
  const bool repeats =
      node->op == Op::reshape && graph.shape(node->inputs[0]) == graph.shape(node->output);
  return (repeats && graph.bypass(node)) || changed;
}

}  // namespace

bool simplify_views(Rewriter& graph) {
  bool changed = false;
  for (auto node = graph.nodes().begin(); node != graph.nodes().end();) {
    const auto current = node++;
    changed = simplify_view(graph, current) || changed;
  }
  return changed;
}

}  // namespace octet::convert
