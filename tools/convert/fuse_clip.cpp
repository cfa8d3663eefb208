// SPDX-License-Identifier: Apache-2.0
// A clamp of every element commutes with every view, so it moves up to the node that computes.
#include <algorithm>

#include "tools/convert/rewrite.h"
#include "tools/convert/view_map.h"

namespace octet::convert {
namespace {

// The linear, add or clip that alone feeds this clip, none() if there is none.
Rewriter::Position target_of(Rewriter& graph, const Node& clip) {
  ValueId value = clip.inputs[0];
  for (std::size_t views = 0; views <= kMaxViews; ++views) {
    const auto node = graph.producer(value);
    if (node == graph.none() || !graph.is_private(value)) return graph.none();
    if (node->op == Op::linear || node->op == Op::add || node->op == Op::clip) return node;
    if (!is_view(*node)) return graph.none();
    value = node->inputs[0];
  }
  return graph.none();
}

// min(max(x, lo), hi), as ONNX defines Clip.
float clamp(float x, float lo, float hi) {
  return std::min(std::max(x, lo), hi);
}

}  // namespace

bool fuse_clip(Rewriter& graph) {
  bool changed = false;
  for (auto node = graph.nodes().begin(); node != graph.nodes().end();) {
    const auto clip = node++;
    if (clip->op != Op::clip) continue;
    const auto target = target_of(graph, *clip);
    if (target == graph.none()) continue;
    const float lo = clip->clip_min;
    const float hi = clip->clip_max;
    if (!graph.bypass(clip)) continue;
    target->clip_min = clamp(target->clip_min, lo, hi);
    target->clip_max = clamp(target->clip_max, lo, hi);
    changed = true;
  }
  return changed;
}

}  // namespace octet::convert
