// SPDX-License-Identifier: Apache-2.0
// One buffer per value, kept between runs; linear layers on the table's float kernel, everything
// else sample by sample, so that a sample's bits do not depend on its batch.
#include "tools/convert/float_executor.h"

#include <algorithm>
#include <cmath>
#include <new>
#include <utility>

#include "engine/errors.h"
#include "kernels/dispatch.h"
#include "kernels/softmax.h"
#include "tools/convert/codes.h"
#include "tools/convert/view_map.h"

namespace octet::convert {
namespace {

constexpr std::align_val_t kAlignment{64};

struct AlignedDelete {
  void operator()(std::byte* bytes) const noexcept { ::operator delete(bytes, kAlignment); }
};
using AlignedBytes = std::unique_ptr<std::byte, AlignedDelete>;

AlignedBytes aligned_bytes(std::size_t bytes) {
  return AlignedBytes(
      static_cast<std::byte*>(::operator new(std::max<std::size_t>(bytes, 1), kAlignment)));
}

// What a node needs beside the graph, made once.
struct Step {
  const Node* node;
  AlignedBytes weights;          // linear: packed
  std::vector<float> bias;       // linear: padded to kColumnPadding
  std::vector<float> scale;      // affine: of every element of a sample
  std::vector<float> shift;      // affine: likewise
  std::vector<std::size_t> map;  // transpose, slice
};

std::size_t columns(const Shape& shape) {
  return static_cast<std::size_t>(shape.back());
}

}  // namespace

struct FloatExecutor::Impl {
  const Graph& graph;
  const kernels::Table& table;
  std::vector<Step> steps;
  std::vector<std::vector<float>> buffers;     // of each value that a node computes
  std::vector<std::span<const float>> values;  // of this run: in a buffer or the caller's memory
  std::vector<const float*> rows;
  std::size_t batch = 0;

  Impl(const Graph& graph_, const kernels::Table& table_)
      : graph(graph_), table(table_), buffers(graph_.values.size()), values(graph_.values.size()) {
    for (const Node& node : graph.nodes) steps.push_back(prepare(node));
  }

  const Shape& shape(ValueId value) const { return graph.values[value].shape; }
  std::size_t elements(ValueId value) const { return sample_elements(shape(value)); }

  Step prepare(const Node& node) const {
    Step step{&node, {}, {}, {}, {}, {}};
    if (node.op == Op::linear) {
      const std::size_t n = columns(shape(node.output));
      const std::size_t k = columns(shape(node.inputs[0]));
      step.weights = aligned_bytes(table.f32->packed_bytes(n, k));
      table.f32->pack_weights(node.weight.data(), n, k, step.weights.get());
      step.bias = node.bias;
      step.bias.resize(kernels::round_up(n, kernels::kColumnPadding));
    } else if (node.op == Op::affine) {
      for (std::size_t i = 0; i < elements(node.output); ++i) {
        const std::size_t channel = i / node.inner % node.scale.size();
        step.scale.push_back(node.scale[channel]);
        step.shift.push_back(node.shift[channel]);
      }
    } else if (node.op == Op::transpose || node.op == Op::slice) {
      step.map = view_map(graph, node);
    }
    return step;
  }

  float* buffer(ValueId value) {
    std::vector<float>& memory = buffers[value];
    const std::size_t size = batch * elements(value);
    if (memory.size() < size) memory.resize(size);
    values[value] = {memory.data(), size};
    return memory.data();
  }

  void compute(const Step& step) {
    const Node& node = *step.node;
    if (node.op == Op::reshape) {
      values[node.output] = values[node.inputs[0]];
      return;
    }
    const std::span<const float> x = values[node.inputs[0]];
    float* y = buffer(node.output);
    switch (node.op) {
      case Op::linear:
        return linear(step, x, y);
      case Op::affine:
        for (std::size_t i = 0; i < x.size(); i += step.scale.size()) {
          table.f32->affine(x.data() + i, step.scale.data(), step.shift.data(), step.scale.size(),
                            y + i);
        }
        return;
      case Op::add:
        if (!node.operand.empty()) return add_operand(step, x, y);
        table.f32->add(x.data(), values[node.inputs[1]].data(), x.size(), y);
        if (std::isfinite(node.clip_min) || std::isfinite(node.clip_max)) {
          table.f32->clamp(y, x.size(), node.clip_min, node.clip_max, y);
        }
        return;
      case Op::clip:
        return table.f32->clamp(x.data(), x.size(), node.clip_min, node.clip_max, y);
      case Op::transpose:
      case Op::slice:
        for (std::size_t s = 0; s < batch; ++s) {
          const float* sample = x.data() + s * elements(node.inputs[0]);
          for (const std::size_t source : step.map) *y++ = sample[source];
        }
        return;
      case Op::concat:
        return concat(node, y);
      case Op::softmax:
      case Op::log_softmax:
        return softmax(node, x, y);
      case Op::unary:
        for (const float value : x) {
          *y++ = static_cast<float>(
              apply_unary(node.function, static_cast<double>(value), node.alpha, node.beta));
        }
        return;
      case Op::quantize:  // codes as floats
        for (const float value : x) *y++ = to_code(value, node.encoding);
        return;
      case Op::sums:  // as floats
        std::ranges::copy(x, y);
        return;
      case Op::dynamic_quantize:
      case Op::dynamic_scale:
      case Op::dynamic_zero_point:
        return dynamic(node, x, y);
      case Op::dequantize:
        for (const float code : x) *y++ = to_real(code, node.encoding);
        return;
      case Op::reshape:
        return;
    }
  }

  void linear(const Step& step, std::span<const float> x, float* y) {
    const std::size_t n = columns(shape(step.node->output));
    const std::size_t k = columns(shape(step.node->inputs[0]));
    rows.clear();
    for (std::size_t i = 0; i < x.size(); i += k) rows.push_back(x.data() + i);
    table.f32->linear({.rows = rows.data(),
                       .m = rows.size(),
                       .k = k,
                       .weights = step.weights.get(),
                       .bias = step.bias.data(),
                       .n_begin = 0,
                       .n_end = n,
                       .c = y,
                       .ldc = n,
                       .min = step.node->clip_min,
                       .max = step.node->clip_max});
  }

  // Codes as floats.
  void dynamic(const Node& node, std::span<const float> x, float* y) const {
    const std::size_t n = elements(node.inputs[0]);
    const engine::DynamicQuantizer quantizer(table);
    for (std::size_t begin = 0; begin < x.size(); begin += n) {
      const Encoding encoding = dynamic_encoding(quantizer, x.subspan(begin, n));
      if (node.op == Op::dynamic_scale) {
        *y++ = encoding.scale;
      } else if (node.op == Op::dynamic_zero_point) {
        *y++ = static_cast<float>(encoding.zero_point);
      } else {
        for (const float value : x.subspan(begin, n)) *y++ = to_code(value, encoding);
      }
    }
  }

  void add_operand(const Step& step, std::span<const float> x, float* y) const {
    const Encoding& encoding = step.node->operand_encoding;
    const std::vector<std::uint8_t>& operand = step.node->operand;
    for (std::size_t i = 0; i < x.size(); ++i) {
      const std::int32_t code = code_of(operand[i % operand.size()], encoding.dtype);
      y[i] = x[i] + to_real(static_cast<float>(code), encoding);
    }
    table.f32->clamp(y, x.size(), step.node->clip_min, step.node->clip_max, y);
  }

  void concat(const Node& node, float* y) {
    const std::size_t below = elements_behind(shape(node.output), node.axis);
    const auto extent = static_cast<std::size_t>(shape(node.output)[node.axis]);
    const std::size_t outer = batch * elements(node.output) / (extent * below);
    for (std::size_t o = 0; o < outer; ++o) {
      for (const ValueId input : node.inputs) {
        const std::size_t run = static_cast<std::size_t>(shape(input)[node.axis]) * below;
        y = std::copy_n(values[input].data() + o * run, run, y);
      }
    }
  }

  void softmax(const Node& node, std::span<const float> x, float* y) const {
    const auto function = node.op == Op::softmax ? kernels::softmax : kernels::log_softmax;
    const auto n = static_cast<std::size_t>(shape(node.output)[node.axis]);
    const std::size_t below = elements_behind(shape(node.output), node.axis);
    for (std::size_t outer = 0; outer < x.size(); outer += n * below) {
      for (std::size_t i = outer; i < outer + below; ++i) function(x.data() + i, n, below, y + i);
    }
  }
};

FloatExecutor::FloatExecutor(const Graph& graph, const kernels::Table* table)
    : impl_(std::make_unique<Impl>(
          graph, table != nullptr ? *table : kernels::best_table(kernels::detect_cpu()))) {}
FloatExecutor::~FloatExecutor() = default;
FloatExecutor::FloatExecutor(FloatExecutor&&) noexcept = default;

std::vector<std::span<const float>> FloatExecutor::run(
    std::span<const std::span<const float>> inputs, std::size_t batch, const Observer& observe,
    const Replace& replace) {
  const Graph& graph = impl_->graph;
  const auto made = [&](ValueId value) {
    std::span<const float>& data = impl_->values[value];
    if (observe) observe(value, data);
    if (replace) data = replace(value, data);
  };
  if (inputs.size() != graph.inputs.size()) {
    engine::fail(Error::Code::argument, graph.source, ": has ", graph.inputs.size(),
                 " inputs, was given ", inputs.size());
  }
  impl_->batch = batch;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const ValueId value = graph.inputs[i];
    const std::size_t expected = batch * impl_->elements(value);
    if (inputs[i].size() != expected) {
      engine::fail(Error::Code::argument, graph.source, ": input '", graph.values[value].name,
                   "': ", batch, " samples have ", expected, " elements, was given ",
                   inputs[i].size());
    }
    impl_->values[value] = inputs[i];
    made(value);
  }
  for (const Step& step : impl_->steps) {
    impl_->compute(step);
    made(step.node->output);
  }
  std::vector<std::span<const float>> outputs;
  for (const ValueId output : graph.outputs) outputs.push_back(impl_->values[output]);
  return outputs;
}

}  // namespace octet::convert
