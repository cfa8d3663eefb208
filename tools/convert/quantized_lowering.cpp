// SPDX-License-Identifier: Apache-2.0
// One function per kind of node.
#include "tools/convert/quantized_lowering.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include "engine/errors.h"
#include "kernels/reference.h"
#include "tools/convert/codes.h"
#include "tools/convert/integer_linear.h"
#include "tools/convert/lookup_table.h"
#include "tools/convert/quantize.h"

namespace octet::convert {

using engine::DType;
using engine::message;
using engine::OpType;

void QuantizedLowering::lower(const Node& node) {
  switch (node.op) {
    case Op::linear:
      return lower_linear(node);
    case Op::add:
      return lower_add(node);
    case Op::affine:
      return lower_affine(node);
    case Op::softmax:
    case Op::log_softmax:
      builder_.add_node(node.name, same_op(node.op), {reals(node.inputs[0])},
                        make_reals(node.output), &node);
      return;
    case Op::unary:
      return lower_unary(node);
    case Op::clip:
    case Op::reshape:
    case Op::transpose:
    case Op::slice:
    case Op::concat:
      return lower_move(node);
    case Op::quantize:
      return lower_quantize(node);
    case Op::dequantize:
      return;  // on demand
    case Op::sums:
      sums_[node.output] = builder_.add_sums(name(node.output), shape(node.output));
      return integer_linear(graph_.nodes[links_.producer(node.inputs[0])], *sums_[node.output]);
    case Op::dynamic_quantize:
    case Op::dynamic_scale:
    case Op::dynamic_zero_point:
      return lower_dynamic_quantize(node);
  }
}

void QuantizedLowering::lower_quantize(const Node& node) {
  const ValueId x = node.inputs[0];
  if (codes_[node.output]) return;  // by the node before
  if (const std::optional<Codes> source = source_codes(x)) {
    builder_.add_node(node.name, OpType::requantize, {source->tensor}, output_codes(node).tensor);
  } else if (codes_[x]) {
    quantize_pixels(node);
  } else {
    builder_.add_node(node.name, OpType::quantize, {reals(x)}, output_codes(node).tensor);
  }
}

void QuantizedLowering::quantize_pixels(const Node& node) {
  std::array<std::uint8_t, 256> table;
  for (std::size_t p = 0; p < table.size(); ++p) {
    const auto real = static_cast<float>((static_cast<double>(p) / 255 - double{pixels_->mean}) /
                                         double{pixels_->std});
    kernels::reference::quantize(&real, 1, quantize_params(node.encoding), &table[p]);
  }
  builder_.add_lookup(node.name, codes_[node.inputs[0]]->tensor, table, output_codes(node).tensor);
}

void QuantizedLowering::lower_dynamic_quantize(const Node& node) {
  const Tensor x = reals(node.inputs[0]);
  if (is_codes(node.output)) codes_[node.output] = add_codes(node.output, {DType::u8, 1, 0, 0});
  const Tensor y = is_codes(node.output) ? codes_[node.output]->tensor : make_reals(node.output);
  builder_.add_node(node.name, same_op(node.op), {x}, y);
}

void QuantizedLowering::lower_linear(const Node& node) {
  if (node.dynamic) return lower_dynamic_linear(node);
  const std::optional<Codes> source = source_codes(node.inputs[0]);
  if (!source || node.weight_codes.empty()) return lower_float_linear(node, source.has_value());
  const bool for_sums = !links_.is_output(node.output) &&
                        std::ranges::all_of(links_.users(node.output), [&](std::size_t user) {
                          return graph_.nodes[user].op == Op::sums;
                        });
  if (!for_sums) integer_linear(node, make_output(node.output));
}

void QuantizedLowering::integer_linear(const Node& node, Tensor y) {
  const std::optional<Codes> source = source_codes(node.inputs[0]);
  const auto k = static_cast<std::size_t>(shape(node.inputs[0]).back());
  const std::size_t m = node.weight_codes.size() / k;
  const WeightParts parts = split_weights(node.weight_codes, k);
  const Tensor x = repeat(node, source->tensor, parts.parts);
  const std::vector<std::int32_t> bias = integer_bias(node, source->encoding, m, graph_.source);
  const std::vector<Tensor> inputs = builder_.add_int8_weights(
      node.name, x, parts.weight, node.weight_scale, DType::s32, bias.data());
  builder_.add_node(node.name, OpType::linear, inputs, y, &node);
}

void QuantizedLowering::lower_dynamic_linear(const Node& node) {
  const auto k = static_cast<std::size_t>(shape(node.inputs[0]).back());
  const WeightParts parts = split_weights(node.weight_codes, k);
  const Tensor x = repeat(node, reals(node.inputs[0]), parts.parts);
  builder_.add_dynamic_linear(node, x, node.axis, parts.weight, node.weight_scale,
                              make_reals(node.output));
}

QuantizedLowering::Tensor QuantizedLowering::repeat(const Node& node, Tensor x, std::size_t parts) {
  if (parts == 1) return x;
  note(node, message("its weights less their zero points leave int8, so that it is computed in ",
                     parts, " parts, at ", parts,
                     " times the work; quantize weights with zero "
                     "point 0 (int8) or 128 (uint8)"));
  Shape wide = shape(node.inputs[0]);
  wide.back() *= static_cast<std::int64_t>(parts);
  const std::string name = node.name + "_input";
  const engine::Tensor like = builder_.out.graph.tensors[x];
  const Tensor repeated =
      engine::is_q8(like.dtype)
          ? builder_.add_codes(name, wide, {like.dtype, like.scale, like.zero_point, 0})
          : builder_.add_reals(name, wide);
  engine::Node& concat =
      builder_.add_node(name, OpType::concat, std::vector<Tensor>(parts, x), repeated);
  concat.axis = static_cast<std::uint32_t>(wide.size() - 1);
  return repeated;
}

void QuantizedLowering::lower_float_linear(const Node& node, bool quantized_input) {
  note(node, quantized_input ? "computes in float, since its weights have no integers with a scale "
                               "per tensor or per output"
                             : "computes in float, since its input is not quantized");
  const auto k = static_cast<std::size_t>(shape(node.inputs[0]).back());
  builder_.add_float_linear(node, reals(node.inputs[0]), node.weight.size() / k, k,
                            make_reals(node.output));
}

void QuantizedLowering::lower_add(const Node& node) {
  if (!node.operand.empty()) return lower_add_operand(node);
  const std::optional<Codes> a = source_codes(node.inputs[0]);
  const std::optional<Codes> b = source_codes(node.inputs[1]);
  const Node* quantize = quantizer(node.output);
  if (a && b && quantize != nullptr) {
    builder_.add_node(node.name, OpType::add, {a->tensor, b->tensor},
                      output_codes(*quantize).tensor, &node);
    return;
  }
  const Tensor x = reals(node.inputs[0]);
  const Tensor y = reals(node.inputs[1]);
  builder_.add_node(node.name, OpType::add, {x, y}, make_reals(node.output), &node);
}

void QuantizedLowering::lower_add_operand(const Node& node) {
  const Codes x = *source_codes(node.inputs[0]);
  Shape sample = shape(node.inputs[0]);
  sample[0] = 1;
  const Tensor operand =
      builder_.add_constant(node.name + ".operand", node.operand_encoding.dtype,
                            node.operand.data(), node.operand.size(), std::move(sample));
  builder_.out.graph.tensors[operand].scale = node.operand_encoding.scale;
  builder_.out.graph.tensors[operand].zero_point = node.operand_encoding.zero_point;
  const auto inputs =
      node.operand_first ? std::vector{operand, x.tensor} : std::vector{x.tensor, operand};
  builder_.add_node(node.name, OpType::add, inputs, output_codes(*quantizer(node.output)).tensor,
                    &node);
}

void QuantizedLowering::lower_affine(const Node& node) {
  const std::optional<Codes> source = source_codes(node.inputs[0]);
  const Node* quantize = quantizer(node.output);
  if (source && quantize != nullptr && node.scale.size() == 1) {
    return look_up(node, *source, output_codes(*quantize),
                   [&node](double x) { return x * double{node.scale[0]} + double{node.shift[0]}; });
  }
  const Tensor x = reals(node.inputs[0]);
  builder_.add_affine(node.name, x, node.scale, node.shift, make_reals(node.output), &node);
}

void QuantizedLowering::look_up(const Node& node, const Codes& x, const Codes& y,
                                const std::function<double(double)>& function) {
  builder_.add_lookup(node.name, x.tensor, lookup_table(x.encoding, y.encoding, function),
                      y.tensor);
}

void QuantizedLowering::lower_unary(const Node& node) {
  const auto function = [&node](double x) {
    return apply_unary(node.function, x, node.alpha, node.beta);
  };
  const std::optional<Codes> source = source_codes(node.inputs[0]);
  if (!source) {
    engine::fail(Error::Code::unsupported, graph_.source, ": node '", node.name, "' (",
                 op_name(node),
                 "): its input is not quantized, and octet computes it on 8 bits only; put a "
                 "QuantizeLinear and a DequantizeLinear in front of it");
  }
  if (const Node* quantize = quantizer(node.output)) {
    return look_up(node, *source, output_codes(*quantize), function);
  }
  // The file wants floats: codes over the range that the function can give.
  Range range{0, 0};
  const std::int32_t lowest = engine::lowest_code(source->encoding.dtype);
  for (std::int32_t code = lowest; code < lowest + 256; ++code) {
    const auto y =
        static_cast<float>(function(double{to_real(static_cast<float>(code), source->encoding)}));
    range = {std::min(range.min, y), std::max(range.max, y)};
  }
  if (!std::isfinite(range.max - range.min)) {
    engine::fail(Error::Code::unsupported, graph_.source, ": node '", node.name, "' (",
                 op_name(node), "): its results reach from ", range.min, " to ", range.max,
                 ", which no scale covers; its input's scale is ", source->encoding.scale,
                 ", calibrate it again");
  }
  const ScaleZeroPoint chosen = choose_codes(range, false);
  const Encoding encoding{DType::u8, chosen.scale, chosen.zero_point, 0};
  note(node, message("its floats are made of 256 steps of ", chosen.scale,
                     ", since the file does not quantize them"));
  const Codes codes{
      builder_.add_codes(name(node.output) + "_quantized", shape(node.output), encoding), encoding};
  look_up(node, *source, codes, function);
  builder_.add_node(node.name + "_dequantize", OpType::dequantize, {codes.tensor},
                    make_reals(node.output));
}

void QuantizedLowering::lower_move(const Node& node) {
  std::vector<Tensor> inputs;
  if (is_sums(node.output)) {  // a copy under a second name
    sums_[node.output] = builder_.add_sums(name(node.output), shape(node.output));
    builder_.add_node(node.name, same_op(node.op), {*sums_[node.inputs[0]]}, *sums_[node.output]);
    return;
  }
  if (!is_codes(node.output)) {
    for (const ValueId input : node.inputs) inputs.push_back(reals(input));
    builder_.add_node(node.name, same_op(node.op), std::move(inputs), make_reals(node.output),
                      &node);
    return;
  }
  const Encoding encoding = codes_[node.inputs[0]]->encoding;
  for (const ValueId input : node.inputs) inputs.push_back(with_meaning(input, encoding).tensor);
  codes_[node.output] = add_codes(node.output, encoding);
  engine::Node& lowered = builder_.add_node(node.name, same_op(node.op), std::move(inputs),
                                            codes_[node.output]->tensor, &node);
  lowered.clip_min = to_real(node.clip_min, encoding);
  lowered.clip_max = to_real(node.clip_max, encoding);
}

}  // namespace octet::convert
