// SPDX-License-Identifier: Apache-2.0
// Add, Sub, Mul, Div with constants and BatchNormalization -> affine; Add of activations -> add.
#include <algorithm>
#include <cmath>
#include <utility>

#include "tools/convert/onnx_ops.h"

namespace octet::convert {
namespace {

// A constant spread over an activation: element i of a sample takes values[(i / inner) % size].
struct Spread {
  std::vector<float> values;
  std::size_t inner = 1;
};

Spread spread(const OnnxNode& node, GraphBuilder& builder, const Constant& constant,
              const Shape& shape) {
  const std::string clash = "its constant '" + constant.name + "' " + to_text(constant.dims) +
                            " against the activation " + to_text(shape);
  const std::size_t rank = shape.size();
  if (constant.size() == 0) node.invalid(clash + " has no element");
  if (constant.dims.size() > rank) {
    node.refuse(clash + " adds dimensions in front of the batch; reshape the constant");
  }
  // The constant's dimensions in the activation's rank, and the first and last that it varies over.
  Dims dims(rank - constant.dims.size(), 1);
  dims.insert(dims.end(), constant.dims.begin(), constant.dims.end());
  std::size_t first = rank;
  std::size_t last = 0;
  for (std::size_t axis = 0; axis < rank; ++axis) {
    if (dims[axis] == 1) continue;
    if (axis == 0) {
      node.refuse(clash + " gives each sample of the batch its own constant; octet needs 1 there");
    }
    if (shape[axis] == 1) {
      node.refuse(clash + " would repeat the activation along axis " + std::to_string(axis) +
                  "; octet repeats constants only: expand the activation's layer");
    }
    if (shape[axis] != dims[axis]) node.invalid(clash + " cannot be broadcast");
    first = std::min(first, axis);
    last = axis;
  }
  if (first == rank) return {{constant.floats[0]}, 1};

  Spread result;
  std::size_t count = 1;
  for (std::size_t axis = first; axis <= last; ++axis) {
    count *= static_cast<std::size_t>(shape[axis]);
  }
  for (std::size_t axis = last + 1; axis < rank; ++axis) {
    result.inner *= static_cast<std::size_t>(shape[axis]);
  }
  builder.spend(node, count);
  result.values.resize(count);
  for (std::size_t i = 0; i < count; ++i) {
    std::size_t rest = i;
    std::size_t offset = 0;
    std::size_t stride = 1;
    for (std::size_t axis = last + 1; axis-- > first;) {
      const auto extent = static_cast<std::size_t>(shape[axis]);
      if (dims[axis] != 1) {
        offset += rest % extent * stride;
        stride *= extent;
      }
      rest /= extent;
    }
    result.values[i] = constant.floats[offset];
  }
  return result;
}

void emit_affine(const OnnxNode& node, GraphBuilder& builder, ValueId x, std::vector<float> scale,
                 std::vector<float> shift, std::size_t inner) {
  for (const std::vector<float>* values : {&scale, &shift}) {
    if (!std::all_of(values->begin(), values->end(), [](float v) { return std::isfinite(v); })) {
      node.invalid("its factor or offset is no finite float (a division by zero?)");
    }
  }
  Node affine;
  affine.op = Op::affine;
  affine.inputs = {x};
  affine.scale = std::move(scale);
  affine.shift = std::move(shift);
  affine.inner = inner;
  builder.emit(node, std::move(affine), builder.shape(x));
}

// The activation and the constant of a binary operator; refused if both are activations.
struct Operands {
  ValueId x;
  bool constant_first;
  Spread constant;
};

Operands operands(const OnnxNode& node, GraphBuilder& builder) {
  if (!node.has(0) || !node.has(1)) node.invalid("needs two inputs");
  const bool first = node.constant(0) != nullptr;
  if (!first && node.constant(1) == nullptr) {
    node.refuse("both operands are activations; octet computes it with a constant only");
  }
  const ValueId x = node.activation(first ? 1 : 0, "operand");
  const Constant& constant = node.need_weights(first ? 0 : 1, "operand");
  return {x, first, spread(node, builder, constant, builder.shape(x))};
}

}  // namespace

void import_add(const OnnxNode& node, GraphBuilder& builder) {
  if (node.has(0) && node.has(1) && !node.constant(0) && !node.constant(1)) {
    const ValueId a = node.activation(0, "A");
    const ValueId b = node.activation(1, "B");
    if (builder.shape(a) != builder.shape(b)) {
      node.refuse("it adds activations of shapes " + to_text(builder.shape(a)) + " and " +
                  to_text(builder.shape(b)) +
                  "; octet adds equal shapes only: expand the smaller one's layer");
    }
    Node add;
    add.op = Op::add;
    add.inputs = {a, b};
    builder.emit(node, std::move(add), builder.shape(a));
    return;
  }
  Operands in = operands(node, builder);
  std::vector<float> ones(in.constant.values.size(), 1.0f);
  emit_affine(node, builder, in.x, std::move(ones), std::move(in.constant.values),
              in.constant.inner);
}

void import_sub(const OnnxNode& node, GraphBuilder& builder) {
  Operands in = operands(node, builder);
  std::vector<float> scale(in.constant.values.size(), in.constant_first ? -1.0f : 1.0f);
  if (!in.constant_first) {
    for (float& value : in.constant.values) value = -value;
  }
  emit_affine(node, builder, in.x, std::move(scale), std::move(in.constant.values),
              in.constant.inner);
}

void import_mul(const OnnxNode& node, GraphBuilder& builder) {
  Operands in = operands(node, builder);
  std::vector<float> shift(in.constant.values.size(), 0.0f);
  emit_affine(node, builder, in.x, std::move(in.constant.values), std::move(shift),
              in.constant.inner);
}

void import_div(const OnnxNode& node, GraphBuilder& builder) {
  Operands in = operands(node, builder);
  if (in.constant_first) {
    node.refuse("it divides a constant by an activation; octet has no reciprocal");
  }
  std::vector<float> shift(in.constant.values.size(), 0.0f);
  for (float& value : in.constant.values) value = 1.0f / value;
  emit_affine(node, builder, in.x, std::move(in.constant.values), std::move(shift),
              in.constant.inner);
}

void import_batch_normalization(const OnnxNode& node, GraphBuilder& builder) {
  const ValueId x = node.activation(0, "X");
  const Shape& shape = builder.shape(x);
  if (node.attribute("training_mode", std::int64_t{0}) != 0) {
    node.refuse("training_mode is 1; export the network in evaluation mode: model.eval()");
  }
  if (node.attribute("spatial", std::int64_t{1}) != 1) {
    node.refuse("spatial is 0 (statistics per element); octet takes statistics per channel");
  }
  if (shape.size() < 2) node.invalid("its X has the shape " + to_text(shape) + ", no channels");
  const auto channels = static_cast<std::size_t>(shape[1]);
  const Constant* parameters[4];
  const char* roles[4] = {"scale", "B", "mean", "var"};
  for (std::size_t i = 0; i < 4; ++i) {
    parameters[i] = &node.need_weights(i + 1, roles[i]);
    if (parameters[i]->dims != Dims{shape[1]}) {
      node.invalid(std::string("its ") + roles[i] + " '" + parameters[i]->name +
                   "' has the shape " + to_text(parameters[i]->dims) + ", its X has " +
                   std::to_string(channels) + " channels");
    }
  }
  const double epsilon = static_cast<double>(node.attribute("epsilon", 1e-5f));
  builder.spend(node, 2 * channels);
  std::vector<float> scale(channels);
  std::vector<float> shift(channels);
  for (std::size_t c = 0; c < channels; ++c) {
    const auto at = [&](std::size_t i) { return static_cast<double>(parameters[i]->floats[c]); };
    const double variance = at(3) + epsilon;
    if (!(variance > 0)) {
      node.invalid("var + epsilon is " + std::to_string(variance) + " in channel " +
                   std::to_string(c) + ", it must be positive");
    }
    const double factor = at(0) / std::sqrt(variance);
    scale[c] = static_cast<float>(factor);
    shift[c] = static_cast<float>(at(1) - at(2) * factor);
  }
  emit_affine(node, builder, x, std::move(scale), std::move(shift),
              sample_elements(shape) / channels);
}

}  // namespace octet::convert
