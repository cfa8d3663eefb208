// SPDX-License-Identifier: Apache-2.0
// octet info: what is inside a network file.
#include <cmath>
#include <nlohmann/json.hpp>

#include "engine/errors.h"
#include "engine/inspect.h"
#include "tools/command/command.h"
#include "tools/command/json_text.h"
#include "tools/command/network.h"
#include "tools/command/print.h"
#include "tools/command/proof.h"
#include "tools/convert/onnx_import.h"
#include "tools/convert/simplify.h"
#include "tools/data/array.h"

namespace octet::command {
namespace {

using nlohmann::ordered_json;

std::string clip_text(float low, float high) {
  if (std::isinf(low) && std::isinf(high)) return "";
  return format("[%g, %g]", static_cast<double>(low), static_cast<double>(high));
}

void put_clip(ordered_json& node, float low, float high) {
  if (std::isfinite(low)) node["clip_min"] = low;
  if (std::isfinite(high)) node["clip_max"] = high;
}

// ---- .octet

ordered_json tensor_json(const engine::Tensor& tensor) {
  ordered_json result{
      {"name", tensor.name}, {"dtype", engine::dtype_name(tensor.dtype)}, {"shape", tensor.shape}};
  if (engine::is_q8(tensor.dtype) && tensor.scale != 0) {
    result["scale"] = tensor.scale;
    result["zero_point"] = tensor.zero_point;
  }
  return result;
}

struct OctetFile {
  std::string path;
  engine::LoadedGraph loaded;
  std::uint64_t bytes;
  Model model;
  engine::ModelInfo info;
  std::uint64_t parameter_bytes = 0;
  std::uint64_t packed_bytes = 0;
  std::uint64_t multiply_adds = 0;

  explicit OctetFile(const std::string& file)
      : path(file),
        loaded(engine::read_graph(file)),
        bytes(data::file_bytes(file)),
        model(Model::load(file)),
        info(engine::inspect(model.handle())) {
    for (const auto& tensor : loaded.graph.tensors) {
      if (tensor.is_constant) parameter_bytes += tensor.data.size();
    }
    for (const auto& step : info.steps) {
      packed_bytes += step.parameter_bytes;
      multiply_adds += step.multiply_adds;
    }
  }

  const engine::StepInfo* step(std::size_t node) const {
    for (const auto& candidate : info.steps) {
      if (candidate.node == node) return &candidate;
    }
    return nullptr;
  }
  std::uint64_t node_parameters(const engine::Node& node) const {
    std::uint64_t sum = 0;
    for (const auto index : node.inputs) sum += loaded.graph.tensors[index].data.size();
    return sum;
  }
};

void print_octet_json(const OctetFile& file) {
  const engine::Graph& graph = file.loaded.graph;
  ordered_json result{{"file", file.path},
                      {"bytes", file.bytes},
                      {"arithmetic_version", file.loaded.arithmetic_version},
                      {"reader_version", file.loaded.reader_version},
                      {"metadata", ordered_json::object()},
                      {"isa", file.model.isa()},
                      {"inputs", ordered_json::array()},
                      {"outputs", ordered_json::array()},
                      {"nodes", ordered_json::array()}};
  for (const auto& [key, value] : graph.metadata) result["metadata"][key] = value;
  for (const auto& input : graph.inputs) {
    ordered_json entry = tensor_json(graph.tensors[input.tensor]);
    if (input.has_normalization) {
      entry["mean"] = input.normalization.mean;
      entry["std"] = input.normalization.std;
    }
    result["inputs"].push_back(std::move(entry));
  }
  for (const auto index : graph.outputs) {
    result["outputs"].push_back(tensor_json(graph.tensors[index]));
  }
  for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
    const engine::Node& node = graph.nodes[i];
    ordered_json entry{{"name", node.name},
                       {"op", engine::op_name(node.op)},
                       {"inputs", ordered_json::array()},
                       {"output", tensor_json(graph.tensors[node.output])}};
    for (const auto index : node.inputs)
      entry["inputs"].push_back(tensor_json(graph.tensors[index]));
    put_clip(entry, node.clip_min, node.clip_max);
    entry["parameter_bytes"] = file.node_parameters(node);
    const NodeProof proof = prove(graph, node);
    if (proof.arithmetic == Arithmetic::floats) entry["float_because"] = proof.why;
    if (!proof.accumulators.empty()) entry["accumulators"] = proof.accumulators;
    if (const auto* step = file.step(i)) {
      entry["kernel"] = step->kernel;
      entry["multiply_adds"] = step->multiply_adds;
      entry["packed_bytes"] = step->parameter_bytes;
    }
    result["nodes"].push_back(std::move(entry));
  }
  result["parameter_bytes"] = file.parameter_bytes;
  result["packed_bytes"] = file.packed_bytes;
  result["multiply_adds"] = file.multiply_adds;
  result["block_rows"] = file.info.block_rows;
  result["arena_bytes"] = file.info.arena_bytes;
  std::printf("%s\n", json_text(result).c_str());
}

std::string quantization_text(const engine::Tensor& tensor) {
  if (!engine::is_q8(tensor.dtype)) return "";
  return format("  scale %.9g, zero point %d", static_cast<double>(tensor.scale),
                tensor.zero_point);
}

void print_octet(const OctetFile& file) {
  const engine::Graph& graph = file.loaded.graph;
  std::printf("%s: %s, arithmetic version %u, needs reader version %u\n", file.path.c_str(),
              count(file.bytes, "byte").c_str(), file.loaded.arithmetic_version,
              file.loaded.reader_version);
  TextTable metadata("ll");
  for (const auto& [key, value] : graph.metadata) metadata.row({"  " + key, value});
  metadata.print();
  for (const auto& input : graph.inputs) {
    const auto& tensor = graph.tensors[input.tensor];
    std::printf("input   %s  %s %s%s\n", tensor.name.c_str(),
                std::string(engine::dtype_name(tensor.dtype)).c_str(),
                shape_text(tensor.shape).c_str(), quantization_text(tensor).c_str());
    if (input.has_normalization) {
      std::printf("        pixels, meaning (p / 255 - MEAN) / STD with MEAN,STD = %s\n",
                  engine::message(input.normalization.mean, ",", input.normalization.std).c_str());
    }
  }
  for (const auto index : graph.outputs) {
    const auto& tensor = graph.tensors[index];
    std::printf("output  %s  %s %s%s\n", tensor.name.c_str(),
                std::string(engine::dtype_name(tensor.dtype)).c_str(),
                shape_text(tensor.shape).c_str(), quantization_text(tensor).c_str());
  }
  TextTable nodes("llllrrlrrll");
  nodes.row({"node", "op", "type", "shape", "scale", "zero point", "clip", "parameters",
             "accumulator", "kernel on " + std::string(file.model.isa()), "in float, because"});
  for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
    const engine::Node& node = graph.nodes[i];
    const engine::Tensor& out = graph.tensors[node.output];
    const bool q8 = engine::is_q8(out.dtype);
    const auto* step = file.step(i);
    const NodeProof proof = prove(graph, node);
    nodes.row(
        {node.name, std::string(engine::op_name(node.op)),
         std::string(engine::dtype_name(out.dtype)), shape_text(out.shape),
         q8 ? format("%.9g", static_cast<double>(out.scale)) : "",
         q8 ? std::to_string(out.zero_point) : "", clip_text(node.clip_min, node.clip_max),
         grouped(file.node_parameters(node)),
         proof.accumulators.empty() ? "" : format("%.2g %%", 100 * largest_accumulator(proof)),
         step != nullptr ? step->kernel : "-", proof.why});
  }
  nodes.print();
  std::printf("parameters  %s in the file, %s packed in memory\n",
              count(file.parameter_bytes, "byte").c_str(), grouped(file.packed_bytes).c_str());
  std::printf("arena       %s per task, for blocks of %s\n",
              count(file.info.arena_bytes, "byte").c_str(),
              count(file.info.block_rows, "sample").c_str());
  std::printf("work        %s per sample\n", count(file.multiply_adds, "multiply-add").c_str());
}

// ---- .onnx

std::uint64_t float_parameters(const convert::Node& node) {
  return sizeof(float) *
         (node.weight.size() + node.bias.size() + node.scale.size() + node.shift.size());
}

ordered_json values_json(const convert::Graph& graph, const std::vector<convert::ValueId>& ids) {
  ordered_json result = ordered_json::array();
  for (const auto id : ids) {
    result.push_back({{"name", graph.values[id].name}, {"shape", graph.values[id].shape}});
  }
  return result;
}

ordered_json nodes_json(const convert::Graph& graph) {
  ordered_json result = ordered_json::array();
  for (const auto& node : graph.nodes) {
    ordered_json entry{{"name", node.name},
                       {"op", convert::op_name(node)},
                       {"inputs", values_json(graph, node.inputs)},
                       {"output", values_json(graph, {node.output})[0]}};
    put_clip(entry, node.clip_min, node.clip_max);
    entry["parameter_bytes"] = float_parameters(node);
    result.push_back(std::move(entry));
  }
  return result;
}

void print_values(const convert::Graph& graph, const char* what,
                  const std::vector<convert::ValueId>& ids) {
  for (const auto id : ids) {
    std::printf("%s  %s  f32 %s\n", what, graph.values[id].name.c_str(),
                shape_text(graph.values[id].shape).c_str());
  }
}

void print_nodes(const convert::Graph& graph, const char* when) {
  std::uint64_t bytes = 0;
  TextTable table("lllllr");
  table.row({"node", "op", "inputs", "shape", "clip", "parameters"});
  for (const auto& node : graph.nodes) {
    std::string inputs;
    for (const auto id : node.inputs) {
      inputs += (inputs.empty() ? "" : ", ") + graph.values[id].name;
    }
    bytes += float_parameters(node);
    table.row({node.name, std::string(convert::op_name(node)), inputs,
               shape_text(graph.values[node.output].shape), clip_text(node.clip_min, node.clip_max),
               grouped(float_parameters(node))});
  }
  std::printf("%s: %s, %s of parameters\n", when, count(graph.nodes.size(), "node").c_str(),
              count(bytes, "byte").c_str());
  table.print();
}

void info_onnx(const std::string& path, bool json) {
  convert::Graph graph = convert::import_onnx(path);
  const std::uint64_t bytes = data::file_bytes(path);
  if (json) {
    ordered_json result{{"file", path},
                        {"bytes", bytes},
                        {"sha256", graph.source_sha256},
                        {"opset", graph.opset},
                        {"producer", graph.producer},
                        {"inputs", values_json(graph, graph.inputs)},
                        {"outputs", values_json(graph, graph.outputs)},
                        {"nodes", nodes_json(graph)}};
    convert::simplify(graph);
    result["simplified_nodes"] = nodes_json(graph);
    std::printf("%s\n", json_text(result).c_str());
    return;
  }
  std::printf("%s: %s, ONNX opset %lld, made by %s\n", path.c_str(), count(bytes, "byte").c_str(),
              static_cast<long long>(graph.opset),
              graph.producer.empty() ? "(it does not say)" : graph.producer.c_str());
  std::printf("  sha256  %s\n", graph.source_sha256.c_str());
  print_values(graph, "input ", graph.inputs);
  print_values(graph, "output", graph.outputs);
  print_nodes(graph, "imported");
  convert::simplify(graph);
  print_nodes(graph, "simplified");
}

}  // namespace

void run_info(const InfoOptions& options) {
  if (is_onnx(options.model)) {
    info_onnx(options.model, options.json);
  } else if (const OctetFile file(options.model); options.json) {
    print_octet_json(file);
  } else {
    print_octet(file);
  }
}

}  // namespace octet::command
