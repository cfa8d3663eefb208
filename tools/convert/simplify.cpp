// SPDX-License-Identifier: Apache-2.0
// Repeats the passes until none finds anything, then drops the values that nobody makes.
#include "tools/convert/simplify.h"

#include <algorithm>
#include <utility>

#include "tools/convert/rewrite.h"

namespace octet::convert {
namespace {

void remove_dead_nodes(Graph& graph) {
  std::vector<bool> needed(graph.values.size());
  for (const ValueId output : graph.outputs) needed[output] = true;
  std::vector<Node> kept;
  for (auto node = graph.nodes.rbegin(); node != graph.nodes.rend(); ++node) {
    if (!needed[node->output]) continue;
    for (const ValueId input : node->inputs) needed[input] = true;
    kept.push_back(std::move(*node));
  }
  std::reverse(kept.begin(), kept.end());
  graph.nodes = std::move(kept);
}

// Renumbers, so that the graph has no value that nobody makes.
void remove_dead_values(Graph& graph) {
  std::vector<bool> alive(graph.values.size());
  for (const ValueId input : graph.inputs) alive[input] = true;
  for (const Node& node : graph.nodes) alive[node.output] = true;
  std::vector<ValueId> renamed(graph.values.size(), kNoValue);
  std::vector<Value> kept;
  for (std::size_t i = 0; i < alive.size(); ++i) {
    if (!alive[i]) continue;
    renamed[i] = static_cast<ValueId>(kept.size());
    kept.push_back(std::move(graph.values[i]));
  }
  graph.values = std::move(kept);
  for (ValueId& input : graph.inputs) input = renamed[input];
  for (ValueId& output : graph.outputs) output = renamed[output];
  for (Node& node : graph.nodes) {
    for (ValueId& input : node.inputs) input = renamed[input];
    node.output = renamed[node.output];
  }
}

}  // namespace

void simplify(Graph& graph) {
  // Real networks are done in a few rounds; where rewrites were made to wait for each other, the
  // rest of them is left out.
  constexpr int kMostRounds = 256;
  remove_dead_nodes(graph);
  Rewriter rewriter(graph);
  for (int round = 0; round < kMostRounds; ++round) {
    const bool again = simplify_views(rewriter) || fold_affine(rewriter) || fuse_clip(rewriter) ||
                       merge_twins(rewriter) || fold_qdq(rewriter);
    if (!again) break;
  }
  rewriter.finish();
  remove_dead_values(graph);
}

}  // namespace octet::convert
