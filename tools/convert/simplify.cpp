// SPDX-License-Identifier: Apache-2.0
// Repeats the passes until none finds anything, then drops what no output needs.
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

Links::Links(const Graph& graph)
    : producer_(graph.values.size(), kNoNode),
      users_(graph.values.size()),
      is_output_(graph.values.size()) {
  for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
    producer_[graph.nodes[i].output] = i;
    for (const ValueId input : graph.nodes[i].inputs) users_[input].push_back(i);
  }
  for (const ValueId output : graph.outputs) is_output_[output] = true;
}

bool bypass(Graph& graph, const Links& links, std::size_t node) {
  const ValueId x = graph.nodes[node].inputs[0];
  const ValueId y = graph.nodes[node].output;
  ValueId kept = x;
  if (links.is_output(y)) {
    if (links.is_output(x) || links.producer(x) == kNoNode) return false;
    kept = y;
    graph.nodes[links.producer(x)].output = y;
  }
  const ValueId gone = kept == x ? y : x;
  for (const std::size_t user : links.users(gone)) {
    for (ValueId& input : graph.nodes[user].inputs) {
      if (input == gone) input = kept;
    }
  }
  graph.nodes.erase(graph.nodes.begin() + static_cast<std::ptrdiff_t>(node));
  return true;
}

void simplify(Graph& graph) {
  do {
    remove_dead_nodes(graph);  // a dead user would keep a value from being private
  } while (simplify_views(graph) || fold_affine(graph) || fuse_clip(graph) || fold_qdq(graph));
  remove_dead_values(graph);
}

}  // namespace octet::convert
