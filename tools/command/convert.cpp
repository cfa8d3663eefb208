// SPDX-License-Identifier: Apache-2.0
// octet convert: ONNX -> .octet: a float network, with what int8 cost on the calibration samples,
// or a quantized one, whose scales are kept.
#include <algorithm>
#include <filesystem>
#include <initializer_list>
#include <string>
#include <utility>
#include <vector>

#include "engine/errors.h"
#include "tools/command/calibration_source.h"
#include "tools/command/command.h"
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
           {{"--calibrate", !options.calibrate.empty()},
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
    if (!options.calibrate.empty()) return;
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

std::string note_lines(const std::vector<std::string>& notes) {
  std::string lines;
  for (const auto& note : notes) lines += format("note         %s\n", note.c_str());
  return lines;
}

// Writes the file and prints what it became, then more. All is made before anything is printed, and
// the file gets its name when all is printed: a conversion that fails leaves none.
void finish(const engine::Graph& quantized, const convert::Graph& graph, std::size_t imported_nodes,
            const ConvertOptions& options, const std::string& more) {
  engine::check_graph(quantized, options.output, {});
  if (options.strict) check_strict(quantized, options.model);
  const auto file = convert::write_model(quantized);
  const auto source_bytes = data::file_bytes(options.model);
  const std::string text =
      format("%s -> %s\n", options.model.c_str(), options.output.c_str()) +
      format("nodes        %zu imported, %zu simplified, %zu quantized\n", imported_nodes,
             graph.nodes.size(), quantized.nodes.size()) +
      format("bytes        %s -> %s (%.1f %%)\n", grouped(source_bytes).c_str(),
             grouped(file.size()).c_str(),
             100 * static_cast<double>(file.size()) / static_cast<double>(source_bytes)) +
      more;
  OutputFiles files;
  files.add(options.output, file);
  std::fputs(text.c_str(), stdout);
  files.commit();
}

// Without data: a quantized network, weights alone, or ranges that are found as it runs.
void convert_at_once(const convert::Graph& graph, std::size_t imported_nodes, bool quantized,
                     const ConvertOptions& options) {
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
  finish(result.graph, graph, imported_nodes, options,
         note_lines(graph.notes) + note_lines(result.notes));
}

void convert_float(const convert::Graph& graph, std::size_t imported_nodes,
                   const ConvertOptions& options) {
  const auto labels = options.max_drop ? data::Labels::where_given : data::Labels::none;
  const data::Dataset dataset = data::load_dataset(
      options.calibrate, {data::Half::train, graph.inputs.size(), labels, options.samples});
  check_output(options.output, "-o", options.model, dataset.paths);
  Conversion best = convert_with(graph, dataset, options);
  engine::Graph& quantized = best.quantized.graph;
  describe_source(quantized, graph, options);
  describe_conversion(quantized, best, dataset, options);
  finish(
      quantized, graph, imported_nodes, options,
      format("calibration  %s, %s of %s\n", best.recipe.calibration.c_str(),
             count(dataset.samples(), "sample").c_str(), dataset.paths[0].c_str()) +
          note_lines(best.notes) +
          format(
              "int8/float   arg-max agrees on %.2f %%, SQNR of '%s' %.1f dB (on these samples)\n",
              100 * best.cost.agreement(), graph.values[graph.outputs[0]].name.c_str(),
              best.cost.sqnr_db()));
}

}  // namespace

void run_convert(const ConvertOptions& options) {
  check_output(options.output, "-o", options.model, {});
  convert::Graph graph = convert::import_onnx(options.model);
  const std::size_t imported_nodes = graph.nodes.size();
  convert::simplify(graph);
  const bool quantized = convert::is_quantized(graph);
  check_options(options, quantized);
  if (quantized || options.calibrate.empty()) {
    convert_at_once(graph, imported_nodes, quantized, options);
  } else {
    convert_float(graph, imported_nodes, options);
  }
}

}  // namespace octet::command
