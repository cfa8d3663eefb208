// SPDX-License-Identifier: Apache-2.0
#include "tools/command/imitation.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "kernels/dispatch.h"
#include "tools/convert/codes.h"
#include "tools/convert/float_executor.h"
#include "tools/convert/metrics.h"

namespace octet::command {
namespace {

using convert::ValueId;
using engine::OpType;

struct Parameters {
  std::vector<float> weight;
  std::vector<float> bias;
};

// What the model's weights and bias mean, for inputs that are real numbers; empty of other nodes.
Parameters real_parameters(const engine::Graph& model, const engine::Node& node, float offset) {
  const bool grouped = node.op == OpType::group_linear;
  if (!grouped && node.op != OpType::linear && node.op != OpType::dynamic_linear) return {};
  const engine::Tensor& x = model.tensors[node.inputs[0]];
  const engine::Tensor& scales = model.tensors[node.inputs[2]];
  const engine::Tensor& bias = model.tensors[node.inputs[3]];
  const auto k = static_cast<std::size_t>(x.shape.back());
  const std::vector<std::int8_t> codes = engine::weight_codes(model.tensors[node.inputs[1]], k);
  const std::size_t groups = grouped ? static_cast<std::size_t>(scales.shape[1]) : 1;
  Parameters result;
  for (std::size_t m = 0; m * k < codes.size(); ++m) {
    const auto scale = [&](std::size_t i) {
      if (grouped) return engine::element<float>(scales, m * groups + i / node.group);
      return engine::element<float>(scales, scales.shape[0] == 1 ? 0 : m);
    };
    double sum = 0;
    for (std::size_t i = 0; i < k; ++i) {
      result.weight.push_back(scale(i) * static_cast<float>(codes[m * k + i]));
      sum += double{result.weight.back()};
    }
    if (node.op == OpType::linear) {
      const double code = engine::element<std::int32_t>(bias, m);
      const double real = code * double{x.scale * scale(0)} - double{offset} * sum;
      result.bias.push_back(static_cast<float>(real));
    } else {
      result.bias.push_back(engine::element<float>(bias, m));
    }
  }
  return result;
}

}  // namespace

Imitation::Imitation(const convert::Graph& original, CalibrationSource& source,
                     std::span<const float> expected)
    : original_(original), source_(source), expected_(expected) {}

// Then their codes are taken to be the linears'.
bool Imitation::feeds_linears_only(ValueId value) const {
  return std::ranges::none_of(original_.nodes, [&](const convert::Node& node) {
    return node.op != convert::Op::linear && std::ranges::count(node.inputs, value) != 0;
  });
}

void Imitation::add(std::size_t index, const engine::Graph& model, const engine::Node& node,
                    const std::vector<float>& offsets) {
  Pair pair;
  pair.index = index;
  const convert::Node& original = original_.nodes[index];
  const auto rounding = [&](std::uint32_t tensor) -> std::optional<Rounding> {
    const engine::Tensor& t = model.tensors[tensor];
    if (!engine::is_q8(t.dtype)) return {};
    return Rounding{{t.dtype, t.scale, t.zero_point, 0}, offsets[tensor], 0};
  };
  const bool is_linear = original.op == convert::Op::linear;
  if (is_linear) pair.input = rounding(node.inputs[0]);
  // A quantize is a second form of its value: those that compute with it read the first.
  if (node.op != OpType::quantize && (!is_linear || !feeds_linears_only(original.output))) {
    pair.output = rounding(node.output);
  }
  if (node.op == OpType::dynamic_linear) {
    const convert::Shape& shape = original_.values[original.inputs[0]].shape;
    pair.input = Rounding{{}, 0, convert::elements_behind(shape, node.axis - 1)};
  }
  Parameters parameters = real_parameters(model, node, offsets[node.inputs[0]]);
  if (is_linear && parameters.weight.size() == original.weight.size()) {
    pair.weight = std::move(parameters.weight);
    pair.bias = std::move(parameters.bias);
  }
  pairs_.push_back(std::move(pair));
}

Effect Imitation::alone(std::size_t pair) const {
  return measure([pair](std::size_t other) { return other == pair; });
}

Effect Imitation::without(std::size_t pair) const {
  return measure([pair](std::size_t other) { return other != pair; });
}

// The original with the pairs' weights, and a copy of each value that goes through a node's own
// codes.
struct Imitation::Changed {
  convert::Graph graph;
  std::vector<const Rounding*> roundings;  // of each value; null: as it is

  // The value that a node reads instead of value, rounded.
  ValueId add_copy(ValueId value, const Rounding& rounding) {
    convert::Node copy;
    copy.op = convert::Op::reshape;
    copy.inputs = {value};
    copy.output = static_cast<ValueId>(graph.values.size());
    graph.values.push_back(convert::Value(graph.values[value]));
    roundings.push_back(&rounding);
    graph.nodes.push_back(std::move(copy));
    return graph.nodes.back().output;
  }
};

Imitation::Changed Imitation::change(const std::function<bool(std::size_t pair)>& imitates) const {
  std::vector<const Rounding*> inputs(original_.nodes.size());
  std::vector<const Pair*> weights(original_.nodes.size());
  Changed result;
  result.graph.source = original_.source;
  result.graph.values = original_.values;
  result.graph.inputs = original_.inputs;
  result.graph.outputs = original_.outputs;
  result.roundings.resize(original_.values.size());
  for (std::size_t i = 0; i < pairs_.size(); ++i) {
    const Pair& pair = pairs_[i];
    if (!imitates(i)) continue;
    if (pair.input) inputs[pair.index] = &*pair.input;
    if (pair.output) result.roundings[original_.nodes[pair.index].output] = &*pair.output;
    if (!pair.weight.empty()) weights[pair.index] = &pair;
  }
  for (std::size_t i = 0; i < original_.nodes.size(); ++i) {
    convert::Node node = original_.nodes[i];
    if (inputs[i] != nullptr) node.inputs[0] = result.add_copy(node.inputs[0], *inputs[i]);
    if (weights[i] != nullptr) {
      node.weight = weights[i]->weight;
      node.bias = weights[i]->bias;
    }
    result.graph.nodes.push_back(std::move(node));
  }
  return result;
}

// x through codes and back; those of a dynamic_linear each run's own.
void Imitation::round(std::span<const float> x, const Rounding& rounding, std::vector<float>& y) {
  const engine::DynamicQuantizer quantizer(*kernels::find_table("scalar"));
  const std::size_t run = rounding.dynamic_run == 0 ? x.size() : rounding.dynamic_run;
  y.clear();
  for (std::size_t begin = 0; begin < x.size(); begin += run) {
    const auto part = x.subspan(begin, run);
    const convert::Encoding encoding =
        rounding.dynamic_run == 0 ? rounding.encoding : convert::dynamic_encoding(quantizer, part);
    for (const float v : part) {
      y.push_back(convert::round_trip(v - rounding.offset, encoding) + rounding.offset);
    }
  }
}

Effect Imitation::measure(const std::function<bool(std::size_t pair)>& imitates) const {
  const Changed changed = change(imitates);
  convert::FloatExecutor executor(changed.graph);
  std::vector<std::vector<float>> coded(changed.graph.values.size());
  const auto through_codes = [&](ValueId value, std::span<const float> x) {
    const Rounding* rounding = changed.roundings[value];
    if (rounding == nullptr) return x;
    round(x, *rounding, coded[value]);
    return std::span<const float>(coded[value]);
  };
  convert::Evaluation evaluation;
  std::vector<std::span<const float>> inputs;
  std::size_t done = 0;
  source_.reset();
  while (const std::size_t batch = source_.next(inputs)) {
    const auto got = executor.run(inputs, batch, {}, through_codes)[0];
    const std::size_t classes = got.size() / batch;
    for (std::size_t i = 0; i < got.size(); i += classes) {
      evaluation.add(-1, got.subspan(i, classes), expected_.subspan(done + i, classes));
    }
    done += got.size();
  }
  return {evaluation.sqnr_db(),
          static_cast<std::size_t>(std::llround((1 - evaluation.agreement()) *
                                                static_cast<double>(evaluation.samples())))};
}

}  // namespace octet::command
