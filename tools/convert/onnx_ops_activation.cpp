// SPDX-License-Identifier: Apache-2.0
// Elementwise functions, Softmax, and the operators that do nothing in inference.
#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <utility>

#include "tools/convert/onnx_ops.h"

namespace octet::convert {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();

struct Function {
  std::string_view name;
  Unary function;
  float alpha;  // ONNX's defaults
  float beta;
};
constexpr std::array kFunctions{Function{"Sigmoid", Unary::sigmoid, 0, 0},
                                Function{"Tanh", Unary::tanh, 0, 0},
                                Function{"LeakyRelu", Unary::leaky_relu, 0.01f, 0},
                                Function{"Elu", Unary::elu, 1.0f, 0},
                                Function{"HardSigmoid", Unary::hard_sigmoid, 0.2f, 0.5f},
                                Function{"Softplus", Unary::softplus, 0, 0}};

// A bound of Clip; otherwise where it is absent. The largest floats are ONNX's old spelling of
// "none", and clip nothing finite.
float clip_bound(const OnnxNode& node, std::size_t input, const char* name, float otherwise,
                 bool codes) {
  float bound = otherwise;
  if (node.opset < 11) {
    bound = node.attribute(name, otherwise);
  } else if (node.has(input)) {
    const Constant& given = node.need_constant(input, name);
    if (given.is_float == codes || given.size() != 1) {
      node.invalid(std::string("its ") + name +
                   (codes ? " is no integer scalar" : " is no float scalar"));
    }
    bound = codes ? static_cast<float>(given.ints[0]) : given.floats[0];
  }
  if (std::isnan(bound)) node.invalid(std::string("its ") + name + " is NaN");
  return std::fabs(bound) == std::numeric_limits<float>::max() ? std::copysign(kInfinity, bound)
                                                               : bound;
}

void emit_clip(const OnnxNode& node, GraphBuilder& builder, float min, float max) {
  Node clip;
  clip.op = Op::clip;
  clip.inputs = {node.activation(0, "input")};
  clip.clip_min = min;
  clip.clip_max = max;
  const Shape shape = builder.shape(clip.inputs[0]);
  builder.emit(node, std::move(clip), shape);
}

}  // namespace

void import_relu(const OnnxNode& node, GraphBuilder& builder) {
  emit_clip(node, builder, 0.0f, kInfinity);
}

void import_clip(const OnnxNode& node, GraphBuilder& builder) {
  const bool codes = builder.is_codes(node.activation(0, "input"));
  const float min = clip_bound(node, 1, "min", -kInfinity, codes);
  const float max = clip_bound(node, 2, "max", kInfinity, codes);
  if (codes && max == 127 &&
      builder.graph.values[node.activation(0, "input")].dtype == engine::DType::u8) {
    builder.graph.notes.push_back(
        node.where() +
        ": keeps codes of 8 bits to 7 (the default of PyTorch's fbgemm backend), "
        "which costs a bit of accuracy; octet needs no such room");
  }
  if (min > max) {
    node.refuse("min " + std::to_string(min) + " is above max " + std::to_string(max) +
                "; export the bounds in order");
  }
  if (min == -kInfinity && max == kInfinity) {
    import_identity(node, builder);
  } else {
    emit_clip(node, builder, min, max);
  }
}

void import_unary(const OnnxNode& node, GraphBuilder& builder) {
  Node unary;
  unary.op = Op::unary;
  unary.inputs = {node.activation(0, "input")};
  for (const Function& entry : kFunctions) {
    if (entry.name != node.proto().op_type()) continue;
    unary.function = entry.function;
    unary.alpha = node.attribute("alpha", entry.alpha);
    unary.beta = node.attribute("beta", entry.beta);
  }
  if (!std::isfinite(unary.alpha) || !std::isfinite(unary.beta)) {
    node.invalid("its alpha or beta is infinite");
  }
  const Shape shape = builder.shape(unary.inputs[0]);
  builder.emit(node, std::move(unary), shape);
}

void import_softmax(const OnnxNode& node, GraphBuilder& builder) {
  Node softmax;
  softmax.op = node.proto().op_type() == "Softmax" ? Op::softmax : Op::log_softmax;
  softmax.inputs = {node.activation(0, "input")};
  const Shape shape = builder.shape(softmax.inputs[0]);
  const std::int64_t otherwise = node.opset < 13 ? 1 : -1;
  softmax.axis = node.resolve_axis(node.attribute("axis", otherwise), shape.size());
  if (softmax.axis == 0) {
    node.refuse("axis 0 is the batch, and octet never mixes samples; export it with axis 1");
  }
  if (node.opset < 13) {
    // Before opset 13 all dimensions from axis on count as one: the same as one axis where only
    // one of them has more than one element.
    const std::size_t from = softmax.axis;
    std::size_t wide = 0;
    for (std::size_t axis = from; axis < shape.size(); ++axis) {
      if (shape[axis] == 1) continue;
      softmax.axis = axis;
      ++wide;
    }
    if (wide > 1) {
      node.refuse("before opset 13 it normalizes all dimensions of " + to_text(shape) +
                  " from axis " + std::to_string(from) +
                  " on together; export the model with opset 13");
    }
  }
  builder.emit(node, std::move(softmax), shape);
}

void import_identity(const OnnxNode& node, GraphBuilder& builder) {
  builder.alias(node, node.activation(0, "input"));
}

void import_dropout(const OnnxNode& node, GraphBuilder& builder) {
  if (node.has(2)) {
    const Constant& training = node.need_constant(2, "training_mode");
    if (training.is_float || training.size() != 1) node.invalid("its training_mode is no boolean");
    if (training.ints[0] != 0) {
      node.refuse("training_mode is true; export the network in evaluation mode: model.eval()");
    }
  }
  import_identity(node, builder);
}

void import_cast(const OnnxNode& node, GraphBuilder& builder) {
  const std::int64_t to = node.attribute("to", std::int64_t{0});
  const ValueId x = node.activation(0, "input");
  const engine::DType dtype = builder.graph.values[x].dtype;
  if (dtype == engine::DType::s32 && to == onnx::TensorProto::FLOAT) {
    // Made by the node itself: sums pass no other operator than Identity, which is an alias.
    const auto& nodes = builder.graph.nodes;
    const auto sums = std::ranges::lower_bound(nodes, x, {}, &Node::output);  // made in this order
    builder.alias(node, sums->inputs[0]);
    return;
  }
  const std::int64_t same = dtype == engine::DType::u8    ? onnx::TensorProto::UINT8
                            : dtype == engine::DType::s8  ? onnx::TensorProto::INT8
                            : dtype == engine::DType::s32 ? onnx::TensorProto::INT32
                                                          : onnx::TensorProto::FLOAT;
  if (to != same) {
    node.refuse("it casts an activation to " + element_type_name(static_cast<std::int32_t>(to)) +
                "; octet's activations are float: export the network in float32");
  }
  import_identity(node, builder);
}

}  // namespace octet::convert
