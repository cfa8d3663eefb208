// SPDX-License-Identifier: Apache-2.0
// Quantize and dequantize, moved to where the engine has them: next to the nodes that compute. What
// only moves elements then runs on codes. Each rewrite keeps every value as it is; only where a
// clip of dequantized values feeds linears does a bound between two codes become the nearer one.
#include <algorithm>
#include <cmath>
#include <utility>

#include "engine/errors.h"
#include "tools/convert/codes.h"
#include "tools/convert/rewrite.h"
#include "tools/convert/view_map.h"

namespace octet::convert {
namespace {

using engine::DType;

bool moves_elements(const Node& node) {
  return is_view(node) || node.op == Op::concat || node.op == Op::clip;
}

// A clip of floats becomes one of their codes.
void clip_codes(Node& clip, const Encoding& encoding) {
  clip.clip_min = to_code(clip.clip_min, encoding);
  clip.clip_max = to_code(clip.clip_max, encoding);
}

class Folder {
 public:
  explicit Folder(Graph& graph) : graph_(graph), links_(graph) {}

  // Makes at most one rewrite.
  bool fold() {
    for (std::size_t i = 0; i < graph_.nodes.size(); ++i) {
      const Op op = graph_.nodes[i].op;
      if (op == Op::quantize && (cancel(i) || merge_with_twin(i) || raise(i))) return true;
      if (op == Op::dequantize && merge_with_twin(i)) return true;
      if (moves_elements(graph_.nodes[i]) && (fuse_clip(i) || sink(i))) return true;
    }
    return false;
  }

 private:
  const Node* producer(ValueId value) const {
    const std::size_t index = links_.producer(value);
    return index == kNoNode ? nullptr : &graph_.nodes[index];
  }
  const Node* dequantizer(ValueId value) const {
    const Node* node = producer(value);
    return node != nullptr && node->op == Op::dequantize ? node : nullptr;
  }

  ValueId add_value(const std::string& name, ValueId like, DType dtype) {
    graph_.values.push_back({name, graph_.values[like].shape, dtype});
    return static_cast<ValueId>(graph_.values.size() - 1);
  }

  // The node only repeats x, which simplify_views() then takes out.
  void become_copy(std::size_t index, ValueId x) {
    Node copy;
    copy.op = Op::reshape;
    copy.name = std::move(graph_.nodes[index].name);
    copy.inputs = {x};
    copy.output = graph_.nodes[index].output;
    graph_.nodes[index] = std::move(copy);
  }

  // quantize(dequantize(x)) of one encoding is x.
  bool cancel(std::size_t index) {
    const Node& node = graph_.nodes[index];
    const Node* before = dequantizer(node.inputs[0]);
    if (before == nullptr || before->encoding != node.encoding) return false;
    become_copy(index, before->inputs[0]);
    return true;
  }

  // Exporters give each consumer its own quantize or dequantize.
  bool merge_with_twin(std::size_t index) {
    const Node& node = graph_.nodes[index];
    for (const std::size_t other : links_.users(node.inputs[0])) {
      const Node& twin = graph_.nodes[other];
      if (other >= index || twin.op != node.op || twin.encoding != node.encoding) continue;
      become_copy(index, twin.output);
      return true;
    }
    return false;
  }

  // quantize(move(x)) -> move(quantize(x)), where nobody else sees move(x).
  bool raise(std::size_t index) {
    const ValueId moved = graph_.nodes[index].inputs[0];
    const std::size_t at = links_.producer(moved);
    if (at == kNoNode || !links_.is_private(moved) || !moves_elements(graph_.nodes[at])) {
      return false;
    }
    // Above a slice there is more to quantize, and perhaps as often as there are slices.
    const Node& mover = graph_.nodes[at];
    if (mover.op == Op::slice && !links_.is_private(mover.inputs[0])) return false;
    const Node quantize = graph_.nodes[index];
    Node move = std::move(graph_.nodes[at]);
    std::vector<Node> steps;
    for (ValueId& input : move.inputs) {
      Node step = quantize;
      step.inputs = {input};
      step.output =
          add_value(graph_.values[input].name + "_quantized", input, quantize.encoding.dtype);
      input = step.output;
      steps.push_back(std::move(step));
    }
    if (move.op == Op::clip) clip_codes(move, quantize.encoding);
    move.output = quantize.output;
    graph_.nodes[index] = std::move(move);
    const auto place = graph_.nodes.begin() + static_cast<std::ptrdiff_t>(at);
    graph_.nodes.insert(graph_.nodes.erase(place), std::make_move_iterator(steps.begin()),
                        std::make_move_iterator(steps.end()));
    return true;
  }

  bool is_copy(const Node& node) const {
    return node.op == Op::reshape &&
           graph_.values[node.inputs[0]].shape == graph_.values[node.output].shape;
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
    return !links_.is_output(clip.output) &&
           std::ranges::all_of(links_.users(clip.output), [&](std::size_t user) {
             return graph_.nodes[user].op == Op::linear;
           });
  }

  // move(dequantize(x)) -> dequantize(move(x)); all inputs have one encoding. Not for a mere copy,
  // which gives an output its name: it would go round and round.
  bool sink(std::size_t index) {
    const Node* first = dequantizer(graph_.nodes[index].inputs[0]);
    if (first == nullptr || is_copy(graph_.nodes[index])) return false;
    const Encoding encoding = first->encoding;
    if (graph_.nodes[index].op == Op::clip && !can_clip_codes(graph_.nodes[index], encoding)) {
      return false;
    }
    for (const ValueId input : graph_.nodes[index].inputs) {
      const Node* other = dequantizer(input);
      if (other == nullptr || other->encoding != encoding) return false;
    }
    Node& move = graph_.nodes[index];
    Node dequantize;
    dequantize.op = Op::dequantize;
    dequantize.name = move.name;
    dequantize.encoding = encoding;
    dequantize.output = move.output;
    for (ValueId& input : move.inputs) input = dequantizer(input)->inputs[0];
    if (move.op == Op::clip) {
      note_wasted_codes(move, encoding);
      clip_codes(move, encoding);
    }
    move.output = add_value(graph_.values[dequantize.output].name + "_quantized", dequantize.output,
                            encoding.dtype);
    dequantize.inputs = {move.output};
    graph_.nodes.insert(graph_.nodes.begin() + static_cast<std::ptrdiff_t>(index) + 1,
                        std::move(dequantize));
    return true;
  }

  void note_wasted_codes(const Node& clip, const Encoding& encoding) {
    const float wasted =
        to_code(clip.clip_min, encoding) - static_cast<float>(engine::lowest_code(encoding.dtype));
    if (wasted < 64) return;
    graph_.notes.push_back(engine::message(
        "node '", clip.name, "' (clip): its input is quantized before it, so that ", wasted,
        " of 256 codes hold what it cuts off; observe behind it (fuse Linear and ReLU before "
        "preparing the network)"));
  }

  // A clip of the codes that one linear or add makes is a bound of that node.
  bool fuse_clip(std::size_t index) {
    const Node& clip = graph_.nodes[index];
    const Node* quantize = producer(clip.inputs[0]);
    if (clip.op != Op::clip || quantize == nullptr || quantize->op != Op::quantize ||
        !links_.is_private(quantize->output) || !links_.is_private(quantize->inputs[0])) {
      return false;
    }
    const std::size_t at = links_.producer(quantize->inputs[0]);
    if (at == kNoNode) return false;
    Node& target = graph_.nodes[at];
    if (target.op != Op::linear && target.op != Op::add) return false;
    const Encoding& encoding = quantize->encoding;
    const auto bound = [&](float x) {
      const float lo = to_real(clip.clip_min, encoding);
      const float hi = to_real(clip.clip_max, encoding);
      return std::min(std::max(x, lo), hi);
    };
    target.clip_min = bound(target.clip_min);
    target.clip_max = bound(target.clip_max);
    become_copy(index, quantize->output);
    return true;
  }

  Graph& graph_;
  const Links links_;
};

}  // namespace

bool fold_qdq(Graph& graph) {
  return Folder(graph).fold();
}

}  // namespace octet::convert
