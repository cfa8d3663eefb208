// SPDX-License-Identifier: Apache-2.0
// Quantize and dequantize, moved to where the engine has them: next to the nodes that compute. What
// only moves elements then runs on codes. Each rewrite keeps every value as it is; only where a
// clip of dequantized values feeds linears does a bound between two codes become the nearer one.
#include <algorithm>
#include <cmath>
#include <iterator>
#include <map>
#include <tuple>
#include <utility>

#include "engine/errors.h"
#include "tools/convert/codes.h"
#include "tools/convert/rewrite.h"
#include "tools/convert/view_map.h"

namespace octet::convert {
namespace {

bool moves_elements(const Node& node) {
  return is_view(node) || node.op == Op::concat || node.op == Op::clip;
}

// A clip of floats becomes one of their codes.
void clip_codes(Node& clip, const Encoding& encoding) {
  clip.clip_min = to_code(clip.clip_min, encoding);
  clip.clip_max = to_code(clip.clip_max, encoding);
}

// In the order of their fields.
auto key_of(const Encoding& encoding) {
  return std::tuple(encoding.dtype, encoding.scale, encoding.zero_point, encoding.offset);
}

class Folder {
 public:
  explicit Folder(Rewriter& graph) : graph_(graph) {}

  bool fold() {
    bool changed = false;
    for (auto node = graph_.nodes().begin(); node != graph_.nodes().end();) {
      const Position current = node++;
      if (current->op == Op::quantize) {
        changed = lift(current) || changed;
      } else if (moves_elements(*current)) {
        changed = fuse_clip(current) || sink(current) || changed;
      }
    }
    return changed;
  }

 private:
  using Position = Rewriter::Position;

  Position dequantizer(ValueId value) const {
    const Position node = graph_.producer(value);
    return node != graph_.none() && node->op == Op::dequantize ? node : graph_.none();
  }

  // As far up as it can go.
  bool lift(Position quantize) {
    bool changed = false;
    std::vector<Position> steps{quantize};
    while (!steps.empty()) {
      const Position step = steps.back();
      steps.pop_back();
      changed = cancel(step) || raise(step, steps) || changed;
    }
    return changed;
  }

  // quantize(dequantize(x)) of one encoding is x.
  bool cancel(Position node) {
    const Position before = dequantizer(node->inputs[0]);
    if (before == graph_.none() || before->encoding != node->encoding) return false;
    graph_.become_copy(node, before->inputs[0]);
    return true;
  }

  // quantize(move(x)) -> move(quantize(x)), where nobody else sees move(x). The new ones are put
  // into steps.
  bool raise(Position quantize, std::vector<Position>& steps) {
    const ValueId moved = quantize->inputs[0];
    const Position mover = graph_.producer(moved);
    if (mover == graph_.none() || !graph_.is_private(moved) || !moves_elements(*mover)) {
      return false;
    }
    // Above a slice there is more to quantize, and perhaps as often as there are slices.
    if (mover->op == Op::slice && !graph_.is_private(mover->inputs[0])) return false;
    std::vector<ValueId> inputs;
    for (const ValueId input : mover->inputs) {
      Node step = *quantize;
      step.inputs = {input};
      step.output = graph_.add_value(graph_.graph().values[input].name + "_quantized", input,
                                     quantize->encoding.dtype);
      inputs.push_back(step.output);
      steps.push_back(graph_.insert(mover, std::move(step)));
    }
    if (mover->op == Op::clip) clip_codes(*mover, quantize->encoding);
    graph_.set_inputs(mover, std::move(inputs));
    graph_.set_output(mover, quantize->output);
    graph_.nodes().splice(quantize, graph_.nodes(), mover);  // to where the result was made
    graph_.erase(quantize);
    return true;
  }

  bool is_copy(const Node& node) const {
    return node.op == Op::reshape && graph_.shape(node.inputs[0]) == graph_.shape(node.output);
  }

  // Whether the codes can be clipped instead of what they mean. A bound that is no code is rounded,
  // by at most half a step, for the sake of linears alone: they would compute in float.
  bool can_clip_codes(const Node& clip, const Encoding& encoding) const {
    const float lowest = to_real(static_cast<float>(engine::lowest_code(encoding.dtype)), encoding);
    const float highest =
        to_real(static_cast<float>(engine::highest_code(encoding.dtype)), encoding);
    if (clip.clip_min > highest || clip.clip_max < lowest) return false;
    const auto is_exact = [&](float bound) {
      return bound <= lowest || bound >= highest ||
             to_real(to_code(bound, encoding), encoding) == bound;
    };
    if (is_exact(clip.clip_min) && is_exact(clip.clip_max)) return true;
    return !graph_.is_output(clip.output) &&
           std::ranges::all_of(graph_.users(clip.output),
                               [](Position user) { return user->op == Op::linear; });
  }

  // move(dequantize(x)) -> dequantize(move(x)); all inputs have one encoding. Not for a mere copy,
  // which gives an output its name: it would go round and round.
  bool sink(Position move) {
    const Position first = dequantizer(move->inputs[0]);
    if (first == graph_.none() || is_copy(*move)) return false;
    const Encoding encoding = first->encoding;
    if (move->op == Op::clip && !can_clip_codes(*move, encoding)) return false;
    std::vector<ValueId> codes;
    for (const ValueId input : move->inputs) {
      const Position other = dequantizer(input);
      if (other == graph_.none() || other->encoding != encoding) return false;
      codes.push_back(other->inputs[0]);
    }
    if (move->op == Op::clip) {
      note_wasted_codes(*move, encoding);
      clip_codes(*move, encoding);
    }
    Node dequantize;
    dequantize.op = Op::dequantize;
    dequantize.name = move->name;
    dequantize.encoding = encoding;
    dequantize.output = move->output;
    graph_.set_inputs(move, std::move(codes));
    graph_.set_output(move,
                      graph_.add_value(graph_.graph().values[move->output].name + "_quantized",
                                       move->output, encoding.dtype));
    dequantize.inputs = {move->output};
    graph_.insert(std::next(move), std::move(dequantize));
    return true;
  }

  void note_wasted_codes(const Node& clip, const Encoding& encoding) {
    const float wasted =
        to_code(clip.clip_min, encoding) - static_cast<float>(engine::lowest_code(encoding.dtype));
    if (wasted < 64) return;
    graph_.graph().notes.push_back(engine::message(
        "node '", clip.name, "' (clip): its input is quantized before it, so that ", wasted,
        " of 256 codes hold what it cuts off; observe behind it (fuse Linear and ReLU before "
        "preparing the network)"));
  }

  // A clip of the codes that one linear or add makes is a bound of that node.
  bool fuse_clip(Position clip) {
    const Position quantize = graph_.producer(clip->inputs[0]);
    if (clip->op != Op::clip || quantize == graph_.none() || quantize->op != Op::quantize ||
        !graph_.is_private(quantize->output) || !graph_.is_private(quantize->inputs[0])) {
      return false;
    }
    const Position target = graph_.producer(quantize->inputs[0]);
    if (target == graph_.none() || (target->op != Op::linear && target->op != Op::add)) {
      return false;
    }
    const Encoding& encoding = quantize->encoding;
    const auto bound = [&](float x) {
      const float lo = to_real(clip->clip_min, encoding);
      const float hi = to_real(clip->clip_max, encoding);
      return std::min(std::max(x, lo), hi);
    };
    target->clip_min = bound(target->clip_min);
    target->clip_max = bound(target->clip_max);
    graph_.become_copy(clip, quantize->output);
    return true;
  }

  Rewriter& graph_;
};

}  // namespace

// Exporters give each consumer its own quantize or dequantize.
bool merge_twins(Rewriter& graph) {
  using Key = decltype(std::tuple_cat(std::tuple(ValueId{}, Op{}), key_of(Encoding{})));
  std::map<Key, ValueId> made;
  bool changed = false;
  for (auto node = graph.nodes().begin(); node != graph.nodes().end();) {
    const auto current = node++;
    if (current->op != Op::quantize && current->op != Op::dequantize) continue;
    const auto [twin, is_first] = made.emplace(
        std::tuple_cat(std::tuple(current->inputs[0], current->op), key_of(current->encoding)),
        current->output);
    if (is_first) continue;
    graph.become_copy(current, twin->second);
    graph.bypass(current);  // at once: so twins of this one's users are seen too
    changed = true;
  }
  return changed;
}

bool fold_qdq(Rewriter& graph) {
  return Folder(graph).fold();
}

}  // namespace octet::convert
