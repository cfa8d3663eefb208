// SPDX-License-Identifier: Apache-2.0
#include "tools/command/proof.h"

#include <algorithm>

#include "engine/check.h"
#include "engine/errors.h"

namespace octet::command {
namespace {

using engine::DType;
using engine::OpType;

// As describe_conversion() writes them: "fc1,fc2".
bool is_kept_float(const engine::Graph& graph, const std::string& node) {
  for (const auto& [key, value] : graph.metadata) {
    if (key == "float_nodes") return ("," + value + ",").find("," + node + ",") != value.npos;
  }
  return false;
}

std::vector<std::int64_t> accumulators(const engine::Graph& graph, const engine::Node& node) {
  std::vector<std::int64_t> result;
  const std::int64_t channels = graph.tensors[node.inputs[1]].shape[0];
  for (std::size_t i = 0; i < static_cast<std::size_t>(channels); ++i) {
    result.push_back(engine::check::accumulator(graph, node, i).largest());
  }
  return result;
}

NodeProof in_floats(std::string why) {
  return {Arithmetic::floats, std::move(why), {}};
}

}  // namespace

NodeProof prove(const engine::Graph& graph, const engine::Node& node) {
  const bool floats = graph.tensors[node.output].dtype == DType::f32;
  switch (node.op) {
    case OpType::linear:
    case OpType::dynamic_linear:
      return {Arithmetic::int8, "", accumulators(graph, node)};
    case OpType::lookup:
      return {Arithmetic::int8, "", {}};
    case OpType::float_linear:
      return in_floats(is_kept_float(graph, node.name) ? "kept in float when it was converted"
                                                       : "its input or weights are not quantized");
    case OpType::group_linear:
      return in_floats("weight-only, activations are float");
    case OpType::affine:
      return in_floats("no linear layer or table took it in");
    case OpType::softmax:
    case OpType::log_softmax:
      return in_floats("has no int8 form");
    case OpType::add:
    case OpType::clip:
      if (floats) return in_floats("no node behind it takes 8 bits");
      return {Arithmetic::int8, "", {}};
    case OpType::quantize:
    case OpType::dequantize:
    case OpType::requantize:
    case OpType::dynamic_quantize:
    case OpType::dynamic_scale:
    case OpType::dynamic_zero_point:
    case OpType::reshape:
    case OpType::transpose:
    case OpType::concat:
    case OpType::slice:
      return {};
  }
  return {};
}

double largest_accumulator(const NodeProof& proof) noexcept {
  if (proof.accumulators.empty()) return 0;
  return static_cast<double>(std::ranges::max(proof.accumulators)) / 0x1p31;
}

void check_strict(const engine::Graph& graph, const std::string& source) {
  std::string lines;
  std::size_t count = 0;
  for (const engine::Node& node : graph.nodes) {
    const NodeProof proof = prove(graph, node);
    if (proof.arithmetic != Arithmetic::floats) continue;
    lines += engine::message("\n  node '", node.name, "' (", op_name(node.op), "): ", proof.why);
    ++count;
  }
  if (count == 0) return;
  engine::fail(Error::Code::unsupported, source, ": --strict, but ", count,
               count == 1 ? " node computes" : " nodes compute", " in float:", lines);
}

}  // namespace octet::command
