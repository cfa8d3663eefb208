// SPDX-License-Identifier: Apache-2.0
// Tensors, constants, and the conversions between the forms of a value.
#include "tools/convert/lowering.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "engine/errors.h"
#include "tools/convert/codes.h"
#include "tools/convert/lookup_table.h"

namespace octet::convert {

using engine::DType;
using engine::OpType;

Lowering::Lowering(const Graph& graph, const std::vector<ValuePlan>& plan,
                   const QuantizeOptions& options)
    : graph_(graph),
      plan_(plan),
      options_(options),
      pixels_(find_pixels(graph, options)),
      codes_(graph.values.size()),
      plain_(graph.values.size()),
      reals_(graph.values.size()) {}

QuantizedGraph Lowering::run() {
  add_inputs();
  for (const Node& node : graph_.nodes) lower(node);
  for (const ValueId output : graph_.outputs) builder_.out.graph.outputs.push_back(reals(output));
  return std::move(builder_.out);
}

void Lowering::add_inputs() {
  for (const ValueId value : graph_.inputs) {
    const std::string& name = graph_.values[value].name;
    if (options_.pixels) {
      const Encoding encoding = pixel_encoding(*options_.pixels);
      codes_[value] = Codes{add_codes(name, value, encoding), encoding};
      builder_.out.graph.inputs.push_back({codes_[value]->tensor, true, *options_.pixels});
    } else {
      reals_[value] = add_reals(name, value);
      builder_.out.graph.inputs.push_back({*reals_[value], false, {}});
    }
  }
}

Lowering::Codes Lowering::codes(ValueId value) {
  if (!codes_[value]) {
    const Tensor input = reals(value);
    const Tensor output = make_codes(value, plan_[value].encoding);
    builder_.add_node(graph_.values[value].name + "_quantize", OpType::quantize, {input}, output);
  }
  return *codes_[value];
}

Lowering::Tensor Lowering::reals(ValueId value) {
  if (reals_[value]) return *reals_[value];
  const std::string& name = graph_.values[value].name;
  const Codes input = codes(value);
  if (input.encoding.offset == 0) {
    builder_.add_node(name + "_dequantize", OpType::dequantize, {input.tensor}, make_reals(value));
    return *reals_[value];
  }
  builder_.add_pixel_reals(name, input.tensor, input.encoding, make_reals(value));
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
  builder_.add_node(name, OpType::requantize, {input.tensor}, output);
  return {output, encoding};
}

Lowering::Codes Lowering::table_look_up(const std::string& name, ValueId value, const Codes& input,
                                        const Encoding& encoding, const std::string& output_name,
                                        const std::function<double(double)>& function) {
  const auto table = lookup_table(input.encoding, encoding, function);
  const Tensor output = add_codes(output_name, value, encoding);
  builder_.add_lookup(name, input.tensor, table, output);
  return {output, encoding};
}

void Lowering::note_lost_offset(ValueId value, const Encoding& from, const Encoding& to,
                                const Node& consumer) {
  const auto table = lookup_table(from, to, [](double x) { return x; });
  double largest = 0;
  for (std::int32_t p = 0; p < 256; ++p) {
    const std::int32_t q = code_of(table[static_cast<std::size_t>(p)], to.dtype);
    const double wanted = double{from.scale} * (p - from.zero_point) + from.offset;
    largest = std::max(largest, std::abs(wanted - double{to.scale} * (q - to.zero_point)));
  }
  builder_.out.notes.push_back(
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
  return builder_.add_codes(name, graph_.values[like].shape, encoding);
}

Lowering::Tensor Lowering::add_reals(const std::string& name, ValueId like) {
  return builder_.add_reals(name, graph_.values[like].shape);
}

}  // namespace octet::convert
