// SPDX-License-Identifier: Apache-2.0
// octet compare: where a model differs from the float network it was made from.
#include <cmath>
#include <string>

#include "engine/errors.h"
#include "engine/inspect.h"
#include "tools/command/command.h"
#include "tools/command/comparison.h"
#include "tools/command/network.h"
#include "tools/command/output_file.h"
#include "tools/command/print.h"
#include "tools/command/report.h"
#include "tools/convert/onnx_import.h"
#include "tools/convert/simplify.h"

namespace octet::command {
namespace {

constexpr std::size_t kShownFlips = 10;

std::string percent(double part) {
  return format(part != 0 && part < 0.001 ? "%.3f %%" : "%.1f %%", 100 * part);
}

void print_nodes(const Comparison& comparison) {
  TextTable table("lllrrrrrrrrr");
  const auto effect_text = [](const Effect& effect) {
    return decibels(effect.sqnr_db) + ", " + std::to_string(effect.flips);
  };
  table.row({"node", "op", "type", "codes from .. to", "used", "clipped", "wasted", "SQNR",
             "cosine", "alone: SQNR, flips", "left out", "accumulator"});
  for (const NodeComparison& node : comparison.nodes) {
    const bool codes = engine::is_q8(node.dtype);
    table.row({node.name, node.op, std::string(engine::dtype_name(node.dtype)),
               codes ? format("%.4g .. %.4g", node.lowest, node.highest) : "",
               codes ? percent(node.used) : "", codes ? percent(node.clipped) : "",
               codes ? percent(node.wasted) : "", decibels(node.sqnr_db),
               format("%.6f", node.cosine), effect_text(node.alone), effect_text(node.left_out),
               node.accumulator != 0 ? percent(node.accumulator) : ""});
  }
  table.print();
  for (const std::string& name : comparison.unmatched) {
    std::printf("%s: the float network has no value of its name\n", name.c_str());
  }
}

void print_flips(const Comparison& comparison) {
  std::printf("%s of %s changed\n", count(comparison.flips.size(), "answer").c_str(),
              grouped(comparison.total.samples()).c_str());
  if (comparison.flips.empty()) return;
  TextTable table(comparison.has_labels ? "rrrrr" : "rrrr");
  std::vector<std::string> heading{"sample", "float", "int8", "float's margin"};
  if (comparison.has_labels) heading.emplace_back("label");
  table.row(heading);
  for (std::size_t i = 0; i < comparison.flips.size() && i < kShownFlips; ++i) {
    const Flip& flip = comparison.flips[i];
    std::vector<std::string> cells{std::to_string(flip.sample), std::to_string(flip.expected),
                                   std::to_string(flip.got), format("%.4g", flip.margin)};
    if (comparison.has_labels) cells.push_back(std::to_string(flip.label));
    table.row(cells);
  }
  table.print();
  if (comparison.flips.size() > kShownFlips) {
    std::printf("and %zu with larger margins\n", comparison.flips.size() - kShownFlips);
  }
}

}  // namespace

void run_compare(const CompareOptions& options) {
  if (!is_onnx(options.float_model)) {
    engine::fail(Error::Code::argument, options.float_model,
                 ": the second network is the float one, a file that ends in .onnx");
  }
  if (!options.html.empty()) check_output(options.html, "--html", options.model, {});
  const engine::LoadedGraph loaded = engine::read_graph(options.model);
  convert::Graph original = convert::import_onnx(options.float_model);
  convert::simplify(original);
  const Model model = Model::load(options.model);
  data::DatasetRequest request;
  request.inputs = original.inputs.size();
  request.labels = data::Labels::where_given;
  if (options.limit != 0) request.limit = options.limit;
  const data::Dataset dataset = data::load_dataset(options.data, request);
  std::optional<Normalization> pixels = options.normalization;
  if (model.input(0).has_normalization != 0) {
    pixels = Normalization{model.input(0).mean, model.input(0).std};
  }
  const Comparison comparison =
      compare_networks(loaded.graph, options.model, original, dataset, pixels);

  const convert::Evaluation& total = comparison.total;
  std::printf("%s beside %s on %s of %s\n", options.model.c_str(), options.float_model.c_str(),
              count(total.samples(), "sample").c_str(), options.data.c_str());
  if (comparison.has_labels) {
    std::printf("accuracy   %.2f %% float, %.2f %% int8\n", 100 * total.reference_accuracy(),
                100 * total.accuracy());
  }
  std::printf("agreement  %.2f %%, SQNR %s\n", 100 * total.agreement(),
              decibels(total.sqnr_db()).c_str());
  print_nodes(comparison);
  print_flips(comparison);
  if (options.html.empty()) return;
  const std::string page = html_report(comparison, loaded.graph, options);
  OutputFiles files;
  files.add(options.html, page);
  std::printf("%s: %s\n", options.html.c_str(), count(page.size(), "byte").c_str());
  files.commit();
}

}  // namespace octet::command
