// SPDX-License-Identifier: Apache-2.0
// Attributes and operands of an ONNX node, with the errors that a wrong one gives.
#include "tools/convert/onnx_node.h"

#include <octet/octet.h>

#include <algorithm>
#include <cmath>
#include <utility>

namespace octet::convert {

using onnx::AttributeProto;

OnnxNode::OnnxNode(const onnx::NodeProto& proto, std::size_t index, std::int64_t opset_version,
                   std::string model_path, std::vector<Binding> inputs)
    : opset(opset_version),
      proto_(proto),
      index_(index),
      model_path_(std::move(model_path)),
      inputs_(std::move(inputs)) {}

const std::string& OnnxNode::label() const {
  if (!proto_.name().empty() || proto_.output_size() == 0) return proto_.name();
  return proto_.output(0);
}

std::string OnnxNode::where() const {
  return "node " + std::to_string(index_) + " '" + label() + "' (" + proto_.op_type() + ")";
}

void OnnxNode::refuse(const std::string& reason) const {
  throw Refusal{where() + ": " + reason};
}

void OnnxNode::invalid(const std::string& reason) const {
  throw Error(Error::Code::format, model_path_ + ": " + where() + ": " + reason +
                                       "; the model is not valid ONNX, export it again");
}

bool OnnxNode::has(std::size_t index) const noexcept {
  return index < inputs_.size() &&
         (inputs_[index].constant != nullptr || inputs_[index].value != kNoValue);
}

const Constant* OnnxNode::constant(std::size_t index) const noexcept {
  return index < inputs_.size() ? inputs_[index].constant.get() : nullptr;
}

bool OnnxNode::all_constant() const noexcept {
  bool any = false;
  for (const Binding& input : inputs_) {
    if (input.value != kNoValue) return false;
    any = any || input.constant != nullptr;
  }
  return any;
}

ValueId OnnxNode::activation(std::size_t index, const char* role) const {
  if (!has(index)) invalid(std::string("has no ") + role);
  if (constant(index) != nullptr) {
    refuse(std::string("its ") + role + " '" + constant(index)->name +
           "' is a constant; octet computes this operator on activations only");
  }
  return inputs_[index].value;
}

const Constant& OnnxNode::need_constant(std::size_t index, const char* role) const {
  if (!has(index)) invalid(std::string("has no ") + role);
  if (constant(index) == nullptr) {
    refuse(std::string("its ") + role + " '" + proto_.input(static_cast<int>(index)) +
           "' is computed from the network's input; octet needs a constant there");
  }
  return *constant(index);
}

const Constant& OnnxNode::need_weights(std::size_t index, const char* role) const {
  const Constant& weights = need_constant(index, role);
  if (!weights.is_float) {
    invalid(std::string("its ") + role + " '" + weights.name + "' holds integers, not floats");
  }
  const auto bad = std::find_if_not(weights.floats.begin(), weights.floats.end(),
                                    [](float x) { return std::isfinite(x); });
  if (bad != weights.floats.end()) {
    throw Error(Error::Code::format,
                model_path_ + ": " + where() + ": its " + role + " '" + weights.name + "' holds " +
                    (std::isnan(*bad) ? "NaN" : "an infinity") + " at element " +
                    std::to_string(bad - weights.floats.begin()) + " of " +
                    std::to_string(weights.size()) + "; train or export the network again");
  }
  return weights;
}

const std::vector<std::int64_t>& OnnxNode::need_ints(std::size_t index, const char* role) const {
  const Constant& values = need_constant(index, role);
  if (values.is_float || values.dims.size() > 1) {
    invalid(std::string("its ") + role + " '" + values.name + "' is no list of integers");
  }
  return values.ints;
}

const AttributeProto* OnnxNode::find_attribute(const char* name,
                                               onnx::AttributeProto_AttributeType type) const {
  const auto& all = proto_.attribute();
  const auto found = std::find_if(all.begin(), all.end(),
                                  [&](const AttributeProto& a) { return a.name() == name; });
  if (found == all.end()) return nullptr;
  if (found->type() != type) {
    invalid(std::string("attribute ") + name + " has type " +
            onnx::AttributeProto_AttributeType_Name(found->type()) + ", not " +
            onnx::AttributeProto_AttributeType_Name(type));
  }
  return &*found;
}

bool OnnxNode::has_attribute(const char* name) const noexcept {
  const auto& all = proto_.attribute();
  return std::any_of(all.begin(), all.end(),
                     [&](const AttributeProto& a) { return a.name() == name; });
}

std::int64_t OnnxNode::attribute(const char* name, std::int64_t otherwise) const {
  const AttributeProto* found = find_attribute(name, AttributeProto::INT);
  return found != nullptr ? found->i() : otherwise;
}

float OnnxNode::attribute(const char* name, float otherwise) const {
  const AttributeProto* found = find_attribute(name, AttributeProto::FLOAT);
  const float value = found != nullptr ? found->f() : otherwise;
  if (std::isnan(value)) invalid(std::string("attribute ") + name + " is NaN");
  return value;
}

std::optional<std::vector<std::int64_t>> OnnxNode::ints_attribute(const char* name) const {
  const AttributeProto* found = find_attribute(name, AttributeProto::INTS);
  if (found == nullptr) return std::nullopt;
  return std::vector<std::int64_t>(found->ints().begin(), found->ints().end());
}

std::size_t OnnxNode::resolve_axis(std::int64_t axis, std::size_t rank) const {
  const auto signed_rank = static_cast<std::int64_t>(rank);
  if (axis < -signed_rank || axis >= signed_rank) {
    invalid("axis " + std::to_string(axis) + " lies outside a tensor of rank " +
            std::to_string(rank));
  }
  return static_cast<std::size_t>(axis < 0 ? axis + signed_rank : axis);
}

std::optional<std::vector<std::size_t>> OnnxNode::axes(const char* name, std::size_t input,
                                                       std::int64_t since, std::size_t rank) const {
  std::optional<std::vector<std::int64_t>> given;
  if (opset < since) {
    given = ints_attribute(name);
  } else if (has(input)) {
    given = need_ints(input, name);
  }
  if (!given) return std::nullopt;
  std::vector<std::size_t> result;
  for (const std::int64_t axis : *given) result.push_back(resolve_axis(axis, rank));
  std::sort(result.begin(), result.end());
  if (std::adjacent_find(result.begin(), result.end()) != result.end()) {
    invalid("an axis is given twice");
  }
  return result;
}

}  // namespace octet::convert
