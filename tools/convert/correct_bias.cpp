// SPDX-License-Identifier: Apache-2.0
// The quantized network is imitated in float: quantized weights, activations through their codes.
#include "tools/convert/correct_bias.h"

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "tools/convert/codes.h"
#include "tools/convert/float_executor.h"
#include "tools/convert/quantize_plan.h"
#include "tools/convert/view_map.h"

namespace octet::convert {
namespace {

std::size_t columns_of(const Graph& graph, const Node& node) {
  return static_cast<std::size_t>(graph.values[node.inputs[0]].shape.back());
}

// The mean of each column of a value, from sums of whole numbers: no order of samples changes them.
class ColumnMeans {
 public:
  ColumnMeans(std::size_t columns, Range range)
      : sums_(columns),
        unit_(std::max({std::abs(range.min), std::abs(range.max), 1e-30f}) * 0x1p-24) {}

  void add(std::span<const float> values) {
    for (std::size_t i = 0; i < values.size(); ++i) {
      // Codes may lie a little outside the observed range.
      const double steps = std::clamp(static_cast<double>(values[i]) / unit_, -0x1p26, 0x1p26);
      sums_[i % sums_.size()] += std::llrint(steps);
    }
    rows_ += values.size() / sums_.size();
  }
  double mean(std::size_t column) const {
    return static_cast<double>(sums_[column]) * unit_ / static_cast<double>(rows_);
  }

 private:
  std::vector<std::int64_t> sums_;
  double unit_;
  std::size_t rows_ = 0;
};

using Replace = FloatExecutor::Replace;

// The means of a node's input columns over all data.
ColumnMeans input_means(const Graph& graph, const Node& node, Range range, BatchSource& data,
                        const Replace& replace) {
  FloatExecutor executor(graph);
  ColumnMeans means(columns_of(graph, node), range);
  std::vector<std::span<const float>> inputs;
  data.reset();
  while (const std::size_t batch = data.next(inputs)) {
    const auto through = [&](ValueId value, std::span<const float> values) {
      if (replace) values = replace(value, values);
      if (value == node.inputs[0]) means.add(values);
      return values;
    };
    executor.run(inputs, batch, {}, through);
  }
  return means;
}

// The weights as quantize() makes them.
std::vector<float> quantized_weights(const Graph& graph, const Node& node,
                                     const std::vector<ValuePlan>& plan, const Encoding& input,
                                     const QuantizeOptions& options) {
  const std::size_t k = columns_of(graph, node);
  const ValuePlan& output = plan[node.output];
  const LinearParameters parameters =
      quantize_linear(node, k, input, output.reals ? 0 : output.encoding.scale,
                      {options.per_channel, options.clip_weights}, graph.source);
  std::vector<float> weights(node.weight.size());
  for (std::size_t i = 0; i < weights.size(); ++i) {
    const std::size_t row = parameters.scale.size() == 1 ? 0 : i / k;
    weights[i] = parameters.scale[row] * static_cast<float>(parameters.weight[i]);
  }
  return weights;
}

}  // namespace

void correct_biases(Graph& graph, const std::vector<Range>& ranges, const QuantizeOptions& options,
                    BatchSource& data) {
  const std::vector<ValuePlan> plan = plan_quantization(graph, ranges, options);
  const std::vector<bool> is_pixels = find_pixels(graph, options);
  std::vector<std::vector<float>> coded(graph.values.size());
  const Replace through_own_codes = [&](ValueId value, std::span<const float> values) {
    if (!plan[value].codes || is_pixels[value]) return values;  // pixels are exact
    coded[value].clear();
    for (const float x : values) coded[value].push_back(round_trip(x, plan[value].encoding));
    return std::span<const float>(coded[value]);
  };
  const Graph original = graph;
  Graph imitated = graph;
  for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
    const Node& node = original.nodes[i];
    if (node.op != Op::linear) continue;
    if (linear_form(node, is_pixels, options) != LinearForm::integer) continue;
    const ValueId x = node.inputs[0];
    const Encoding input = is_pixels[x] ? pixel_encoding(*options.pixels) : plan[x].encoding;
    Node& imitation = imitated.nodes[i];
    imitation.weight = quantized_weights(graph, node, plan, input, options);
    const ColumnMeans wanted = input_means(original, node, ranges[x], data, {});
    const ColumnMeans got = input_means(imitated, node, ranges[x], data, through_own_codes);
    const std::size_t k = columns_of(graph, node);
    Node& corrected = graph.nodes[i];
    corrected.bias.resize(node.weight.size() / k);
    for (std::size_t m = 0; m < corrected.bias.size(); ++m) {
      double difference = 0;
      for (std::size_t column = 0; column < k; ++column) {
        difference += double{node.weight[m * k + column]} * wanted.mean(column) -
                      double{imitation.weight[m * k + column]} * got.mean(column);
      }
      corrected.bias[m] = static_cast<float>(double{corrected.bias[m]} + difference);
    }
    imitation.bias = corrected.bias;
  }
}

}  // namespace octet::convert
