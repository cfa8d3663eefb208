// SPDX-License-Identifier: Apache-2.0
// The steps of a conversion: which options fit the network, the data, the attempts, what the file
// says of how it was made.
#include "tools/command/convert_file.h"

#include <algorithm>
#include <filesystem>
#include <initializer_list>
#include <string>
#include <utility>
#include <vector>

#include "engine/errors.h"
#include "tools/command/calibration_source.h"
#include "tools/command/conversion.h"
#include "tools/command/output_file.h"
#include "tools/command/print.h"
#include "tools/command/proof.h"
#include "tools/convert/lower_quantized.h"
#include "tools/convert/model_writer.h"
#include "tools/convert/onnx_import.h"
#include "tools/convert/simplify.h"

namespace octet::command {
namespace {

bool has_data(const ConvertOptions& options) {
  return !options.calibrate.empty() || !options.arrays.empty();
}

using Given = std::pair<const char*, bool>;

// Fails for the first option that was given: reason, then "leave --x out".
void refuse(const ConvertOptions& options, std::initializer_list<Given> all, const char* reason) {
  for (const auto& [name, is_given] : all) {
    if (!is_given) continue;
    engine::fail(Error::Code::argument, options.model, ": ", reason, "; leave ", name, " out");
  }
}

void check_options(const ConvertOptions& options, bool quantized) {
  const ConvertOptions unset;
  const Given calibration{"--calibration", options.calibration != unset.calibration};
  const Given weights{"--weights", options.weights != unset.weights};
  const Given symmetric{"--symmetric", options.symmetric};
  const Given equalize{"--equalize", options.equalize};
  const Given automatic{"--auto", options.automatic};
  const Given bits{"--weight-bits", options.weight_bits != unset.weight_bits};
  const Given group{"--group-size", options.group_size != unset.group_size};
  if (quantized) {
    refuse(options,
           {{"--calibrate", has_data(options)},
            calibration,
            weights,
            symmetric,
            equalize,
            automatic,
            {"--mode", options.mode != unset.mode},
            bits,
            group,
            {"--keep-float", !options.keep_float.empty()}},
           "is already quantized, its own scales are kept");
  } else if (options.mode == "dynamic") {
    refuse(options, {calibration, symmetric, equalize, automatic, bits, group},
           "--mode dynamic takes weights of 8 bits, and finds ranges as it runs");
  } else if (options.mode == "weight-only") {
    refuse(options, {calibration, weights, symmetric, equalize, automatic},
           "--mode weight-only leaves activations in float");
  } else {
    if (bits.second || group.second) {
      engine::fail(Error::Code::argument, options.model,
                   ": --weight-bits and --group-size are for --mode weight-only; add it");
    }
    if (has_data(options)) return;
    engine::fail(Error::Code::argument, options.model,
                 ": a float network needs calibration data; add --calibrate DATA, a folder with "
                 "MNIST's IDX files or X.npy (a network trained for int8 comes as float where its "
                 "export left the fake quantization out)");
  }
}

void describe_source(engine::Graph& graph, const convert::Graph& source,
                     const ConvertOptions& options) {
  graph.metadata = {{"producer", std::string("octet ") + octet_version()},
                    {"source", std::filesystem::path(options.model).filename().string()},
                    {"source_sha256", source.source_sha256}};
}

void describe_mode(engine::Graph& graph, const ConvertOptions& options) {
  const auto add = [&](const char* key, std::string value) {
    graph.metadata.emplace_back(key, std::move(value));
  };
  if (options.mode != "static") add("mode", options.mode);
  if (const auto weights = weight_only(options)) {
    add("weight_bits", std::to_string(weights->bits));
    if (weights->group != 0) add("group_size", std::to_string(weights->group));
    return;
  }
  add("weights", options.weights);
  if (options.mode == "static") {
    add("activations", options.symmetric ? "symmetric" : "asymmetric");
  }
}

void describe_float_nodes(engine::Graph& graph, const std::vector<std::string>& names) {
  if (names.empty()) return;
  std::string list;
  for (const std::string& name : names) list += (list.empty() ? "" : ",") + name;
  graph.metadata.emplace_back("float_nodes", list);
}

void describe_conversion(engine::Graph& graph, const Conversion& conversion,
                         const data::Dataset& dataset, const ConvertOptions& options) {
  const Recipe& recipe = conversion.recipe;
  std::string calibration = recipe.calibration;
  if (calibration == "percentile" || calibration == "auto") {
    calibration += engine::message(" ", options.percentile);
  }
  calibration += engine::message(", ", dataset.samples(), " samples");
  const auto add = [&](const char* key, std::string value) {
    graph.metadata.emplace_back(key, std::move(value));
  };
  describe_mode(graph, options);
  add("calibration", calibration);
  add("calibration_sha256", dataset_sha256(dataset));
  if (recipe.equalize) add("equalized", "yes");
  if (recipe.clip_weights) add("weights_clipped", "yes");
  if (recipe.correct_bias) add("bias_corrected", "yes");
  describe_float_nodes(graph, recipe.keep_float);
  add("agreement", format("%.4f", conversion.cost.agreement()));
  add("sqnr_db", format("%.2f", conversion.cost.sqnr_db()));
}

// Checks and writes the file, under a temporary name, and notes what it became.
ConvertReport write_result(const engine::Graph& quantized, const convert::Graph& graph,
                           std::size_t imported_nodes, const ConvertOptions& options) {
  engine::check_graph(quantized, options.output, {});
  if (options.strict) check_strict(quantized, options.model);
  const auto file = convert::write_model(quantized);
  ConvertReport report;
  report.file.add(options.output, file);
  report.imported_nodes = imported_nodes;
  report.simplified_nodes = graph.nodes.size();
  report.quantized_nodes = quantized.nodes.size();
  report.source_bytes = data::file_bytes(options.model);
  report.bytes = file.size();
  return report;
}

// Without data: a quantized network, weights alone, or ranges that are found as it runs.
ConvertReport convert_at_once(const convert::Graph& graph, std::size_t imported_nodes,
                              bool quantized, const ConvertOptions& options) {
  convert::QuantizedGraph result = quantized
                                       ? convert::lower_quantized(graph, options.normalization)
                                       : convert_without_data(graph, options);
  describe_source(result.graph, graph, options);
  if (quantized) {
    result.graph.metadata.emplace_back("quantization", "kept from the source");
  } else {
    describe_mode(result.graph, options);
    describe_float_nodes(result.graph, options.keep_float);
  }
  ConvertReport report = write_result(result.graph, graph, imported_nodes, options);
  report.notes = graph.notes;
  report.notes.insert(report.notes.end(), result.notes.begin(), result.notes.end());
  return report;
}

data::Dataset calibration_data(const ConvertOptions& options, std::size_t inputs) {
  data::DatasetRequest request{data::Half::train, inputs, data::Labels::none, options.samples};
  if (options.max_drop) request.labels = data::Labels::where_given;
  if (options.arrays.empty()) return data::load_dataset(options.calibrate, request);
  return data::make_dataset(options.arrays, request);
}

ConvertReport convert_float(const convert::Graph& graph, std::size_t imported_nodes,
                            const ConvertOptions& options) {
  const data::Dataset dataset = calibration_data(options, graph.inputs.size());
  if (options.arrays.empty()) check_output(options.output, "-o", options.model, dataset.paths);
  Conversion best = convert_with(graph, dataset, options);
  engine::Graph& quantized = best.quantized.graph;
  describe_source(quantized, graph, options);
  describe_conversion(quantized, best, dataset, options);
  ConvertReport report = write_result(quantized, graph, imported_nodes, options);
  report.notes = std::move(best.notes);
  report.measured = {best.recipe.calibration, dataset.samples(), dataset.paths[0],
                     graph.values[graph.outputs[0]].name, best.cost};
  return report;
}

}  // namespace

ConvertReport convert_file(const ConvertOptions& options) {
  check_output(options.output, "-o", options.model, {});
  convert::Graph graph = convert::import_onnx(options.model);
  const std::size_t imported_nodes = graph.nodes.size();
  convert::simplify(graph);
  const bool quantized = convert::is_quantized(graph);
  check_options(options, quantized);
  if (quantized || !has_data(options)) {
    return convert_at_once(graph, imported_nodes, quantized, options);
  }
  return convert_float(graph, imported_nodes, options);
}

}  // namespace octet::command
