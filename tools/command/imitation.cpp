// SPDX-License-Identifier: Apache-2.0
#include "tools/command/imitation.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <utility>

#include "engine/ops/dynamic.h"
#include "kernels/dispatch.h"
#include "tools/convert/codes.h"
#include "tools/convert/float_executor.h"
#include "tools/convert/metrics.h"

namespace octet::command {
namespace {

using convert::ValueId;
using engine::OpType;

template <class T>
T element(const engine::Tensor& constant, std::size_t i) {
  T value;
  std::memcpy(&value, constant.data.data() + i * sizeof value, sizeof value);
  return value;
}

// Row m, column i of weights of 8 bits, or of 4, the low nibble first.
int code_at(const engine::Tensor& weight, std::size_t k, std::size_t m, std::size_t i) {
  if (weight.dtype == engine::DType::s8) return element<std::int8_t>(weight, m * k + i);
  const unsigned byte = element<std::uint8_t>(weight, m * ((k + 1) / 2) + i / 2);
  return static_cast<int>((i % 2 == 0 ? byte & 15 : byte >> 4) ^ 8) - 8;
}

struct Parameters {
  std::vector<float> weight;
  std::vector<float> bias;
};

// What the model's weights and bias mean, for inputs that are real numbers; empty of other nodes.
Parameters real_parameters(const engine::Graph& model, const engine::Node& node, float offset) {
  const bool grouped = node.op == OpType::group_linear;
  if (!grouped && node.op != OpType::linear && node.op != OpType::dynamic_linear) return {};
  const engine::Tensor& x = model.tensors[node.inputs[0]];
  const engine::Tensor& weight = model.tensors[node.inputs[1]];
  const engine::Tensor& scales = model.tensors[node.inputs[2]];
  const engine::Tensor& bias = model.tensors[node.inputs[3]];
  const auto k = static_cast<std::size_t>(x.shape.back());
  const auto rows = static_cast<std::size_t>(weight.shape[0]);
  const std::size_t groups = grouped ? static_cast<std::size_t>(scales.shape[1]) : 1;
  Parameters result;
  for (std::size_t m = 0; m < rows; ++m) {
    const auto scale = [&](std::size_t i) {
      if (grouped) return element<float>(scales, m * groups + i / node.group);
      return element<float>(scales, scales.shape[0] == 1 ? 0 : m);
    };
    double sum = 0;
    for (std::size_t i = 0; i < k; ++i) {
      result.weight.push_back(scale(i) * static_cast<float>(code_at(weight, k, m, i)));
      sum += double{result.weight.back()};
    }
    const double real =
        node.op == OpType::linear
            ? static_cast<double>(element<std::int32_t>(bias, m)) * double{x.scale * scale(0)} -
                  double{offset} * sum
            : double{element<float>(bias, m)};
    result.bias.push_back(static_cast<float>(real));
  }
  return result;
}

// Runs of x through the codes that each has by its own range, and back.
void dynamic_round_trip(std::span<const float> x, std::size_t run, std::vector<float>& y) {
  const engine::DynamicQuantizer quantizer(kernels::best_table(kernels::detect_cpu()));
  y.clear();
  for (std::size_t begin = 0; begin < x.size(); begin += run) {
    const auto chosen = quantizer.choose(x.data() + begin, run);
    const convert::Encoding encoding{engine::DType::u8, chosen.scale,
                                     chosen.zero_point - quantizer.shift, 0};
    for (const float value : x.subspan(begin, run)) {
      y.push_back(convert::to_real(convert::to_code(value, encoding), encoding));
    }
  }
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

std::size_t Imitation::add(std::size_t index, const engine::Graph& model, const engine::Node& node,
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
  return pairs_.size() - 1;
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

  // The value that the node reads instead of value, rounded.
  ValueId copy_of(ValueId value, const Rounding& rounding, std::vector<convert::Node>& nodes) {
    convert::Node copy;
    copy.op = convert::Op::reshape;
    copy.inputs = {value};
    copy.output = static_cast<ValueId>(graph.values.size());
    const convert::Value like = graph.values[value];
    graph.values.push_back(like);
    roundings.push_back(&rounding);
    nodes.push_back(std::move(copy));
    return nodes.back().output;
  }
};

Imitation::Changed Imitation::change(const std::function<bool(std::size_t pair)>& imitates) const {
  Changed result{original_, std::vector<const Rounding*>(original_.values.size())};
  std::vector<const Pair*> of_node(original_.nodes.size());
  std::vector<const Rounding*> outputs(original_.nodes.size());
  for (std::size_t i = 0; i < pairs_.size(); ++i) {
    const Pair& pair = pairs_[i];
    if (!imitates(i)) continue;
    if (pair.output) outputs[pair.index] = &*pair.output;
    if (pair.input || !pair.weight.empty()) of_node[pair.index] = &pair;
  }
  std::vector<convert::Node> nodes;
  for (std::size_t i = 0; i < original_.nodes.size(); ++i) {
    convert::Node node = original_.nodes[i];
    if (const Pair* pair = of_node[i]) {
      if (pair->input) node.inputs[0] = result.copy_of(node.inputs[0], *pair->input, nodes);
      if (!pair->weight.empty()) {
        node.weight = pair->weight;
        node.bias = pair->bias;
      }
    }
    result.roundings[node.output] = outputs[i];
    nodes.push_back(std::move(node));
  }
  result.graph.nodes = std::move(nodes);
  return result;
}

Effect Imitation::measure(const std::function<bool(std::size_t pair)>& imitates) const {
  const Changed changed = change(imitates);
  convert::FloatExecutor executor(changed.graph);
  std::vector<std::vector<float>> coded(changed.graph.values.size());
  const auto through_codes = [&](ValueId value, std::span<const float> x) {
    const Rounding* rounding = changed.roundings[value];
    if (rounding == nullptr) return x;
    std::vector<float>& y = coded[value];
    if (rounding->dynamic_run != 0) {
      dynamic_round_trip(x, rounding->dynamic_run, y);
      return std::span<const float>(y);
    }
    y.clear();
    for (const float v : x) {
      const float code = convert::to_code(v - rounding->offset, rounding->encoding);
      y.push_back(convert::to_real(code, rounding->encoding) + rounding->offset);
    }
    return std::span<const float>(y);
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
