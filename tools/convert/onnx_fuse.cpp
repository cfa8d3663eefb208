// SPDX-License-Identifier: Apache-2.0
// Each pattern is found from its last node, by the makers of its inputs.
#include "tools/convert/onnx_fuse.h"

#include <algorithm>
#include <initializer_list>
#include <map>
#include <utility>
#include <vector>

#include "tools/convert/onnx_constant.h"

namespace octet::convert {
namespace {

using onnx::NodeProto;
using onnx::TensorProto;

std::int64_t int_attribute(const NodeProto& node, const char* name, std::int64_t otherwise) {
  for (const onnx::AttributeProto& attribute : node.attribute()) {
    if (attribute.name() == name) return attribute.i();
  }
  return otherwise;
}

bool is_onnx(const NodeProto& node, const char* op) {
  return node.op_type() == op && (node.domain().empty() || node.domain() == "ai.onnx");
}

class Fuser {
 public:
  Fuser(onnx::GraphProto& graph, const std::string& path)
      : graph_(graph), path_(path), gone_(static_cast<std::size_t>(graph.node_size())) {
    for (int i = 0; i < graph.node_size(); ++i) {
      for (const std::string& output : graph.node(i).output()) {
        if (!output.empty()) makers_[output] = i;
      }
    }
    for (int i = 0; i < graph.initializer_size(); ++i) {
      initializers_[graph.initializer(i).name()] = i;
    }
  }

  void run() {
    // First, so that the products find the operator.
    for (int i = 0; i < graph_.node_size(); ++i) fuse_definition(i);
    for (int i = 0; i < graph_.node_size(); ++i) {
      if (!fuse_product(i)) fuse_integer_to_float(i);
    }
    erase();
  }

 private:
  // What makes a value, if it is this operator with so many inputs.
  const NodeProto* maker(const std::string& value, const char* op, int inputs) const {
    const auto found = makers_.find(value);
    if (found == makers_.end() || gone_[static_cast<std::size_t>(found->second)]) return nullptr;
    const NodeProto& node = graph_.node(found->second);
    return is_onnx(node, op) && node.input_size() == inputs ? &node : nullptr;
  }

  bool is_constant(const std::string& value, float wanted) const {
    const TensorProto* tensor = nullptr;
    if (const auto found = initializers_.find(value); found != initializers_.end()) {
      tensor = &graph_.initializer(found->second);
    } else if (const NodeProto* node = maker(value, "Constant", 0)) {
      for (const onnx::AttributeProto& attribute : node->attribute()) {
        if (attribute.name() == "value" && attribute.has_t()) tensor = &attribute.t();
      }
    }
    if (tensor == nullptr || tensor->data_type() != TensorProto::FLOAT ||
        std::ranges::any_of(tensor->dims(), [](std::int64_t dim) { return dim != 1; })) {
      return false;  // a large one is not read for nothing
    }
    return read_constant(*tensor, path_, sizeof(float) * 4, &value).floats[0] == wanted;
  }

  // op(reduce(x), 0), in either order, over all of x.
  bool is_bound_of(const std::string& value, const char* op, const char* reduce,
                   const std::string& x) const {
    const NodeProto* node = maker(value, op, 2);
    if (node == nullptr) return false;
    const int zero = is_constant(node->input(0), 0) ? 0 : 1;
    if (!is_constant(node->input(zero), 0)) return false;
    const NodeProto* reduced = maker(node->input(1 - zero), reduce, 1);
    return reduced != nullptr && reduced->input(0) == x && reduced->attribute_size() == 1 &&
           int_attribute(*reduced, "keepdims", 1) == 0;
  }

  // Cast(Round(Clip(0 - least / scale, 0, 255)))
  bool is_zero_point(const std::string& value, const std::string& least,
                     const std::string& scale) const {
    const NodeProto* cast = maker(value, "Cast", 1);
    if (cast == nullptr || int_attribute(*cast, "to", 0) != TensorProto::UINT8) return false;
    const NodeProto* round = maker(cast->input(0), "Round", 1);
    const NodeProto* clip = round == nullptr ? nullptr : maker(round->input(0), "Clip", 3);
    if (clip == nullptr || !is_constant(clip->input(1), 0) || !is_constant(clip->input(2), 255)) {
      return false;
    }
    const NodeProto* sub = maker(clip->input(0), "Sub", 2);
    const NodeProto* div = sub == nullptr ? nullptr : maker(sub->input(1), "Div", 2);
    return div != nullptr && is_constant(sub->input(0), 0) && div->input(0) == least &&
           div->input(1) == scale;
  }

  void fuse_definition(int index) {
    const NodeProto& quantize = graph_.node(index);
    if (!is_onnx(quantize, "QuantizeLinear") || quantize.input_size() != 3 ||
        quantize.output_size() != 1) {
      return;
    }
    const std::string& x = quantize.input(0);
    const std::string& scale = quantize.input(1);
    const std::string& zero_point = quantize.input(2);
    const NodeProto* div = maker(scale, "Div", 2);
    if (div == nullptr || !is_constant(div->input(1), 255)) return;
    const NodeProto* range = maker(div->input(0), "Sub", 2);
    if (range == nullptr || !is_bound_of(range->input(0), "Max", "ReduceMax", x) ||
        !is_bound_of(range->input(1), "Min", "ReduceMin", x) ||
        !is_zero_point(zero_point, range->input(1), scale)) {
      return;
    }
    // Where the scale is made: x is there, and what takes the others comes later.
    const int place = makers_.at(scale);
    remove(makers_.at(zero_point));
    remove(index);
    NodeProto node;
    node.set_name(quantize.name());
    node.set_op_type("DynamicQuantizeLinear");
    node.add_input(x);
    for (const std::string& output : {quantize.output(0), scale, zero_point}) {
      node.add_output(output);
      makers_[output] = place;
    }
    *graph_.mutable_node(place) = std::move(node);
  }

  // The DynamicQuantizeLinear with these three results.
  const NodeProto* quantizer(const std::string& codes, const std::string& scale,
                             const std::string& zero_point) const {
    const NodeProto* node = maker(codes, "DynamicQuantizeLinear", 1);
    const bool all = node != nullptr && !zero_point.empty() && node->output_size() == 3 &&
                     node->output(0) == codes && node->output(1) == scale &&
                     node->output(2) == zero_point;
    return all ? node : nullptr;
  }

  // The product at index becomes DynamicQuantizeMatMul; absent operands are empty.
  void become_matmul(int index, const std::string& name,
                     std::initializer_list<std::string> inputs) {
    NodeProto node;
    node.set_name(name);
    node.set_op_type("DynamicQuantizeMatMul");
    node.set_domain("com.microsoft");
    for (const std::string& input : inputs) node.add_input(input);
    node.add_output(graph_.node(index).output(0));
    *graph_.mutable_node(index) = std::move(node);
  }

  // Mul(Cast(MatMulInteger(codes, b, zero_point, b_zero_point)), Mul(scale, b_scale)), the operands
  // of both products in either order.
  bool fuse_product(int index) {
    const NodeProto& product = graph_.node(index);
    if (!is_onnx(product, "Mul") || product.input_size() != 2 || product.output_size() != 1) {
      return false;
    }
    for (const int first : {0, 1}) {
      const NodeProto* cast = maker(product.input(first), "Cast", 1);
      const NodeProto* scales = maker(product.input(1 - first), "Mul", 2);
      if (cast == nullptr || scales == nullptr ||
          int_attribute(*cast, "to", 0) != TensorProto::FLOAT) {
        continue;
      }
      const NodeProto* matmul = maker(cast->input(0), "MatMulInteger", 4);
      if (matmul == nullptr) matmul = maker(cast->input(0), "MatMulInteger", 3);
      if (matmul == nullptr) continue;
      for (const int own : {0, 1}) {
        const NodeProto* quantize =
            quantizer(matmul->input(0), scales->input(own), matmul->input(2));
        if (quantize == nullptr) continue;
        become_matmul(index, matmul->name(),
                      {quantize->input(0), matmul->input(1), scales->input(1 - own),
                       matmul->input_size() == 4 ? matmul->input(3) : std::string()});
        return true;
      }
    }
    return false;
  }

  // MatMulIntegerToFloat(codes, b, scale, b_scale, zero_point, b_zero_point, bias)
  void fuse_integer_to_float(int index) {
    const NodeProto& node = graph_.node(index);
    if (node.op_type() != "MatMulIntegerToFloat" || node.domain() != "com.microsoft" ||
        node.input_size() < 5 || node.output_size() != 1) {
      return;
    }
    const auto input = [&](int i) { return i < node.input_size() ? node.input(i) : std::string(); };
    const NodeProto* quantize = quantizer(input(0), input(2), input(4));
    if (quantize == nullptr) return;
    become_matmul(index, node.name(), {quantize->input(0), input(1), input(3), input(5), input(6)});
  }

  void remove(int index) { gone_[static_cast<std::size_t>(index)] = true; }

  void erase() {
    google::protobuf::RepeatedPtrField<NodeProto> kept;
    for (int i = 0; i < graph_.node_size(); ++i) {
      if (!gone_[static_cast<std::size_t>(i)]) kept.Add()->Swap(graph_.mutable_node(i));
    }
    graph_.mutable_node()->Swap(&kept);
  }

  onnx::GraphProto& graph_;
  const std::string& path_;
  std::map<std::string, int> makers_;
  std::map<std::string, int> initializers_;
  std::vector<bool> gone_;
};

}  // namespace

void fuse_dynamic_quantization(onnx::GraphProto& graph, const std::string& path) {
  const auto begins = [](const NodeProto& node) {
    return is_onnx(node, "ReduceMax") || is_onnx(node, "DynamicQuantizeLinear");
  };
  if (std::ranges::none_of(graph.node(), begins)) return;
  Fuser(graph, path).run();
}

}  // namespace octet::convert
