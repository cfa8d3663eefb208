// SPDX-License-Identifier: Apache-2.0
// Walks the graph once; what a quantize node behind would do is done by the node that computes.
// Here are inputs, outputs and the forms of a value; quantized_lowering.cpp has the nodes.
#include "tools/convert/lower_quantized.h"

#include <algorithm>
#include <array>
#include <utility>

#include "engine/errors.h"
#include "tools/convert/codes.h"
#include "tools/convert/quantize_plan.h"
#include "tools/convert/quantized_lowering.h"

namespace octet::convert {

using engine::DType;
using engine::message;
using engine::OpType;

QuantizedGraph QuantizedLowering::run() {
  for (const ValueId input : graph_.inputs) add_input(input);
  for (const Node& node : graph_.nodes) lower(node);
  for (const ValueId output : graph_.outputs) {
    builder_.out.graph.outputs.push_back(is_codes(output)  ? codes_[output]->tensor
                                         : is_sums(output) ? *sums_[output]
                                                           : reals(output));
  }
  return std::move(builder_.out);
}

void QuantizedLowering::note(const Node& node, const std::string& text) {
  builder_.out.notes.push_back(message("node '", node.name, "' (", op_name(node), "): ", text));
}

void QuantizedLowering::add_input(ValueId value) {
  if (is_codes(value)) {
    codes_[value] = add_codes(value, meaning(value));
    builder_.out.graph.inputs.push_back({codes_[value]->tensor, false, {}});
  } else if (pixels_) {
    const Encoding encoding = pixel_encoding(*pixels_);
    codes_[value] = add_codes(value, encoding);
    builder_.out.graph.inputs.push_back({codes_[value]->tensor, true, *pixels_});
  } else {
    reals_[value] = builder_.add_reals(name(value), shape(value));
    builder_.out.graph.inputs.push_back({*reals_[value], false, {}});
  }
}

Encoding QuantizedLowering::meaning(ValueId input) const {
  ValueId value = input;  // then what only moves its codes
  while (!links_.users(value).empty()) {
    for (const std::size_t index : links_.users(value)) {
      if (graph_.nodes[index].op == Op::dequantize) return graph_.nodes[index].encoding;
    }
    value = graph_.nodes[links_.users(value)[0]].output;
  }
  return {graph_.values[input].dtype, 1, 0, 0};
}

QuantizedLowering::Codes QuantizedLowering::add_codes(ValueId value, const Encoding& encoding) {
  return {builder_.add_codes(name(value), shape(value), encoding), encoding};
}

QuantizedLowering::Tensor QuantizedLowering::make_reals(ValueId value) {
  reals_[value] = builder_.add_reals(name(value), shape(value));
  return *reals_[value];
}

std::optional<QuantizedLowering::Codes> QuantizedLowering::source_codes(ValueId value) {
  const std::size_t index = links_.producer(value);
  if (index == kNoNode || graph_.nodes[index].op != Op::dequantize) return std::nullopt;
  if (!codes_[value]) {
    const Node& node = graph_.nodes[index];
    codes_[value] = with_meaning(node.inputs[0], node.encoding);
  }
  return codes_[value];
}

QuantizedLowering::Codes QuantizedLowering::with_meaning(ValueId value, const Encoding& encoding) {
  const Codes codes = *codes_[value];
  if (codes.encoding == encoding) return codes;
  std::array<std::uint8_t, 256> same;
  for (std::size_t i = 0; i < same.size(); ++i) {
    same[i] = static_cast<std::uint8_t>(static_cast<std::int32_t>(i) +
                                        engine::lowest_code(encoding.dtype));
  }
  const std::string node = name(value) + "_reread";
  const Codes result{builder_.add_codes(node, shape(value), encoding), encoding};
  builder_.add_lookup(node, codes.tensor, same, result.tensor);
  return result;
}

QuantizedLowering::Tensor QuantizedLowering::reals(ValueId value) {
  if (reals_[value]) return *reals_[value];
  if (const std::optional<Codes> codes = source_codes(value)) {
    const Node& node = graph_.nodes[links_.producer(value)];
    builder_.add_node(node.name, OpType::dequantize, {codes->tensor}, make_reals(value));
    return *reals_[value];
  }
  const Codes& pixels = *codes_[value];
  reals_[value] = builder_.add_reals(name(value) + "_real", shape(value));
  builder_.add_pixel_reals(name(value), pixels.tensor, pixels.encoding, *reals_[value]);
  return *reals_[value];
}

const Node* QuantizedLowering::quantizer(ValueId value) const {
  if (!links_.is_private(value)) return nullptr;
  const Node& user = graph_.nodes[links_.users(value)[0]];
  return user.op == Op::quantize ? &user : nullptr;
}

QuantizedLowering::Codes QuantizedLowering::output_codes(const Node& quantize) {
  codes_[quantize.output] = add_codes(quantize.output, quantize.encoding);
  return *codes_[quantize.output];
}

QuantizedLowering::Tensor QuantizedLowering::make_output(ValueId value) {
  const Node* quantize = quantizer(value);
  return quantize != nullptr ? output_codes(*quantize).tensor : make_reals(value);
}

bool is_quantized(const Graph& graph) noexcept {
  return std::ranges::any_of(graph.values,
                             [](const Value& value) { return engine::is_q8(value.dtype); }) ||
         std::ranges::any_of(graph.nodes, [](const Node& node) {
           return !node.weight_codes.empty() || node.op == Op::dynamic_scale;
         });
}

QuantizedGraph lower_quantized(const Graph& graph,
                               const std::optional<engine::Normalization>& pixels) {
  if (pixels) check_pixels(graph, *pixels);
  QuantizedGraph result = QuantizedLowering(graph, pixels).run();
  engine::check_graph(result.graph, graph.source, engine::Limits{});
  return result;
}

}  // namespace octet::convert
