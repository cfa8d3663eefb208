// SPDX-License-Identifier: Apache-2.0
// Builds the converter's graphs node by node for the tests, and portable random numbers.
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <random>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "tools/convert/calibrate.h"
#include "tools/convert/float_executor.h"
#include "tools/convert/graph.h"

namespace octet::test {

using convert::kBatch;
using convert::Op;
using convert::sample_elements;
using convert::Shape;
using convert::Unary;
using convert::ValueId;

// The same on every machine: std::mt19937 is specified, the library's distributions are not.
class Random {
 public:
  explicit Random(std::uint32_t seed) : engine_(seed) {}
  float uniform(float min, float max) {
    return static_cast<float>(min + (double{max} - min) * (next() / 4294967296.0));
  }
  std::vector<float> uniform(std::size_t n, float min, float max) {
    std::vector<float> values(n);
    for (float& value : values) value = uniform(min, max);
    return values;
  }
  // Integers in [-3, 3]: float sums and products of a few are exact, so that graphs can be
  // compared with ==.
  std::vector<float> integers(std::size_t n) {
    std::vector<float> values(n);
    for (float& value : values) value = static_cast<float>(next() % 7) - 3;
    return values;
  }

 private:
  std::uint32_t next() { return static_cast<std::uint32_t>(engine_()); }

  std::mt19937 engine_;
};

class FloatGraph {
 public:
  convert::Graph graph;

  FloatGraph() { graph.source = "net.onnx"; }

  ValueId input(const std::string& name, Shape shape) {
    const ValueId value = add_value(name, std::move(shape));
    graph.inputs.push_back(value);
    return value;
  }
  // Adds a node under its output's name; shape: of the output. The node is there to be completed.
  ValueId node(const std::string& name, Op op, std::vector<ValueId> inputs, Shape shape) {
    convert::Node node;
    node.name = name;
    node.op = op;
    node.inputs = std::move(inputs);
    node.output = add_value(name, std::move(shape));
    graph.nodes.push_back(std::move(node));
    return graph.nodes.back().output;
  }
  convert::Node& last() { return graph.nodes.back(); }

  ValueId linear(const std::string& name, ValueId x, std::vector<float> weight,
                 std::vector<float> bias) {
    Shape shape = graph.values[x].shape;
    shape.back() = static_cast<std::int64_t>(weight.size()) / shape.back();
    const ValueId y = node(name, Op::linear, {x}, shape);
    last().weight = std::move(weight);
    last().bias = std::move(bias);
    return y;
  }
  ValueId linear(const std::string& name, ValueId x, std::size_t rows, Random& random) {
    const auto k = static_cast<std::size_t>(graph.values[x].shape.back());
    return linear(name, x, random.uniform(rows * k, -1, 1), random.uniform(rows, -1, 1));
  }
  ValueId affine(const std::string& name, ValueId x, std::vector<float> scale,
                 std::vector<float> shift, std::size_t inner = 1) {
    const ValueId y = node(name, Op::affine, {x}, graph.values[x].shape);
    last().scale = std::move(scale);
    last().shift = std::move(shift);
    last().inner = inner;
    return y;
  }
  ValueId clip(const std::string& name, ValueId x, float min, float max) {
    const ValueId y = node(name, Op::clip, {x}, graph.values[x].shape);
    last().clip_min = min;
    last().clip_max = max;
    return y;
  }
  ValueId relu(const std::string& name, ValueId x) {
    return clip(name, x, 0, std::numeric_limits<float>::infinity());
  }
  ValueId add(const std::string& name, ValueId a, ValueId b) {
    return node(name, Op::add, {a, b}, graph.values[a].shape);
  }
  ValueId reshape(const std::string& name, ValueId x, Shape shape) {
    return node(name, Op::reshape, {x}, std::move(shape));
  }
  ValueId transpose(const std::string& name, ValueId x, std::vector<std::size_t> perm) {
    const Shape from = graph.values[x].shape;
    Shape shape;
    for (const std::size_t d : perm) shape.push_back(from[d]);
    const ValueId y = node(name, Op::transpose, {x}, shape);
    last().perm = std::move(perm);
    return y;
  }
  ValueId slice(const std::string& name, ValueId x, std::size_t axis, std::size_t start,
                std::int64_t extent) {
    Shape shape = graph.values[x].shape;
    shape[axis] = extent;
    const ValueId y = node(name, Op::slice, {x}, shape);
    last().axis = axis;
    last().start = start;
    return y;
  }
  ValueId concat(const std::string& name, std::vector<ValueId> inputs, std::size_t axis) {
    Shape shape = graph.values[inputs[0]].shape;
    for (std::size_t i = 1; i < inputs.size(); ++i) {
      shape[axis] += graph.values[inputs[i]].shape[axis];
    }
    const ValueId y = node(name, Op::concat, std::move(inputs), shape);
    last().axis = axis;
    return y;
  }
  ValueId unary(const std::string& name, ValueId x, Unary function, float alpha = 0,
                float beta = 0) {
    const ValueId y = node(name, Op::unary, {x}, graph.values[x].shape);
    last().function = function;
    last().alpha = alpha;
    last().beta = beta;
    return y;
  }
  ValueId softmax(const std::string& name, ValueId x, std::size_t axis, bool log = false) {
    const ValueId y = node(name, log ? Op::log_softmax : Op::softmax, {x}, graph.values[x].shape);
    last().axis = axis;
    return y;
  }
  void output(ValueId value) { graph.outputs.push_back(value); }

 private:
  ValueId add_value(const std::string& name, Shape shape) {
    graph.values.push_back({name, std::move(shape)});
    return static_cast<ValueId>(graph.values.size() - 1);
  }
};

// All outputs of one run, copied.
inline std::vector<std::vector<float>> run_float(const convert::Graph& graph,
                                                 const std::vector<std::vector<float>>& inputs,
                                                 std::size_t batch) {
  convert::FloatExecutor executor(graph);
  const std::vector<std::span<const float>> spans(inputs.begin(), inputs.end());
  std::vector<std::vector<float>> outputs;
  for (const auto output : executor.run(spans, batch)) {
    outputs.emplace_back(output.begin(), output.end());
  }
  return outputs;
}

// Calibration data in memory, `step` samples at a time.
class MemorySource : public convert::BatchSource {
 public:
  MemorySource(const convert::Graph& graph, const std::vector<std::vector<float>>& inputs,
               std::size_t samples, std::size_t step)
      : graph_(graph), inputs_(inputs), samples_(samples), step_(step) {}

  void reset() override { at_ = 0; }
  std::size_t next(std::vector<std::span<const float>>& batch) override {
    const std::size_t count = std::min(step_, samples_ - at_);
    batch.clear();
    for (std::size_t i = 0; i < inputs_.size(); ++i) {
      const std::size_t size = sample_elements(graph_.values[graph_.inputs[i]].shape);
      batch.push_back(std::span(inputs_[i]).subspan(at_ * size, count * size));
    }
    at_ += count;
    return count;
  }

 private:
  const convert::Graph& graph_;
  const std::vector<std::vector<float>>& inputs_;
  std::size_t samples_;
  std::size_t step_;
  std::size_t at_ = 0;
};

}  // namespace octet::test
