// SPDX-License-Identifier: Apache-2.0
// One node of an ONNX graph as the operators' importers see it: attributes and operands, checked.
#pragma once

#include <onnx/onnx.pb.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tools/convert/graph.h"
#include "tools/convert/onnx_constant.h"

namespace octet::convert {

// What a name of the ONNX graph stands for: an activation, a constant, or neither where the input
// is absent or the node that makes it was refused.
struct Binding {
  ValueId value = kNoValue;
  std::shared_ptr<const Constant> constant;
  bool refused = false;
};

// Thrown by OnnxNode::refuse; the importer collects them.
struct Refusal {
  std::string message;
};

class OnnxNode {
 public:
  OnnxNode(const onnx::NodeProto& proto, std::size_t index, std::int64_t opset_version,
           std::string model_path, std::vector<Binding> inputs);

  const std::int64_t opset;
  const onnx::NodeProto& proto() const noexcept { return proto_; }
  const std::string& label() const;  // the node's name, or its output's if it has none
  std::string where() const;         // "node 3 'fc1' (Gemm)"

  // The node is legal, but octet cannot express it: reason and remedy, "...; do this".
  [[noreturn]] void refuse(const std::string& reason) const;
  // The node breaks ONNX's rules: throws octet::Error (format).
  [[noreturn]] void invalid(const std::string& reason) const;

  std::size_t inputs() const noexcept { return inputs_.size(); }
  const Binding& binding(std::size_t index) const { return inputs_[index]; }
  bool has(std::size_t index) const noexcept;                  // an input that is present
  const Constant* constant(std::size_t index) const noexcept;  // null: absent or an activation
  bool all_constant() const noexcept;                          // and at least one
  // The activation, or refused because it is a constant.
  ValueId activation(std::size_t index, const char* role) const;
  // A constant, or refused because it is an activation; invalid if absent.
  const Constant& need_constant(std::size_t index, const char* role) const;
  // A constant of finite floats. Throws octet::Error (format) naming the first NaN or infinity.
  const Constant& need_weights(std::size_t index, const char* role) const;
  // A constant of integers with at most one dimension.
  const std::vector<std::int64_t>& need_ints(std::size_t index, const char* role) const;

  // Attributes; a wrong type is invalid.
  bool has_attribute(const char* name) const noexcept;
  std::int64_t attribute(const char* name, std::int64_t otherwise) const;
  float attribute(const char* name, float otherwise) const;
  std::optional<std::vector<std::int64_t>> ints_attribute(const char* name) const;
  const onnx::AttributeProto* find_attribute(const char* name,
                                             onnx::AttributeProto_AttributeType type) const;

  // An axis of a tensor of this rank, negative ones counted from the end; invalid outside.
  std::size_t resolve_axis(std::int64_t axis, std::size_t rank) const;
  // Axes from the attribute of that name (operators before opset since) or from an input: each
  // resolved, ascending, no duplicates. Empty optional: not given.
  std::optional<std::vector<std::size_t>> axes(const char* name, std::size_t input,
                                               std::int64_t since, std::size_t rank) const;

 private:
  const onnx::NodeProto& proto_;
  std::size_t index_;
  std::string model_path_;
  std::vector<Binding> inputs_;
};

}  // namespace octet::convert
