// SPDX-License-Identifier: Apache-2.0
// One function per kind of node.
#include <algorithm>
#include <utility>

#include "engine/errors.h"
#include "tools/convert/lowering.h"
#include "tools/convert/quantize_groups.h"

namespace octet::convert {

using engine::DType;
using engine::OpType;

void Lowering::lower(const Node& node) {
  switch (node.op) {
    case Op::linear:
      return lower_linear(node);
    case Op::add:
      return lower_add(node);
    case Op::affine:
      return lower_affine(node);
    case Op::softmax:
    case Op::log_softmax:
      return lower_softmax(node);
    case Op::unary:
      return lower_lookup(
          node, [&node](double x) { return apply_unary(node.function, x, node.alpha, node.beta); });
    case Op::clip:
    case Op::reshape:
    case Op::transpose:
    case Op::slice:
      return lower_view(node);
    case Op::concat:
      return lower_concat(node);
    case Op::quantize:
    case Op::dequantize:
    case Op::sums:
    case Op::dynamic_quantize:
    case Op::dynamic_scale:
    case Op::dynamic_zero_point:
      engine::fail(Error::Code::argument, graph_.source, ": node '", node.name, "' (",
                   op_name(node), "): is of a quantized network, which keeps its own scales");
  }
}

void Lowering::lower_float_linear(const Node& node) {
  const auto k = static_cast<std::size_t>(graph_.values[node.inputs[0]].shape.back());
  const std::size_t m = node.weight.size() / k;
  builder_.add_float_linear(node, reals(node.inputs[0]), m, k, make_reals(node.output));
}

void Lowering::lower_group_linear(const Node& node) {
  const auto k = static_cast<std::size_t>(graph_.values[node.inputs[0]].shape.back());
  const auto rows = static_cast<std::int64_t>(node.weight.size() / k);
  const std::size_t bits = options_.weight_only->bits;
  const std::size_t wanted = options_.weight_only->group;
  const std::size_t group = wanted == 0 ? k : std::min(wanted, k);
  const GroupParameters parameters = quantize_groups(node.weight, k, bits, group);
  const std::vector<std::uint8_t> nibbles =
      bits == 4 ? pack_nibbles(parameters.codes, k) : std::vector<std::uint8_t>();
  const Tensor weight =
      bits == 4
          ? builder_.add_constant(node.name + ".weight", DType::u8, nibbles.data(), nibbles.size(),
                                  {rows, static_cast<std::int64_t>((k + 1) / 2)})
          : builder_.add_constant(node.name + ".weight", DType::s8, parameters.codes.data(),
                                  parameters.codes.size(), {rows, static_cast<std::int64_t>(k)});
  const Tensor scale = builder_.add_constant(
      node.name + ".weight_scale", DType::f32, parameters.scale.data(), parameters.scale.size(),
      {rows, static_cast<std::int64_t>(parameters.scale.size()) / rows});
  std::vector<float> bias = node.bias;
  bias.resize(node.weight.size() / k);
  const Tensor bias_tensor =
      builder_.add_constant(node.name + ".bias", DType::f32, bias.data(), bias.size(), {rows});
  const Tensor input = reals(node.inputs[0]);
  builder_
      .add_node(node.name, OpType::group_linear, {input, weight, scale, bias_tensor},
                make_reals(node.output), &node)
      .group = static_cast<std::uint32_t>(group);
}

void Lowering::lower_linear(const Node& node) {
  switch (linear_form(node, pixels_, options_)) {
    case LinearForm::floats:
      return lower_float_linear(node);
    case LinearForm::groups:
      return lower_group_linear(node);
    case LinearForm::dynamic:
      return lower_dynamic_linear(node);
    case LinearForm::integer:
      return lower_integer_linear(node);
  }
}

void Lowering::lower_dynamic_linear(const Node& node) {
  const auto k = static_cast<std::size_t>(graph_.values[node.inputs[0]].shape.back());
  const std::size_t group = options_.per_channel ? k : node.weight.size();
  const GroupParameters parameters = quantize_groups(node.weight, group, 8, group);
  const Tensor input = reals(node.inputs[0]);
  builder_.add_dynamic_linear(node, input, graph_.values[node.inputs[0]].shape.size() - 1,
                              parameters.codes, parameters.scale, make_reals(node.output));
}

void Lowering::lower_integer_linear(const Node& node) {
  const Codes input = codes(node.inputs[0]);
  const ValuePlan& wanted = plan_[node.output];
  const auto k = static_cast<std::size_t>(graph_.values[node.inputs[0]].shape.back());
  const LinearParameters parameters =
      quantize_linear(node, k, input.encoding, wanted.reals ? 0 : wanted.encoding.scale,
                      {options_.per_channel, options_.clip_weights}, graph_.source);
  if (parameters.raised != 0) {
    builder_.out.notes.push_back(engine::message(
        "node '", node.name, "' (linear): the weight scale of ", parameters.raised, " of ",
        parameters.bias.size(), " channels was raised so that the bias fits int32"));
  }
  const std::vector<Tensor> inputs =
      builder_.add_int8_weights(node.name, input.tensor, parameters.weight, parameters.scale,
                                DType::s32, parameters.bias.data());
  const Tensor output =
      wanted.reals ? make_reals(node.output) : make_codes(node.output, wanted.encoding);
  builder_.add_node(node.name, OpType::linear, inputs, output, &node);
}

void Lowering::lower_add(const Node& node) {
  std::vector<Tensor> inputs;
  const bool in_codes = plan_[node.output].codes;
  for (const ValueId input : node.inputs) {
    inputs.push_back(in_codes ? plain_codes(input, node).tensor : reals(input));
  }
  const Tensor output =
      in_codes ? make_codes(node.output, plan_[node.output].encoding) : make_reals(node.output);
  builder_.add_node(node.name, OpType::add, std::move(inputs), output, &node);
}

void Lowering::lower_affine(const Node& node) {
  if (node.scale.size() == 1 && plan_[node.output].codes) {
    return lower_lookup(node,
                        [&node](double x) { return x * double{node.scale[0]} + node.shift[0]; });
  }
  if (plan_[node.inputs[0]].codes || plan_[node.output].codes) {
    builder_.out.notes.push_back(engine::message(
        "node '", node.name, "' (affine): stays in float, since no linear layer beside it alone ",
        "can take it in"));
  }
  const Tensor input = reals(node.inputs[0]);
  builder_.add_affine(node.name, input, node.scale, node.shift, make_reals(node.output), &node);
}

void Lowering::lower_softmax(const Node& node) {
  const Tensor input = reals(node.inputs[0]);
  builder_.add_node(node.name, same_op(node.op), {input}, make_reals(node.output), &node);
}

void Lowering::lower_lookup(const Node& node, const std::function<double(double)>& function) {
  const std::string& name = graph_.values[node.output].name;
  codes_[node.output] =
      table_look_up(node.name, node.output, codes(node.inputs[0]), plan_[node.output].encoding,
                    plan_[node.output].reals ? name + "_quantized" : name, function);
}

void Lowering::lower_view(const Node& node) {
  const OpType op = same_op(node.op);
  if (plan_[node.output].codes) {
    const Codes input = codes(node.inputs[0]);
    const Tensor output = make_codes(node.output, input.encoding);
    engine::Node& lowered = builder_.add_node(node.name, op, {input.tensor}, output, &node);
    // The engine's bounds are those of scale * (q - zero_point).
    lowered.clip_min = static_cast<float>(double{lowered.clip_min} - input.encoding.offset);
    lowered.clip_max = static_cast<float>(double{lowered.clip_max} - input.encoding.offset);
  }
  if (plan_[node.output].reals) {
    const Tensor input = reals(node.inputs[0]);
    builder_.add_node(node.name, op, {input}, make_reals(node.output), &node);
  }
}

void Lowering::lower_concat(const Node& node) {
  if (plan_[node.output].codes) {
    Encoding encoding = codes(node.inputs[0]).encoding;
    for (const ValueId input : node.inputs) {
      // Not the encoding that all of them have: the planned one, which holds all their values.
      if (codes(input).encoding != encoding) encoding = plan_[node.output].encoding;
    }
    std::vector<Tensor> inputs;
    for (const ValueId input : node.inputs) {
      inputs.push_back(in_encoding(input, encoding, node).tensor);
    }
    const Tensor output = make_codes(node.output, encoding);
    builder_.add_node(node.name, OpType::concat, std::move(inputs), output, &node);
  }
  if (plan_[node.output].reals) {
    std::vector<Tensor> inputs;
    for (const ValueId input : node.inputs) inputs.push_back(reals(input));
    builder_.add_node(node.name, OpType::concat, std::move(inputs), make_reals(node.output), &node);
  }
}

}  // namespace octet::convert
