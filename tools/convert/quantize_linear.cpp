// SPDX-License-Identifier: Apache-2.0
// Chooses a scale for each group of rows (one row per channel, all rows per tensor), quantizes at
// it, and raises it until the accumulator cannot overflow.
#include "tools/convert/quantize_linear.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <span>

#include "engine/errors.h"
#include "kernels/reference.h"

namespace octet::convert {
namespace {

constexpr double kSmallest = std::numeric_limits<float>::min();
constexpr double kLargest = std::numeric_limits<float>::max();
constexpr std::int64_t kAccumulatorMax = std::numeric_limits<std::int32_t>::max();

struct Layer {
  const Node& node;
  std::size_t k;
  const Encoding& input;
  float output_scale;
  bool clip_weights;
  const std::string& source;

  std::span<const float> row(std::size_t m) const { return {node.weight.data() + m * k, k}; }
  double bias(std::size_t m) const { return node.bias.empty() ? 0 : node.bias[m]; }
};

double largest_magnitude(std::span<const float> values) {
  double largest = 0;
  for (const float value : values) largest = std::max(largest, std::abs(double{value}));
  return largest;
}

// The smallest weight scale whose products stay normal, with room for their rounding.
double smallest_scale(const Layer& layer) {
  const double input = layer.input.scale;
  const double by_multiplier = kSmallest * double{layer.output_scale} / input;
  return std::max({kSmallest, kSmallest / input, by_multiplier}) * 1.0001;
}

// What weights [begin, end) lose at a scale.
double squared_error(const Layer& layer, std::size_t begin, std::size_t end, double scale) {
  double sum = 0;
  for (std::size_t i = begin * layer.k; i < end * layer.k; ++i) {
    const double w = layer.node.weight[i];
    const double error = w - scale * std::clamp(std::nearbyint(w / scale), -127.0, 127.0);
    sum += error * error;
  }
  return sum;
}

double best_clipped_scale(const Layer& layer, std::size_t begin, std::size_t end, double largest) {
  double best = largest;
  double least = squared_error(layer, begin, end, largest);
  for (int part = 63; part >= 32; --part) {
    const double scale = largest * part / 64;
    const double error = squared_error(layer, begin, end, scale);
    if (error >= least) continue;
    best = scale;
    least = error;
  }
  return best;
}

float first_scale(const Layer& layer, std::size_t begin, std::size_t end) {
  double weight = 0;
  double bias = 0;
  for (std::size_t m = begin; m < end; ++m) {
    weight = std::max(weight, largest_magnitude(layer.row(m)));
    bias = std::max(bias, std::abs(layer.bias(m)));
  }
  const double input = layer.input.scale;
  const double output = layer.output_scale == 0 ? 1 : layer.output_scale;
  const double unclipped = weight / 127;
  const double scale =
      weight != 0
          ? layer.clip_weights ? best_clipped_scale(layer, begin, end, unclipped) : unclipped
      : bias != 0 ? bias / (input * 0x1p24)
                  : output / input;
  return static_cast<float>(std::min(std::max(scale, smallest_scale(layer)), kLargest));
}

struct Row {
  std::int64_t magnitude = 0;  // sum |w| * max |a - zero_point|
  double bias = 0;             // unrounded, in units of the accumulator
};

Row quantize_row(const Layer& layer, std::size_t m, float scale, std::int8_t* codes) {
  kernels::reference::quantize(layer.row(m).data(), layer.k, {scale, 0, -127, 127},
                               reinterpret_cast<std::uint8_t*>(codes));
  std::int64_t sum = 0;
  std::int64_t sum_of_magnitudes = 0;
  for (std::size_t i = 0; i < layer.k; ++i) {
    sum += codes[i];
    sum_of_magnitudes += std::abs(codes[i]);
  }
  const Encoding& input = layer.input;
  const std::int64_t reach = std::max(engine::highest_code(input.dtype) - input.zero_point,
                                      input.zero_point - engine::lowest_code(input.dtype));
  const double bias =
      layer.bias(m) + input.offset * static_cast<double>(sum) * static_cast<double>(scale);
  // In float, as the engine multiplies the accumulator.
  return {sum_of_magnitudes * reach, bias / static_cast<double>(input.scale * scale)};
}

// Quantizes rows [begin, end) at one scale; true if that had to be raised for the bias.
bool quantize_group(const Layer& layer, std::size_t begin, std::size_t end,
                    LinearParameters& result) {
  float scale = first_scale(layer, begin, end);
  bool raised = false;
  for (std::size_t m = begin; m < end;) {
    const Row row = quantize_row(layer, m, scale, result.weight.data() + m * layer.k);
    const std::int64_t room = kAccumulatorMax - row.magnitude;
    if (room < 0) {
      engine::fail(Error::Code::unsupported, layer.source, ": node '", layer.node.name,
                   "' (linear): channel ", m, ": its ", layer.k,
                   " weights alone could bring the accumulator to ", row.magnitude,
                   ", the limit is ", kAccumulatorMax, "; split the layer's columns over two");
    }
    const double bias = std::nearbyint(row.bias);
    if (std::abs(bias) <= static_cast<double>(room)) {
      result.bias[m++] = static_cast<std::int32_t>(bias);
      continue;
    }
    if (scale == std::numeric_limits<float>::max()) {
      engine::fail(Error::Code::unsupported, layer.source, ": node '", layer.node.name,
                   "' (linear): channel ", m, ": bias ", layer.node.bias[m],
                   " does not fit int32 at any weight scale, the input's scale is ",
                   layer.input.scale, "; normalize the network's input");
    }
    // At most doubled at once: smaller weights leave the bias more room. Rows before m were
    // quantized at the old scale.
    const double needed = std::abs(row.bias) / std::max(static_cast<double>(room), 1.0);
    const double larger = double{scale} * std::clamp(needed, 1.0, 2.0) * 1.001;
    scale = static_cast<float>(std::min(larger, kLargest));
    raised = true;
    m = begin;
  }
  result.scale.push_back(scale);
  return raised;
}

}  // namespace

LinearParameters quantize_linear(const Node& node, std::size_t k, const Encoding& input,
                                 float output_scale, const WeightOptions& options,
                                 const std::string& source) {
  const Layer layer{node, k, input, output_scale, options.clip_weights, source};
  const std::size_t rows = node.weight.size() / k;
  LinearParameters result;
  result.weight.resize(node.weight.size());
  result.bias.resize(rows);
  const std::size_t group = options.per_channel ? 1 : rows;
  for (std::size_t m = 0; m < rows; m += group) {
    if (quantize_group(layer, m, m + group, result)) result.raised += group;
  }
  return result;
}

}  // namespace octet::convert
