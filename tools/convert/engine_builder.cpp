// SPDX-License-Identifier: Apache-2.0
// Appends to the engine's graph, and keeps what its constants point to.
#include "tools/convert/engine_builder.h"

#include <cstring>
#include <utility>

namespace octet::convert {

using engine::DType;

engine::OpType same_op(Op op) noexcept {
  switch (op) {
    case Op::clip:
      return engine::OpType::clip;
    case Op::transpose:
      return engine::OpType::transpose;
    case Op::slice:
      return engine::OpType::slice;
    case Op::concat:
      return engine::OpType::concat;
    case Op::softmax:
      return engine::OpType::softmax;
    case Op::log_softmax:
      return engine::OpType::log_softmax;
    case Op::dynamic_quantize:
      return engine::OpType::dynamic_quantize;
    case Op::dynamic_scale:
      return engine::OpType::dynamic_scale;
    case Op::dynamic_zero_point:
      return engine::OpType::dynamic_zero_point;
    default:
      return engine::OpType::reshape;
  }
}

EngineBuilder::Tensor EngineBuilder::add_codes(const std::string& name, const Shape& shape,
                                               const Encoding& encoding) {
  const Tensor index = add_reals(name, shape);
  engine::Tensor& tensor = out.graph.tensors[index];
  tensor.dtype = encoding.dtype;
  tensor.scale = encoding.scale;
  tensor.zero_point = encoding.zero_point;
  return index;
}

EngineBuilder::Tensor EngineBuilder::add_reals(const std::string& name, const Shape& shape) {
  engine::Tensor tensor;
  tensor.name = name;
  tensor.shape = shape;
  out.graph.tensors.push_back(std::move(tensor));
  return static_cast<Tensor>(out.graph.tensors.size() - 1);
}

EngineBuilder::Tensor EngineBuilder::add_sums(const std::string& name, const Shape& shape) {
  const Tensor tensor = add_reals(name, shape);
  out.graph.tensors[tensor].dtype = DType::s32;
  return tensor;
}

EngineBuilder::Tensor EngineBuilder::add_constant(const std::string& name, DType dtype,
                                                  const void* data, std::size_t elements,
                                                  std::vector<std::int64_t> shape) {
  std::vector<std::byte>& bytes = out.storage.emplace_back(elements * engine::dtype_bytes(dtype));
  std::memcpy(bytes.data(), data, bytes.size());
  engine::Tensor tensor;
  tensor.name = name;
  tensor.dtype = dtype;
  tensor.shape = std::move(shape);
  tensor.is_constant = true;
  tensor.data = bytes;
  out.graph.tensors.push_back(std::move(tensor));
  return static_cast<Tensor>(out.graph.tensors.size() - 1);
}

engine::Node& EngineBuilder::add_node(const std::string& name, engine::OpType op,
                                      std::vector<Tensor> inputs, Tensor output, const Node* like) {
  engine::Node node;
  node.name = name;
  node.op = op;
  node.inputs = std::move(inputs);
  node.output = output;
  if (like != nullptr) {
    node.clip_min = like->clip_min;
    node.clip_max = like->clip_max;
    node.axis = static_cast<std::uint32_t>(like->axis);
    node.start = static_cast<std::uint32_t>(like->start);
    node.inner = static_cast<std::uint32_t>(like->inner);
    node.perm.assign(like->perm.begin(), like->perm.end());
  }
  out.graph.nodes.push_back(std::move(node));
  return out.graph.nodes.back();
}

void EngineBuilder::add_float_linear(const Node& node, Tensor x, std::size_t m, std::size_t k,
                                     Tensor y) {
  std::vector<float> bias = node.bias;
  bias.resize(m);
  const auto rows = static_cast<std::int64_t>(m);
  const Tensor weight = add_constant(node.name + ".weight", DType::f32, node.weight.data(),
                                     node.weight.size(), {rows, static_cast<std::int64_t>(k)});
  const Tensor bias_tensor = add_constant(node.name + ".bias", DType::f32, bias.data(), m, {rows});
  add_node(node.name, engine::OpType::float_linear, {x, weight, bias_tensor}, y, &node);
}

std::vector<EngineBuilder::Tensor> EngineBuilder::add_int8_weights(
    const std::string& name, Tensor x, const std::vector<std::int8_t>& weight,
    const std::vector<float>& scale, DType bias_dtype, const void* bias) {
  const std::int64_t k = out.graph.tensors[x].shape.back();
  const std::int64_t rows = static_cast<std::int64_t>(weight.size()) / k;
  const Tensor weights =
      add_constant(name + ".weight", DType::s8, weight.data(), weight.size(), {rows, k});
  const Tensor scales = add_constant(name + ".weight_scale", DType::f32, scale.data(), scale.size(),
                                     {static_cast<std::int64_t>(scale.size())});
  const Tensor biases =
      add_constant(name + ".bias", bias_dtype, bias, static_cast<std::size_t>(rows), {rows});
  return {x, weights, scales, biases};
}

void EngineBuilder::add_dynamic_linear(const Node& node, Tensor x, std::size_t axis,
                                       const std::vector<std::int8_t>& weight,
                                       const std::vector<float>& weight_scale, Tensor y) {
  std::vector<float> bias = node.bias;
  bias.resize(weight.size() / static_cast<std::size_t>(out.graph.tensors[x].shape.back()));
  const std::vector<Tensor> inputs =
      add_int8_weights(node.name, x, weight, weight_scale, DType::f32, bias.data());
  add_node(node.name, engine::OpType::dynamic_linear, inputs, y, &node).axis =
      static_cast<std::uint32_t>(axis);
}

void EngineBuilder::add_lookup(const std::string& name, Tensor x,
                               const std::array<std::uint8_t, 256>& table, Tensor y) {
  const DType dtype = out.graph.tensors[y].dtype;
  const Tensor constant = add_constant(name + ".table", dtype, table.data(), table.size(), {256});
  add_node(name, engine::OpType::lookup, {x, constant}, y);
}

void EngineBuilder::add_pixel_reals(const std::string& value, Tensor x, const Encoding& encoding,
                                    Tensor y) {
  const Tensor scaled = add_reals(value + "_scaled", out.graph.tensors[x].shape);
  add_node(value + "_dequantize", engine::OpType::dequantize, {x}, scaled);
  add_affine(value + "_add_offset", scaled, {1}, {static_cast<float>(encoding.offset)}, y);
}

void EngineBuilder::add_affine(const std::string& name, Tensor x, const std::vector<float>& scale,
                               const std::vector<float>& shift, Tensor y, const Node* like) {
  const auto channels = static_cast<std::int64_t>(scale.size());
  const Tensor a =
      add_constant(name + ".scale", DType::f32, scale.data(), scale.size(), {channels});
  const Tensor b =
      add_constant(name + ".shift", DType::f32, shift.data(), shift.size(), {channels});
  add_node(name, engine::OpType::affine, {x, a, b}, y, like);
}

}  // namespace octet::convert
