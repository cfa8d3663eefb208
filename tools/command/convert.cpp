// SPDX-License-Identifier: Apache-2.0
// octet convert: ONNX -> .octet: a float network, with what int8 cost on the calibration samples,
// or a quantized one, whose scales are kept.
#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

#include "engine/errors.h"
#include "tools/command/calibration_source.h"
#include "tools/command/command.h"
#include "tools/command/network.h"
#include "tools/command/output_file.h"
#include "tools/command/print.h"
#include "tools/command/progress.h"
#include "tools/convert/calibrate.h"
#include "tools/convert/equalize.h"
#include "tools/convert/lower_quantized.h"
#include "tools/convert/metrics.h"
#include "tools/convert/model_writer.h"
#include "tools/convert/onnx_import.h"
#include "tools/convert/quantize.h"
#include "tools/convert/simplify.h"

namespace octet::command {
namespace {

// A quantized network decides itself what these options are about.
void check_options(const ConvertOptions& options, bool quantized) {
  if (!quantized) {
    if (!options.calibrate.empty()) return;
    engine::fail(Error::Code::argument, options.model,
                 ": a float network needs calibration data; add --calibrate DATA, a folder with "
                 "MNIST's IDX files or X.npy (a network trained for int8 comes as float where its "
                 "export left the fake quantization out)");
  }
  const ConvertOptions unset;
  const std::pair<const char*, bool> given[] = {
      {"--calibrate", !options.calibrate.empty()},
      {"--calibration", options.calibration != unset.calibration},
      {"--weights", options.weights != unset.weights},
      {"--symmetric", options.symmetric},
      {"--equalize", options.equalize}};
  for (const auto& [name, is_given] : given) {
    if (!is_given) continue;
    engine::fail(Error::Code::argument, options.model,
                 ": is already quantized, its own scales are kept; leave ", name, " out");
  }
}

// The range of every value; notes tell by what auto chose them.
std::vector<convert::Range> calibrate(const convert::Graph& graph, const data::Dataset& dataset,
                                      const ConvertOptions& options,
                                      std::vector<std::string>& notes) {
  CalibrationSource source(dataset, tensor_infos(graph, graph.inputs),
                           options.normalization.value_or(Normalization{}), options.model);
  const convert::CalibrationOptions how{convert::find_calibration(options.calibration).value(),
                                        options.percentile, options.symmetric};
  const bool once = how.method == convert::Calibration::minmax;
  Progress progress("calibrating", dataset.samples() * (once ? 1 : 2));
  std::vector<convert::Calibration> chosen;
  auto ranges = convert::calibrate(
      graph, source, how, [&](std::size_t samples) { progress.update(samples); }, &chosen);
  if (how.method != convert::Calibration::automatic) return ranges;
  for (const convert::Node& node : graph.nodes) {
    if (std::ranges::find(graph.outputs, node.output) != graph.outputs.end()) continue;
    notes.push_back(engine::message("range of '", graph.values[node.output].name, "' by ",
                                    convert::calibration_name(chosen[node.output])));
  }
  return ranges;
}

// Data that say nothing: a wrong file, or an array that was never filled.
void note_constant_inputs(const convert::Graph& graph, const std::vector<convert::Range>& ranges,
                          std::vector<std::string>& notes) {
  for (const convert::ValueId input : graph.inputs) {
    if (ranges[input].min != ranges[input].max) continue;
    notes.push_back(engine::message("input '", graph.values[input].name, "': all its values are ",
                                    ranges[input].min,
                                    "; calibrate with samples like those to come"));
  }
}

void describe_source(engine::Graph& graph, const convert::Graph& source,
                     const ConvertOptions& options) {
  graph.metadata = {{"producer", std::string("octet ") + octet_version()},
                    {"source", std::filesystem::path(options.model).filename().string()},
                    {"source_sha256", source.source_sha256}};
}

void describe_calibration(engine::Graph& graph, const data::Dataset& dataset,
                          const ConvertOptions& options) {
  std::string calibration = options.calibration;
  if (options.calibration == "percentile" || options.calibration == "auto")
    calibration += engine::message(" ", options.percentile);
  calibration += engine::message(", ", dataset.samples(), " samples");
  const std::pair<std::string, std::string> entries[] = {
      {"weights", options.weights},
      {"activations", options.symmetric ? "symmetric" : "asymmetric"},
      {"calibration", calibration},
      {"calibration_sha256", dataset_sha256(dataset)}};
  graph.metadata.insert(graph.metadata.end(), std::begin(entries), std::end(entries));
}

// What the model gives beside the float graph on the calibration samples.
convert::Evaluation compare(const std::vector<std::byte>& file, convert::Graph graph,
                            const data::Dataset& dataset, const ConvertOptions& options) {
  const auto quantized = octet_network(Model::parse(file, options.output), options.output, 1);
  const auto original = float_network(std::move(graph), options.model);
  // The model stores the normalization itself; the float graph must be told.
  Progress progress("comparing", 2 * dataset.samples());
  const Logits got = compute_logits(*quantized, dataset, std::nullopt,
                                    [&](std::size_t done) { progress.update(done); });
  const Logits expected =
      compute_logits(*original, dataset, options.normalization,
                     [&](std::size_t done) { progress.update(dataset.samples() + done); });
  return evaluate(got, &expected, {});
}

// A conversion, and what it gives beside the float graph on the calibration samples.
struct Attempt {
  convert::QuantizedGraph quantized;
  std::vector<std::string> notes;
  convert::Evaluation cost;
  bool equalized = false;
};

Attempt attempt(const convert::Graph& graph, const data::Dataset& dataset,
                const ConvertOptions& options) {
  Attempt result;
  result.notes = graph.notes;
  const auto ranges = calibrate(graph, dataset, options, result.notes);
  note_constant_inputs(graph, ranges, result.notes);
  convert::QuantizeOptions how;
  how.per_channel = options.weights == "per-channel";
  how.symmetric = options.symmetric;
  how.pixels = options.normalization;
  result.quantized = convert::quantize(graph, ranges, how);
  const auto& notes = result.quantized.notes;
  result.notes.insert(result.notes.end(), notes.begin(), notes.end());
  result.cost = compare(convert::write_model(result.quantized.graph), graph, dataset, options);
  return result;
}

// With --equalize also the equalized graph; the better of both.
Attempt best_attempt(const convert::Graph& graph, const data::Dataset& dataset,
                     const ConvertOptions& options) {
  Attempt plain = attempt(graph, dataset, options);
  if (!options.equalize) return plain;
  convert::Graph equalized = graph;
  const std::size_t neurons = convert::equalize(equalized);
  if (neurons == 0) {
    plain.notes.push_back("equalization finds no neuron to rescale");
    return plain;
  }
  Attempt repaired;
  try {
    repaired = attempt(equalized, dataset, options);
  } catch (const Error& error) {
    plain.notes.push_back(engine::message("equalization not kept: ", error.what()));
    return plain;
  }
  const bool better = repaired.cost.sqnr_db() > plain.cost.sqnr_db();
  Attempt& best = better ? repaired : plain;
  best.notes.push_back(engine::message("equalization of ", count(neurons, "neuron"), " ",
                                       better ? "kept" : "not kept", ": SQNR ",
                                       format("%.1f", plain.cost.sqnr_db()), " dB without, ",
                                       format("%.1f", repaired.cost.sqnr_db()), " dB with it"));
  best.equalized = better;
  return std::move(best);
}

// Writes the file and prints what it became.
void finish(const engine::Graph& quantized, const convert::Graph& graph, std::size_t imported_nodes,
            const ConvertOptions& options) {
  engine::check_graph(quantized, options.output, {});
  const auto file = convert::write_model(quantized);
  convert::write_file(options.output, file.data(), file.size());
  const auto source_bytes = data::file_bytes(options.model);
  std::printf("%s -> %s\n", options.model.c_str(), options.output.c_str());
  std::printf("nodes        %zu imported, %zu simplified, %zu quantized\n", imported_nodes,
              graph.nodes.size(), quantized.nodes.size());
  std::printf("bytes        %s -> %s (%.1f %%)\n", grouped(source_bytes).c_str(),
              grouped(file.size()).c_str(),
              100 * static_cast<double>(file.size()) / static_cast<double>(source_bytes));
}

void print_notes(const std::vector<std::string>& notes) {
  for (const auto& note : notes) std::printf("note         %s\n", note.c_str());
}

void convert_quantized(const convert::Graph& graph, std::size_t imported_nodes,
                       const ConvertOptions& options) {
  convert::QuantizedGraph result = convert::lower_quantized(graph, options.normalization);
  describe_source(result.graph, graph, options);
  result.graph.metadata.emplace_back("quantization", "kept from the source");
  finish(result.graph, graph, imported_nodes, options);
  print_notes(graph.notes);
  print_notes(result.notes);
}

void convert_float(const convert::Graph& graph, std::size_t imported_nodes,
                   const ConvertOptions& options) {
  const data::Dataset dataset = data::load_dataset(
      options.calibrate, {data::Half::train, graph.inputs.size(), false, options.samples});
  check_output(options.output, "-o", options.model, dataset.paths);
  Attempt best = best_attempt(graph, dataset, options);
  engine::Graph& quantized = best.quantized.graph;
  describe_source(quantized, graph, options);
  describe_calibration(quantized, dataset, options);
  if (best.equalized) quantized.metadata.emplace_back("equalized", "yes");
  quantized.metadata.emplace_back("agreement", format("%.4f", best.cost.agreement()));
  quantized.metadata.emplace_back("sqnr_db", format("%.2f", best.cost.sqnr_db()));
  finish(quantized, graph, imported_nodes, options);
  std::printf("calibration  %s, %s of %s\n", options.calibration.c_str(),
              count(dataset.samples(), "sample").c_str(), dataset.paths[0].c_str());
  print_notes(best.notes);
  std::printf("int8/float   arg-max agrees on %.2f %%, SQNR of '%s' %.1f dB (on these samples)\n",
              100 * best.cost.agreement(), graph.values[graph.outputs[0]].name.c_str(),
              best.cost.sqnr_db());
}

}  // namespace

void run_convert(const ConvertOptions& options) {
  check_output(options.output, "-o", options.model, {});
  convert::Graph graph = convert::import_onnx(options.model);
  const std::size_t imported_nodes = graph.nodes.size();
  convert::simplify(graph);
  const bool quantized = convert::is_quantized(graph);
  check_options(options, quantized);
  if (quantized) {
    convert_quantized(graph, imported_nodes, options);
  } else {
    convert_float(graph, imported_nodes, options);
  }
}

}  // namespace octet::command
