// SPDX-License-Identifier: Apache-2.0
// Values, nodes and bindings of the graph under construction, with the limits that every value
// obeys.
#include "tools/convert/onnx_builder.h"

#include <octet/octet.h>

#include <limits>
#include <utility>

#include "engine/errors.h"
#include "engine/graph.h"
#include "tools/convert/view_map.h"

namespace octet::convert {
namespace {

constexpr std::size_t kMaxElements = std::numeric_limits<std::int32_t>::max();  // of one sample
// Of a name in all sets and maps, without its characters; of a value's shape.
constexpr std::size_t kNameBytes = 320;
constexpr std::size_t kShapeBytes = 96;

template <class T>
std::size_t bytes_of(const std::vector<T>& list) {
  return list.capacity() * sizeof(T);
}

std::size_t bytes_of(const Node& node) {
  // An input may become a node of its own: a quantize or dequantize that moves in front of it.
  return (sizeof(Node) + sizeof(Value) + kNameBytes) * node.inputs.size() + bytes_of(node.weight) +
         bytes_of(node.bias) + bytes_of(node.scale) + bytes_of(node.shift) +
         bytes_of(node.weight_codes) + bytes_of(node.weight_scale) + bytes_of(node.bias_codes) +
         bytes_of(node.bias_scale) + bytes_of(node.operand);
}

}  // namespace

void GraphBuilder::need(std::uint64_t bytes) const {
  if (bytes <= memory_left()) return;
  engine::fail(Error::Code::limit, graph.source, ": would take more than the limit of ",
               limits_.memory_bytes, " bytes of memory; split the network");
}

void GraphBuilder::take(std::uint64_t bytes) {
  need(bytes);
  taken_ += bytes;
}

void GraphBuilder::declare(const std::string& name) {
  take(kNameBytes + 2 * name.size());
  if (!names_.insert(name).second) {
    throw Error(Error::Code::format,
                graph.source + ": tensor '" + name + "' is defined twice; export the model again");
  }
}

ValueId GraphBuilder::add_value(const std::string& name, Shape shape, engine::DType dtype) {
  const std::string what = graph.source + ": tensor '" + name + "'";
  if (shape.size() > engine::kMaxRank) {
    throw Error(Error::Code::limit, what + " has " + std::to_string(shape.size()) +
                                        " dimensions, octet takes at most " +
                                        std::to_string(engine::kMaxRank));
  }
  count_elements(Dims(shape.begin() + 1, shape.end()), what, kMaxElements);
  if (graph.values.size() == limits_.values) {
    engine::fail(Error::Code::limit, what, " is one more than the ", limits_.values,
                 " that octet takes; split the network");
  }
  // Its node too, which lists hold up to three times while they grow.
  take(sizeof(Value) + 3 * sizeof(Node) + kShapeBytes + 3 * name.size());
  graph.values.push_back({name, std::move(shape), dtype});
  return static_cast<ValueId>(graph.values.size() - 1);
}

engine::DType GraphBuilder::output_dtype(const Node& op) const {
  if (op.op == Op::quantize) return op.encoding.dtype;
  if (op.op == Op::sums) return engine::DType::s32;
  if (op.op == Op::dynamic_quantize || op.op == Op::dynamic_zero_point) return engine::DType::u8;
  const bool moves = is_view(op) || op.op == Op::concat || op.op == Op::clip;
  return moves ? graph.values[op.inputs[0]].dtype : engine::DType::f32;
}

ValueId GraphBuilder::append(const OnnxNode& node, Node op, Shape shape, const std::string& name) {
  op.name = node.label();
  take(bytes_of(op) + 3 * op.name.size());
  op.output = add_value(name, std::move(shape), output_dtype(op));
  graph.nodes.push_back(std::move(op));
  return graph.nodes.back().output;
}

void GraphBuilder::emit(const OnnxNode& node, Node op, Shape shape, int output) {
  const std::string& name = node.proto().output(output);
  bind(name, {append(node, std::move(op), std::move(shape), name), nullptr});
}

ValueId GraphBuilder::emit_hidden(const OnnxNode& node, Node op, Shape shape) {
  const std::string first = node.proto().output(0) + "/" + std::string(op_name(op));
  std::string name = first;
  std::size_t& used = hidden_[first];
  while (!names_.insert(name).second) name = first + "#" + std::to_string(++used);
  return append(node, std::move(op), std::move(shape), name);
}

void GraphBuilder::alias(const OnnxNode& node, ValueId value) {
  bind(node.proto().output(0), {value, nullptr});
}

void GraphBuilder::define(const OnnxNode& node, Constant constant) {
  const std::string& name = node.proto().output(0);
  constant.name = name;
  if (constant.dims.size() > kMaxConstantRank) {
    engine::fail(Error::Code::limit, graph.source, ": ", node.where(), ": its result has ",
                 constant.dims.size(), " dimensions, octet takes at most ", kMaxConstantRank);
  }
  take(memory_of(constant));
  bind(name, {kNoValue, std::make_shared<const Constant>(std::move(constant))});
}

const Binding* GraphBuilder::find(const std::string& name) const {
  const auto found = bindings_.find(name);
  return found == bindings_.end() ? nullptr : &found->second;
}

void GraphBuilder::spend(const OnnxNode& node, std::size_t elements) {
  if (elements > budget_) {
    throw Error(Error::Code::limit,
                graph.source + ": " + node.where() +
                    ": its constants would grow far beyond what the file holds; run onnxsim, or "
                    "export the model with constant folding");
  }
  budget_ -= elements;
  need(elements * sizeof(std::int64_t));
}

}  // namespace octet::convert
