// SPDX-License-Identifier: Apache-2.0
// A clamp of every element commutes with every view, so it moves up to the node that computes.
#include <algorithm>

#include "tools/convert/rewrite.h"
#include "tools/convert/view_map.h"

namespace octet::convert {
namespace {

// The linear, add or clip that alone feeds this clip, kNoNode if there is none.
std::size_t target_of(const Graph& graph, const Links& links, const Node& clip) {
  ValueId value = clip.inputs[0];
  for (;;) {
    const std::size_t index = links.producer(value);
    if (index == kNoNode || !links.is_private(value)) return kNoNode;
    const Node& node = graph.nodes[index];
    if (node.op == Op::linear || node.op == Op::add || node.op == Op::clip) return index;
    if (!is_view(node)) return kNoNode;
    value = node.inputs[0];
  }
}

// min(max(x, lo), hi), as ONNX defines Clip.
float clamp(float x, float lo, float hi) {
  return std::min(std::max(x, lo), hi);
}

}  // namespace

bool fuse_clip(Graph& graph) {
  const Links links(graph);
  for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
    const Node& clip = graph.nodes[i];
    if (clip.op != Op::clip) continue;
    const std::size_t index = target_of(graph, links, clip);
    if (index == kNoNode) continue;
    const float lo = clip.clip_min;
    const float hi = clip.clip_max;
    if (!bypass(graph, links, i)) continue;
    Node& target = graph.nodes[index];  // before the clip, so its index is still valid
    target.clip_min = clamp(target.clip_min, lo, hi);
    target.clip_max = clamp(target.clip_max, lo, hi);
    return true;
  }
  return false;
}

}  // namespace octet::convert
