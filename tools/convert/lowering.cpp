// SPDX-License-Identifier: Apache-2.0
// Tensors, constants, and the conversions between the forms of a value.
#include "tools/convert/lowering.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <utility>

#include "engine/errors.h"
#include "tools/convert/lookup_table.h"

namespace octet::convert {

using engine::DType;
using engine::OpType;

Lowering::Lowering(const Graph& graph, const std::vector<ValuePlan>& plan,
                   const QuantizeOptions& options)
    : graph_(graph),
      plan_(plan),
      options_(options),
      codes_(graph.values.size()),
      plain_(graph.values.size()),
      reals_(graph.values.size()) {}

QuantizedGraph Lowering::run() {
  add_inputs();
  for (const Node& node : graph_.nodes) lower(node);
  for (const ValueId output : graph_.outputs) out_.graph.outputs.push_back(reals(output));
  return std::move(out_);
}

void Lowering::add_inputs() {
  for (const ValueId value : graph_.inputs) {
    const std::string& name = graph_.values[value].name;
    if (options_.pixels) {
      const Encoding encoding = pixel_encoding(*options_.pixels);
      codes_[value] = Codes{add_codes(name, value, encoding), encoding};
      out_.graph.inputs.push_back({codes_[value]->tensor, true, *options_.pixels});
    } else {
      reals_[value] = add_reals(name, value);
      out_.graph.inputs.push_back({*reals_[value], false, {}});
    }
  }
}

Lowering::Codes Lowering::codes(ValueId value) {
  if (!codes_[value]) {
    const Tensor input = reals(value);
    const Tensor output = make_codes(value, plan_[value].encoding);
    add_node(graph_.values[value].name + "_quantize", OpType::quantize, {input}, output);
  }
  return *codes_[value];
}

Lowering::Tensor Lowering::reals(ValueId value) {
  if (reals_[value]) return *reals_[value];
  const std::string& name = graph_.values[value].name;
  const Codes input = codes(value);
  if (input.encoding.offset == 0) {
    add_node(name + "_dequantize", OpType::dequantize, {input.tensor}, make_reals(value));
    return *reals_[value];
  }
  const Tensor scaled = add_reals(name + "_scaled", value);
  add_node(name + "_dequantize", OpType::dequantize, {input.tensor}, scaled);
  const float one = 1;
  const auto offset = static_cast<float>(input.encoding.offset);
  const Tensor scale = add_constant(name + "_one", DType::f32, &one, 1, {1});
  const Tensor shift = add_constant(name + "_offset", DType::f32, &offset, 1, {1});
  add_node(name + "_add_offset", OpType::affine, {scaled, scale, shift}, make_reals(value));
  return *reals_[value];
}

Lowering::Codes Lowering::plain_codes(ValueId value, const Node& consumer) {
  const Codes input = codes(value);
  if (input.encoding.offset == 0) return input;
  if (!plain_[value]) plain_[value] = in_encoding(value, plan_[value].encoding, consumer);
  return *plain_[value];
}

Lowering::Codes Lowering::in_encoding(ValueId value, const Encoding& encoding,
                                      const Node& consumer) {
  const Codes input = codes(value);
  if (input.encoding == encoding) return input;
  const std::string name = graph_.values[value].name + "_requantize";
  const std::string output_name = graph_.values[value].name + "_requantized";
  if (input.encoding.offset != 0) {
    note_lost_offset(value, input.encoding, encoding, consumer);
    return table_look_up(name, value, input, encoding, output_name, [](double x) { return x; });
  }
  const Tensor output = add_codes(output_name, value, encoding);
  add_node(name, OpType::requantize, {input.tensor}, output);
  return {output, encoding};
}

Lowering::Codes Lowering::table_look_up(const std::string& name, ValueId value, const Codes& input,
                                        const Encoding& encoding, const std::string& output_name,
                                        const std::function<double(double)>& function) {
  const auto table = lookup_table(input.encoding, encoding, function);
  const Tensor constant =
      add_constant(name + ".table", encoding.dtype, table.data(), table.size(), {256});
  const Tensor output = add_codes(output_name, value, encoding);
  add_node(name, OpType::lookup, {input.tensor, constant}, output);
  return {output, encoding};
}

void Lowering::note_lost_offset(ValueId value, const Encoding& from, const Encoding& to,
                                const Node& consumer) {
  const auto table = lookup_table(from, to, [](double x) { return x; });
  double largest = 0;
  for (std::int32_t p = 0; p < 256; ++p) {
    const std::uint8_t byte = table[static_cast<std::size_t>(p)];
    const std::int32_t q = to.dtype == DType::u8 ? byte : static_cast<std::int8_t>(byte);
    const double wanted = double{from.scale} * (p - from.zero_point) + from.offset;
    largest = std::max(largest, std::abs(wanted - double{to.scale} * (q - to.zero_point)));
  }
  out_.notes.push_back(
      engine::message("node '", consumer.name, "' (", op_name(consumer), "): takes the pixels '",
                      graph_.values[value].name, "' with the integer zero point ", to.zero_point,
                      ", off by up to ", static_cast<float>(largest), " (their step is ",
                      from.scale, "); only linear layers and tables take their exact mean"));
}

Lowering::Tensor Lowering::make_codes(ValueId value, const Encoding& encoding) {
  const std::string& name = graph_.values[value].name;
  // The f32 form keeps the name of a value that has one: it may be a graph output.
  const Tensor tensor = add_codes(plan_[value].reals ? name + "_quantized" : name, value, encoding);
  codes_[value] = Codes{tensor, encoding};
  return tensor;
}

Lowering::Tensor Lowering::make_reals(ValueId value) {
  reals_[value] = add_reals(graph_.values[value].name, value);
  return *reals_[value];
}

Lowering::Tensor Lowering::add_codes(const std::string& name, ValueId like,
                                     const Encoding& encoding) {
  engine::Tensor tensor;
  tensor.name = name;
  tensor.dtype = encoding.dtype;
  tensor.shape = graph_.values[like].shape;
  tensor.scale = encoding.scale;
  tensor.zero_point = encoding.zero_point;
  out_.graph.tensors.push_back(std::move(tensor));
  return static_cast<Tensor>(out_.graph.tensors.size() - 1);
}

Lowering::Tensor Lowering::add_reals(const std::string& name, ValueId like) {
  engine::Tensor tensor;
  tensor.name = name;
  tensor.shape = graph_.values[like].shape;
  out_.graph.tensors.push_back(std::move(tensor));
  return static_cast<Tensor>(out_.graph.tensors.size() - 1);
}

Lowering::Tensor Lowering::add_constant(const std::string& name, DType dtype, const void* data,
                                        std::size_t elements, std::vector<std::int64_t> shape) {
  std::vector<std::byte>& bytes = out_.storage.emplace_back(elements * engine::dtype_bytes(dtype));
  std::memcpy(bytes.data(), data, bytes.size());
  engine::Tensor tensor;
  tensor.name = name;
  tensor.dtype = dtype;
  tensor.shape = std::move(shape);
  tensor.is_constant = true;
  tensor.data = bytes;
  out_.graph.tensors.push_back(std::move(tensor));
  return static_cast<Tensor>(out_.graph.tensors.size() - 1);
}

engine::Node& Lowering::add_node(const std::string& name, OpType op, std::vector<Tensor> inputs,
                                 Tensor output, const Node* like) {
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
  out_.graph.nodes.push_back(std::move(node));
  return out_.graph.nodes.back();
}

}  // namespace octet::convert
