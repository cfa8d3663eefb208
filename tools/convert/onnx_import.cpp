// SPDX-License-Identifier: Apache-2.0
// Walks an ONNX graph from its inputs to its outputs: constants are folded, activations become
// nodes of the float graph, and what octet cannot express is collected.
#include "tools/convert/onnx_import.h"

#include <octet/octet.h>

#include <algorithm>
#include <set>
#include <string_view>
#include <utility>

#include "engine/errors.h"
#include "tools/convert/onnx_boundary.h"
#include "tools/convert/onnx_builder.h"
#include "tools/convert/onnx_file.h"
#include "tools/convert/onnx_fuse.h"
#include "tools/convert/onnx_ops.h"

namespace octet::convert {
namespace {

constexpr std::int64_t kMinOpset = 7;
constexpr std::int64_t kMaxOpset = 21;
constexpr std::size_t kMaxName = 4096;
// Bytes of memory that a name takes in a set, and in the maps of fuse_dynamic_quantization().
constexpr std::uint64_t kSetEntry = 64;
constexpr std::uint64_t kFuserEntry = 160;

class Importer {
 public:
  Importer(OnnxFile& file, const std::string& path, const ImportLimits& limits)
      : path_(path),
        limits_(limits),
        proto_(*file.model.mutable_graph()),
        builder_(limits, file.memory_bytes) {
    builder_.graph.source = path;
    builder_.graph.source_sha256 = file.sha256;
    builder_.graph.producer = file.model.producer_name();
    if (!file.model.producer_version().empty()) {
      builder_.graph.producer += " " + file.model.producer_version();
    }
    if (!engine::is_printable(builder_.graph.producer)) builder_.graph.producer.clear();
    builder_.graph.opset = opset_ = find_opset(file.model);
  }

  Graph run() {
    check_names();
    builder_.need(kFuserEntry * names_given());
    fuse_dynamic_quantization(proto_, path_);
    read_initializers(proto_, builder_);
    add_inputs(proto_, builder_);
    declare_results();
    find_needed();
    for (int i = 0; i < proto_.node_size(); ++i) import_node(static_cast<std::size_t>(i));
    report_refusals();
    add_outputs(proto_, builder_);
    return std::move(builder_.graph);
  }

 private:
  [[noreturn]] void fail(Error::Code code, const std::string& reason) const {
    throw Error(code, path_ + ": " + reason);
  }

  std::int64_t find_opset(const onnx::ModelProto& model) const {
    for (const onnx::OperatorSetIdProto& opset : model.opset_import()) {
      if (!opset.domain().empty() && opset.domain() != "ai.onnx") continue;
      if (opset.version() < kMinOpset || opset.version() > kMaxOpset) {
        fail(Error::Code::unsupported, "uses opset " + std::to_string(opset.version()) +
                                           ", octet reads " + std::to_string(kMinOpset) + " to " +
                                           std::to_string(kMaxOpset) +
                                           "; export the model with opset 13 or 17");
      }
      return opset.version();
    }
    fail(Error::Code::format,
         "names no opset of ONNX, or was cut off; export or copy the model again");
  }

  // Before any of them reaches a message, a terminal or a model file.
  void check_names() const {
    const auto check = [&](const std::string& name, const char* what, int index) {
      if (name.size() > kMaxName) {
        fail(Error::Code::limit, std::string("a name of its ") + what + " number " +
                                     std::to_string(index) + " has " + std::to_string(name.size()) +
                                     " bytes, the limit is " + std::to_string(kMaxName) +
                                     "; export the model with shorter names");
      }
      if (engine::is_printable(name)) return;
      fail(Error::Code::unsupported, std::string("a name of its ") + what + " number " +
                                         std::to_string(index) +
                                         " is not UTF-8 without control characters; export the "
                                         "model with plain names");
    };
    for (int i = 0; i < proto_.input_size(); ++i) check(proto_.input(i).name(), "input", i);
    for (int i = 0; i < proto_.output_size(); ++i) check(proto_.output(i).name(), "output", i);
    for (int i = 0; i < proto_.initializer_size(); ++i) {
      check(proto_.initializer(i).name(), "initializer", i);
    }
    for (int i = 0; i < proto_.node_size(); ++i) {
      const onnx::NodeProto& node = proto_.node(i);
      for (const std::string* name : {&node.name(), &node.op_type(), &node.domain()}) {
        check(*name, "node", i);
      }
      for (const std::string& name : node.input()) check(name, "node", i);
      for (const std::string& name : node.output()) check(name, "node", i);
    }
  }

  // By nodes and initializers.
  std::uint64_t names_given() const {
    auto names = static_cast<std::uint64_t>(proto_.initializer_size());
    for (const onnx::NodeProto& node : proto_.node()) {
      names += static_cast<std::uint64_t>(node.output_size());
    }
    return names;
  }

  // All at once, so that a name that is given twice is found wherever it is.
  void declare_results() {
    for (const onnx::NodeProto& node : proto_.node()) {
      for (const std::string& output : node.output()) {
        if (output.empty()) continue;
        builder_.take(kSetEntry);
        builder_.declare(output);
        made_.insert(output);
      }
    }
  }

  // Names that the outputs depend on: only these nodes are imported.
  void find_needed() {
    for (const onnx::ValueInfoProto& output : proto_.output()) needed_.insert(output.name());
    for (int i = proto_.node_size(); i-- > 0;) {
      const onnx::NodeProto& node = proto_.node(i);
      if (!is_needed(node)) continue;
      builder_.take(kSetEntry * static_cast<std::uint64_t>(node.input_size()));
      needed_.insert(node.input().begin(), node.input().end());
    }
  }

  bool is_needed(const onnx::NodeProto& node) const {
    return std::any_of(node.output().begin(), node.output().end(), [&](const std::string& name) {
      return !name.empty() && needed_.contains(name);
    });
  }

  // The operands; not usable if one of them is the result of a node that was refused.
  std::vector<Binding> operands(const onnx::NodeProto& node, std::size_t index, bool& usable) {
    std::vector<Binding> inputs;
    builder_.need(sizeof(Binding) * static_cast<std::uint64_t>(node.input_size()));
    inputs.reserve(static_cast<std::size_t>(node.input_size()));
    for (const std::string& name : node.input()) {
      if (name.empty()) {
        inputs.emplace_back();
        continue;
      }
      const Binding* binding = builder_.find(name);
      if (binding == nullptr) {
        fail(
            Error::Code::format,
            OnnxNode(node, index, opset_, path_, {}).where() + ": its input '" + name + "' is " +
                (made_.contains(name)
                     ? "made by itself or a later node: the nodes are not in order, or form a cycle"
                     : "no input, initializer or result of a node") +
                "; export the model again");
      }
      usable = usable && !binding->refused;
      inputs.push_back(*binding);
    }
    return inputs;
  }

  void import_node(std::size_t index) {
    const onnx::NodeProto& proto = proto_.node(static_cast<int>(index));
    bool usable = true;
    const OnnxNode node(proto, index, opset_, path_, operands(proto, index, usable));
    if (is_needed(proto)) {
      try {
        const OpEntry& entry = known_op(node);
        if (usable) {
          dispatch(node, entry);
          return;
        }
      } catch (const Refusal& refusal) {
        refusals_.push_back(refusal.message);
        if (refusals_.size() == limits_.reported_nodes) report_refusals();
      }
    }
    for (const std::string& output : proto.output()) {
      if (!output.empty()) builder_.bind(output, {kNoValue, nullptr, true});
    }
  }

  void dispatch(const OnnxNode& node, const OpEntry& entry) {
    const onnx::NodeProto& proto = node.proto();
    for (int i = 1; i < proto.output_size(); ++i) {
      if (!entry.all_outputs && !proto.output(i).empty() && needed_.contains(proto.output(i))) {
        node.refuse("its output " + std::to_string(i) + " '" + proto.output(i) +
                    "' is used; octet gives the first output only");
      }
    }
    if (proto.output(0).empty() && !entry.all_outputs) node.invalid("has no output");
    const bool folds = node.all_constant() || entry.import == nullptr;
    const OpImporter importer = folds ? entry.fold : entry.import;
    if (importer == nullptr) {
      if (!node.has(0)) node.invalid("has no first input");
      node.refuse(
          "all its inputs are constants, and octet does not compute it while converting; "
          "export the model with constant folding, or run onnxsim");
    }
    refuse_sums(node);
    if (!folds && !entry.takes_codes) need_floats(node);
    importer(node, builder_);
  }

  // What MatMulInteger gives: int32, which only a Cast makes floats of.
  void refuse_sums(const OnnxNode& node) const {
    const std::string& op = node.proto().op_type();
    if (op == "Cast" || op == "Identity") return;
    for (std::size_t i = 0; i < node.inputs(); ++i) {
      const ValueId value = node.binding(i).value;
      if (value == kNoValue || builder_.graph.values[value].dtype != engine::DType::s32) continue;
      node.refuse("its input '" + node.proto().input(static_cast<int>(i)) +
                  "' is int32, the sums of a MatMulInteger; octet goes on with them as floats: put "
                  "a Cast behind the MatMulInteger");
    }
  }

  void need_floats(const OnnxNode& node) const {
    for (std::size_t i = 0; i < node.inputs(); ++i) {
      const ValueId value = node.binding(i).value;
      if (value == kNoValue || !builder_.is_codes(value)) continue;
      const engine::DType dtype = builder_.graph.values[value].dtype;
      node.invalid("its input '" + node.proto().input(static_cast<int>(i)) + "' is " +
                   (dtype == engine::DType::u8 ? "uint8" : "int8") +
                   ", it computes with floats; a DequantizeLinear is missing");
    }
  }

  // The operator's entry; refused if there is none, with what to do instead.
  static const OpEntry& known_op(const OnnxNode& node) {
    const onnx::NodeProto& proto = node.proto();
    const OpEntry* entry = find_op(proto.domain(), proto.op_type());
    if (entry != nullptr) return *entry;
    const bool nested = std::any_of(
        proto.attribute().begin(), proto.attribute().end(),
        [](const onnx::AttributeProto& a) { return a.has_g() || a.graphs_size() != 0; });
    if (nested) {
      node.refuse(
          "it holds a graph of its own; export the network without control flow, by tracing");
    }
    if (!proto.domain().empty() && proto.domain() != "ai.onnx") {
      node.refuse("it belongs to the domain '" + proto.domain() +
                  "'; octet reads ONNX's own operators: export without fused or custom ones");
    }
    const std::string& op = proto.op_type();
    if (op.starts_with("Conv") || op.find("Pool") != std::string::npos) {
      node.refuse("convolutions and pooling come with a later version of octet");
    }
    if (op == "LSTM" || op == "GRU" || op == "RNN") {
      node.refuse("octet has no recurrent layers; export the steps one by one");
    }
    node.refuse("octet has no such operator; build the layer from those that it has");
  }

  void report_refusals() const {
    if (refusals_.empty()) return;
    std::string text = refusals_.size() == 1
                           ? "1 node cannot be imported:"
                           : std::to_string(refusals_.size()) + " nodes cannot be imported:";
    if (refusals_.size() == limits_.reported_nodes) text = "no less than " + text;
    for (const std::string& refusal : refusals_) text += "\n  " + refusal;
    fail(Error::Code::unsupported, text + "\n  octet imports: " + supported_ops());
  }

  const std::string path_;
  const ImportLimits limits_;
  onnx::GraphProto& proto_;
  GraphBuilder builder_;
  std::int64_t opset_ = 0;
  std::set<std::string_view> made_;    // by nodes
  std::set<std::string_view> needed_;  // by the outputs
  std::vector<std::string> refusals_;
};

}  // namespace

Graph import_onnx(const std::string& path, const ImportLimits& limits) {
  OnnxFile file = read_onnx_file(path, limits);
  return Importer(file, path, limits).run();
}

}  // namespace octet::convert
