// SPDX-License-Identifier: Apache-2.0
// check_graph(): what holds a graph together: counts, inputs, the order of nodes, outputs. Tensors
// are checked by check_tensor.cpp, ops by check_ops.cpp. After it a plan indexes without checks.
#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "engine/check.h"

namespace octet::engine {
namespace check {

void NodeCheck::fail_joined(const char* kinds, const Piece* pieces) const {
  throw Error(Error::Code::format, prefix() + join(kinds, pieces));
}

std::string NodeCheck::prefix() const {
  return message(source_, ": ", label("node", index_, node().name), " (", op_name(node().op),
                 "): ");
}

}  // namespace check

namespace {

using check::label;
using check::NodeCheck;
using Code = Error::Code;

constexpr float kInfinity = std::numeric_limits<float>::infinity();

// Nodes may share constants, but the proofs go through them for each node: to refuse a file must
// not take longer than its size explains.
constexpr std::uint64_t kMaxSharing = 32;
constexpr std::uint64_t kFreelyShared = std::uint64_t{32} << 20;

// What a node of each op has, in OpType's order.
struct OpRule {
  std::size_t inputs;
  bool more_inputs = false;
  bool clip = false;
  bool axis = false;
  bool start = false;
  bool inner = false;
  bool perm = false;
  bool group = false;
};
constexpr std::array<OpRule, kOpTypes> kRules = {{
    {.inputs = 1},                                     // quantize
    {.inputs = 1},                                     // dequantize
    {.inputs = 1},                                     // requantize
    {.inputs = 4, .clip = true},                       // linear
    {.inputs = 3, .clip = true},                       // float_linear
    {.inputs = 1, .clip = true},                       // clip
    {.inputs = 1},                                     // reshape
    {.inputs = 2, .clip = true},                       // add
    {.inputs = 3, .inner = true},                      // affine
    {.inputs = 2},                                     // lookup
    {.inputs = 1, .perm = true},                       // transpose
    {.inputs = 2, .more_inputs = true, .axis = true},  // concat
    {.inputs = 1, .axis = true, .start = true},        // slice
    {.inputs = 1, .axis = true},                       // softmax
    {.inputs = 1, .axis = true},                       // log_softmax
    {.inputs = 4, .clip = true, .group = true},        // group_linear
    {.inputs = 4, .clip = true, .axis = true},         // dynamic_linear
    {.inputs = 1},                                     // dynamic_quantize
    {.inputs = 1},                                     // dynamic_scale
    {.inputs = 1},                                     // dynamic_zero_point
}};

class GraphCheck {
 public:
  GraphCheck(const Graph& graph, const std::string& source, const Limits& limits)
      : graph_(graph), source_(source), limits_(limits), produced_(graph.tensors.size(), false) {}

  void run() {
    check_counts();
    for (std::size_t i = 0; i < graph_.tensors.size(); ++i) {
      check::check_tensor(graph_, source_, limits_, i);
    }
    check_inputs();
    std::uint64_t multiply_adds_left = limits_.multiply_adds;
    std::uint64_t bytes_left = limits_.file_bytes;
    const std::uint64_t readable = constant_bytes() * kMaxSharing + kFreelyShared;
    std::uint64_t read = 0;
    for (std::size_t i = 0; i < graph_.nodes.size(); ++i) {
      const Node& node = graph_.nodes[i];
      check_frame(i);
      read += node_constant_bytes(node);
      if (read > readable) {
        fail(Code::limit, node_prefix(i), "with the nodes before it reads ", read,
             " bytes of constants, shared ones each time; ", readable, " are allowed, ",
             kMaxSharing, " times those of the graph and ", kFreelyShared);
      }
      check::check_op(NodeCheck(graph_, source_, i));
      produced_[node.output] = true;
      spend(i, node_multiply_adds(node), " multiply-adds per sample", multiply_adds_left,
            "multiply_adds", limits_.multiply_adds);
      spend(i, node_parameter_bytes(node), " bytes of parameters", bytes_left, "file_bytes",
            limits_.file_bytes);
    }
    check_all_produced();
    check_outputs();
    check_metadata();
  }

 private:
  template <class... Parts>
  [[noreturn, gnu::always_inline]] void fail_format(const Parts&... parts) const {
    fail(Code::format, source_, ": ", parts...);
  }

  std::string tensor_label(std::size_t i) const {
    return label("tensor", i, graph_.tensors[i].name);
  }
  std::string node_prefix(std::size_t i) const { return NodeCheck(graph_, source_, i).prefix(); }

  void check_counts() const {
    check::check_count(source_, "tensors", graph_.tensors.size(), limits_);
    check::check_count(source_, "nodes", graph_.nodes.size(), limits_);
    check::check_count(source_, "inputs", graph_.inputs.size(), limits_);
    check::check_count(source_, "outputs", graph_.outputs.size(), limits_);
    check::check_count(source_, "metadata entries", graph_.metadata.size(), limits_);
    if (graph_.inputs.empty()) fail_format("has no input");
    if (graph_.outputs.empty()) fail_format("has no output");
  }

  // Users find inputs and outputs by name.
  void check_public_name(const char* what, std::size_t tensor,
                         std::vector<std::pair<std::string_view, std::size_t>>& seen) const {
    const std::string& name = graph_.tensors[tensor].name;
    if (name.empty()) fail_format(what, " tensor ", tensor, ": has no name");
    seen.emplace_back(name, tensor);
  }

  void check_distinct(const char* what,
                      std::vector<std::pair<std::string_view, std::size_t>>& seen) const {
    std::sort(seen.begin(), seen.end());
    for (std::size_t i = 1; i < seen.size(); ++i) {
      if (seen[i].first == seen[i - 1].first && seen[i].second != seen[i - 1].second) {
        fail_format(what, " tensors ", seen[i - 1].second, " and ", seen[i].second,
                    " have the same name '", seen[i].first, "'");
      }
    }
  }

  void check_inputs() {
    std::vector<std::pair<std::string_view, std::size_t>> seen;
    for (std::size_t i = 0; i < graph_.inputs.size(); ++i) {
      const GraphInput& input = graph_.inputs[i];
      if (input.tensor >= graph_.tensors.size()) {
        fail_format("input ", i, " is tensor ", input.tensor, ", there are ",
                    graph_.tensors.size());
      }
      const Tensor& tensor = graph_.tensors[input.tensor];
      const std::string name = tensor_label(input.tensor);
      if (tensor.is_constant) fail_format(name, ": a constant cannot be an input");
      if (tensor.dtype == DType::s32) fail_format(name, ": an input cannot be s32");
      if (produced_[input.tensor]) fail_format(name, ": is an input twice");
      produced_[input.tensor] = true;
      check_public_name("input", input.tensor, seen);
      if (!input.has_normalization) continue;
      const Normalization& pixels = input.normalization;
      if (tensor.dtype != DType::u8) {
        fail_format(name, ": is ", dtype_name(tensor.dtype),
                    ", only u8 pixels have a normalization");
      }
      if (!(pixels.mean >= -std::numeric_limits<float>::max() &&
            pixels.mean <= std::numeric_limits<float>::max()) ||
          !check::is_normal_positive(pixels.std)) {
        fail_format(name, ": mean ", pixels.mean, " and std ", pixels.std,
                    " of its normalization must be finite, std positive and normal");
      }
    }
    check_distinct("input", seen);
  }

  // All of a node but what its op asks.
  void check_frame(std::size_t i) const {
    const Node& node = graph_.nodes[i];
    check::check_name(source_, message("node ", i), node.name);
    if (static_cast<std::uint8_t>(node.op) >= kOpTypes) {
      fail(Code::unsupported, source_, ": ", label("node", i, node.name), ": op number ",
           static_cast<std::uint8_t>(node.op), " is unknown, this octet knows 0 to ", kOpTypes - 1,
           "; update octet");
    }
    const NodeCheck check(graph_, source_, i);
    const OpRule& rule = kRules[static_cast<std::size_t>(node.op)];
    if (node.inputs.size() < rule.inputs ||
        (node.inputs.size() > rule.inputs && !rule.more_inputs)) {
      check.fail("has ", node.inputs.size(), " inputs, needs ", rule.inputs,
                 rule.more_inputs ? " or more" : "");
    }
    check_attributes(check, rule);
    for (const std::uint32_t input : node.inputs) {
      if (input >= graph_.tensors.size()) {
        check.fail("reads tensor ", input, ", there are ", graph_.tensors.size());
      }
      if (!graph_.tensors[input].is_constant && !produced_[input]) {
        check.fail("reads ", tensor_label(input), ", which no node before it writes");
      }
    }
    if (node.output >= graph_.tensors.size()) {
      check.fail("writes tensor ", node.output, ", there are ", graph_.tensors.size());
    }
    if (graph_.tensors[node.output].is_constant) {
      check.fail("writes ", tensor_label(node.output), ", which is a constant");
    }
    if (produced_[node.output]) {
      check.fail("writes ", tensor_label(node.output),
                 ", which is an input or written by a node before it");
    }
  }

  static void check_attributes(const NodeCheck& check, const OpRule& rule) {
    const Node& node = check.node();
    if (check::has_bounds(node) && !rule.clip) check.fail("this op has no bounds to clip to");
    // Written so that NaN fails.
    if (!(node.clip_min <= node.clip_max) || node.clip_min == kInfinity ||
        node.clip_max == -kInfinity) {
      check.fail("its bounds ", node.clip_min, " and ", node.clip_max, " are not an interval");
    }
    if (node.axis != 0 && !rule.axis) check.fail("this op has no axis, has ", node.axis);
    if (node.start != 0 && !rule.start) check.fail("this op has no start, has ", node.start);
    if (node.inner != 1 && !rule.inner) check.fail("this op has no inner, has ", node.inner);
    if (!node.perm.empty() && !rule.perm) check.fail("this op has no perm");
    if (node.group != 0 && !rule.group) check.fail("this op has no group, has ", node.group);
  }

  // Per sample; an op that is no matrix product counts one for each element that it writes.
  std::uint64_t node_multiply_adds(const Node& node) const {
    const std::uint64_t written = sample_elements(graph_.tensors[node.output]);
    if (node.op != OpType::linear && node.op != OpType::float_linear &&
        node.op != OpType::group_linear && node.op != OpType::dynamic_linear) {
      return written;
    }
    const auto k = static_cast<std::uint64_t>(graph_.tensors[node.inputs[0]].shape.back());
    // An extent is below 2^31, so the quotient keeps the product from wrapping.
    return written > std::numeric_limits<std::uint64_t>::max() / k
               ? std::numeric_limits<std::uint64_t>::max()
               : written * k;
  }

  std::uint64_t constant_bytes() const {
    std::uint64_t bytes = 0;
    for (const Tensor& tensor : graph_.tensors) bytes += tensor.data.size();
    return bytes;
  }
  std::uint64_t node_constant_bytes(const Node& node) const {
    std::uint64_t bytes = 0;
    for (const std::uint32_t input : node.inputs) bytes += graph_.tensors[input].data.size();
    return bytes;
  }

  // Of the node's own copy, which is packed from the constants: an affine spreads its channels over
  // a period, so a small file could outgrow memory.
  std::uint64_t node_parameter_bytes(const Node& node) const {
    const std::uint64_t bytes = node_constant_bytes(node);
    return node.op == OpType::affine ? bytes * node.inner : bytes;
  }

  void spend(std::size_t i, std::uint64_t needed, const char* what, std::uint64_t& left,
             const char* name, std::uint64_t limit) const {
    if (needed > left) {
      fail(Code::limit, node_prefix(i), "needs ", needed, what, ", ", left,
           " are left of the limit ", name, ", ", limit);
    }
    left -= needed;
  }

  void check_all_produced() const {
    for (std::size_t i = 0; i < graph_.tensors.size(); ++i) {
      if (!graph_.tensors[i].is_constant && !produced_[i]) {
        fail_format(tensor_label(i), ": is neither an input nor written by a node");
      }
    }
  }

  void check_outputs() const {
    std::vector<std::pair<std::string_view, std::size_t>> seen;
    for (std::size_t i = 0; i < graph_.outputs.size(); ++i) {
      const std::uint32_t output = graph_.outputs[i];
      if (output >= graph_.tensors.size()) {
        fail_format("output ", i, " is tensor ", output, ", there are ", graph_.tensors.size());
      }
      if (graph_.tensors[output].is_constant) {
        fail_format(tensor_label(output), ": a constant cannot be an output");
      }
      check_public_name("output", output, seen);
    }
    check_distinct("output", seen);
  }

  void check_metadata() const {
    // Pairs: one sort serves public names, too.
    std::vector<std::pair<std::string_view, std::size_t>> keys;
    for (const auto& [key, value] : graph_.metadata) {
      const std::string what = message("metadata ", keys.size());
      check::check_name(source_, what, key);
      if (key.empty()) fail_format(what, ": has no key");
      if (key.find('=') != std::string::npos) fail_format(what, ": its key '", key, "' has a '='");
      if (!is_printable(value)) {
        fail_format(what, " '", key, "': its value is not UTF-8 without control characters");
      }
      keys.emplace_back(key, keys.size());
    }
    std::sort(keys.begin(), keys.end());
    for (std::size_t i = 1; i < keys.size(); ++i) {
      if (keys[i].first == keys[i - 1].first) {
        fail_format("metadata has the key '", keys[i].first, "' twice");
      }
    }
  }

  const Graph& graph_;
  const std::string& source_;
  const Limits& limits_;
  std::vector<bool> produced_;  // per tensor: an input, or written by a node so far
};

}  // namespace

void check_graph(const Graph& graph, const std::string& source, const Limits& limits) {
  GraphCheck(graph, source, limits).run();
}

}  // namespace octet::engine
