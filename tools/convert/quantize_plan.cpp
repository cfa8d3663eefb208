// SPDX-License-Identifier: Apache-2.0
// One walk forwards for ranges, one backwards for what consumers want.
#include "tools/convert/quantize_plan.h"

#include <algorithm>

#include "tools/convert/view_map.h"

namespace octet::convert {
namespace {

Range unite(Range a, Range b) {
  return {std::min(a.min, b.min), std::max(a.max, b.max)};
}

// The observed range. Sigmoids and the like get no wider one, such as [0, 1]: a rare event's
// probabilities would share a few codes, and a table cannot leave the range of its input anyway.
Range range_of(const Node& node, const std::vector<Range>& ranges) {
  Range range = ranges[node.inputs[0]];
  if (is_view(node)) return range;
  if (node.op == Op::concat) {
    for (const ValueId input : node.inputs) range = unite(range, ranges[input]);
    return range;
  }
  return ranges[node.output];
}

Encoding encode(Range range, bool symmetric) {
  const ScaleZeroPoint chosen = choose_codes(range, symmetric);
  return {symmetric ? engine::DType::s8 : engine::DType::u8, chosen.scale, chosen.zero_point, 0};
}

// The form or forms in which a node takes its inputs, given those wanted of its output.
ValuePlan wanted_of_inputs(const Node& node, const ValuePlan& output,
                           const std::vector<bool>& pixels, const QuantizeOptions& options) {
  switch (node.op) {
    case Op::linear: {
      const bool integer = linear_form(node, pixels, options) == LinearForm::integer;
      return {integer, !integer, {}};
    }
    case Op::unary:
      return {true, false, {}};
    case Op::softmax:
    case Op::log_softmax:
      return {false, true, {}};
    case Op::affine: {
      const bool table = node.scale.size() == 1 && output.codes;
      return {table, !table, {}};
    }
    case Op::add:
      return {output.codes, !output.codes, {}};
    case Op::clip:
    case Op::reshape:
    case Op::transpose:
    case Op::slice:
    case Op::concat:
    case Op::quantize:
    case Op::dequantize:
    case Op::sums:
    case Op::dynamic_quantize:
    case Op::dynamic_scale:
    case Op::dynamic_zero_point:
      return output;
  }
  return output;
}

}  // namespace

LinearForm linear_form(const Node& node, const std::vector<bool>& pixels,
                       const QuantizeOptions& options) {
  if (std::ranges::find(options.keep_float, node.name) != options.keep_float.end()) {
    return LinearForm::floats;
  }
  if (options.weight_only) return LinearForm::groups;
  return options.dynamic && !pixels[node.inputs[0]] ? LinearForm::dynamic : LinearForm::integer;
}

std::vector<bool> find_pixels(const Graph& graph, const QuantizeOptions& options) {
  std::vector<bool> pixels(graph.values.size());
  if (!options.pixels) return pixels;
  for (const ValueId input : graph.inputs) pixels[input] = true;
  for (const Node& node : graph.nodes) {
    if (is_view(node)) pixels[node.output] = pixels[node.inputs[0]];
  }
  return pixels;
}

Encoding pixel_encoding(const engine::Normalization& pixels) {
  const double std = pixels.std;
  return {engine::DType::u8, static_cast<float>(1 / (255 * std)), 0, -double{pixels.mean} / std};
}

std::vector<ValuePlan> plan_quantization(const Graph& graph, const std::vector<Range>& observed,
                                         const QuantizeOptions& options) {
  std::vector<Range> ranges = observed;
  if (options.pixels) {
    const double mean = options.pixels->mean;
    const double std = options.pixels->std;
    for (const ValueId input : graph.inputs) {
      ranges[input] = {static_cast<float>(-mean / std), static_cast<float>((1 - mean) / std)};
    }
  }
  std::vector<std::size_t> uses(graph.values.size());
  for (const Node& node : graph.nodes) {
    ranges[node.output] = range_of(node, ranges);
    for (const ValueId input : node.inputs) ++uses[input];
  }
  std::vector<ValuePlan> plan(graph.values.size());
  for (std::size_t i = 0; i < plan.size(); ++i) {
    plan[i].encoding = encode(ranges[i], options.symmetric);
  }
  for (const ValueId output : graph.outputs) {
    plan[output].reals = true;
    ++uses[output];
  }
  const std::vector<bool> pixels = find_pixels(graph, options);
  for (auto node = graph.nodes.rbegin(); node != graph.nodes.rend(); ++node) {
    const ValuePlan wanted = wanted_of_inputs(*node, plan[node->output], pixels, options);
    const bool keeps_encoding = is_view(*node) || node->op == Op::clip || node->op == Op::concat;
    for (const ValueId input : node->inputs) {
      plan[input].codes |= wanted.codes;
      plan[input].reals |= wanted.reals;
      if (keeps_encoding && uses[input] == 1) {
        plan[input].encoding = plan[node->output].encoding;
      }
    }
  }
  return plan;
}

}  // namespace octet::convert
