// SPDX-License-Identifier: Apache-2.0
// Attempts at a conversion, each measured on the calibration samples; a step is kept where it
// raises the first output's SQNR.
#include "tools/command/conversion.h"

#include <algorithm>
#include <map>
#include <optional>
#include <utility>

#include "engine/errors.h"
#include "tools/command/calibration_source.h"
#include "tools/command/network.h"
#include "tools/command/print.h"
#include "tools/command/progress.h"
#include "tools/convert/calibrate.h"
#include "tools/convert/correct_bias.h"
#include "tools/convert/equalize.h"
#include "tools/convert/model_writer.h"

namespace octet::command {
namespace {

using engine::message;

// What the options say for every attempt.
convert::QuantizeOptions quantize_options(const ConvertOptions& options) {
  convert::QuantizeOptions how;
  how.per_channel = options.weights == "per-channel";
  how.symmetric = options.symmetric;
  how.keep_float = options.keep_float;
  how.weight_only = weight_only(options);
  how.dynamic = options.mode == "dynamic";
  how.pixels = options.normalization;
  return how;
}

class Converter {
 public:
  Converter(const convert::Graph& graph, const data::Dataset& dataset,
            const ConvertOptions& options)
      : graph_(graph),
        dataset_(dataset),
        options_(options),
        source_(dataset, tensor_infos(graph, graph.inputs),
                options.normalization.value_or(Normalization{}), options.model) {}

  Conversion run() {
    best_ = attempt({options_.calibration, false, false, false, options_.keep_float});
    if (options_.equalize || options_.automatic) try_equalization();
    if (options_.automatic) {
      try_step("calibration auto", [](Recipe& recipe) { recipe.calibration = "auto"; });
      try_step("clipping of weights", [](Recipe& recipe) { recipe.clip_weights = true; });
      try_step("bias correction", [](Recipe& recipe) { recipe.correct_bias = true; });
      if (options_.max_drop) keep_sensitive_float();
    }
    best_->notes.insert(best_->notes.end(), steps_.begin(), steps_.end());
    return std::move(*best_);
  }

 private:
  struct Calibrated {
    std::vector<convert::Range> ranges;
    std::vector<convert::Calibration> chosen;  // by calibration auto
  };

  const Calibrated& calibrated(const convert::Graph& graph, const Recipe& recipe) {
    const auto [entry, is_new] = calibrated_.try_emplace({recipe.equalize, recipe.calibration});
    if (!is_new) return entry->second;
    const convert::CalibrationOptions how{convert::find_calibration(recipe.calibration).value(),
                                          options_.percentile, options_.symmetric};
    const bool once = how.method == convert::Calibration::minmax;
    Progress progress("calibrating", dataset_.samples() * (once ? 1 : 2));
    entry->second.ranges = convert::calibrate(
        graph, source_, how, [&](std::size_t done) { tell(progress, done); },
        &entry->second.chosen);
    return entry->second;
  }

  // By what calibration auto chose each range, and data that say nothing: a wrong file, or an array
  // that was never filled.
  void note_ranges(const convert::Graph& graph, const Recipe& recipe, const Calibrated& calibrated,
                   std::vector<std::string>& notes) const {
    for (const convert::Node& node : graph.nodes) {
      if (recipe.calibration != "auto" ||
          std::ranges::find(graph.outputs, node.output) != graph.outputs.end()) {
        continue;
      }
      notes.push_back(message("range of '", graph.values[node.output].name, "' by ",
                              convert::calibration_name(calibrated.chosen[node.output])));
    }
    for (const convert::ValueId input : graph.inputs) {
      const convert::Range range = calibrated.ranges[input];
      if (range.min != range.max) continue;
      notes.push_back(message("input '", graph.values[input].name, "': all its values are ",
                              range.min, "; calibrate with samples like those to come"));
    }
  }

  Conversion attempt(Recipe recipe) {
    const convert::Graph& base = recipe.equalize ? *equalized_ : graph_;
    const Calibrated& ranges = calibrated(base, recipe);
    convert::QuantizeOptions how = quantize_options(options_);
    how.clip_weights = recipe.clip_weights;
    how.keep_float = recipe.keep_float;
    std::optional<convert::Graph> corrected;
    if (recipe.correct_bias) {
      corrected = base;
      convert::correct_biases(*corrected, ranges.ranges, how, source_);
    }
    const convert::Graph& graph = corrected ? *corrected : base;

    Conversion result;
    result.notes = graph.notes;
    note_ranges(graph, recipe, ranges, result.notes);
    result.quantized = convert::quantize(graph, ranges.ranges, how);
    const auto& notes = result.quantized.notes;
    result.notes.insert(result.notes.end(), notes.begin(), notes.end());
    result.cost = compare(convert::write_model(result.quantized.graph));
    result.recipe = std::move(recipe);
    return result;
  }

  void tell(Progress& progress, std::size_t done) const {
    if (options_.tick) {
      options_.tick();
    } else {
      progress.update(done);
    }
  }

  // What the model gives beside the float graph.
  convert::Evaluation compare(const std::vector<std::byte>& file) {
    const auto quantized = octet_network(Model::parse(file, options_.output), options_.output, 1);
    Progress progress("comparing", dataset_.samples() * (expected_ ? 1 : 2));
    // The model stores the normalization itself; the float graph must be told.
    const Logits got = compute_logits(*quantized, dataset_, std::nullopt,
                                      [&](std::size_t done) { tell(progress, done); });
    if (!expected_) {
      const auto original = float_network(graph_, options_.model);
      expected_ =
          compute_logits(*original, dataset_, options_.normalization,
                         [&](std::size_t done) { tell(progress, dataset_.samples() + done); });
    }
    return evaluate(got, &*expected_, dataset_.labels);
  }

  void try_equalization() {
    equalized_ = graph_;
    const std::size_t neurons = convert::equalize(*equalized_);
    if (neurons == 0) {
      steps_.push_back("equalization finds no neuron to rescale");
      return;
    }
    try_step("equalization of " + count(neurons, "neuron"),
             [](Recipe& recipe) { recipe.equalize = true; });
  }

  template <class Change>
  void try_step(const std::string& name, const Change& change) {
    Recipe recipe = best_->recipe;
    change(recipe);
    try {
      Conversion changed = attempt(std::move(recipe));
      const bool better = changed.cost.sqnr_db() > best_->cost.sqnr_db();
      steps_.push_back(message(name, better ? " kept" : " not kept", ": SQNR ",
                               decibels(best_->cost.sqnr_db()), " without, ",
                               decibels(changed.cost.sqnr_db()), " with it"));
      if (better) best_ = std::move(changed);
    } catch (const Error& error) {
      steps_.push_back(message(name, " not kept: ", error.what()));
    }
  }

  // What accuracy the int8 network lost, in points: by the data's labels, or where it has none the
  // part of the samples whose arg-max changed.
  double drop(const Conversion& conversion) const {
    const convert::Evaluation& cost = conversion.cost;
    return 100 * (dataset_.labels.empty() ? 1 - cost.agreement()
                                          : cost.reference_accuracy() - cost.accuracy());
  }

  // Mixed precision: what each linear in float alone brings, then as many of the best as it takes.
  void keep_sensitive_float() {
    const double limit = *options_.max_drop;
    const auto state = [&](const char* verb) {
      return message("drop ", format("%.2f", drop(*best_)), " points, --max-drop ",
                     format("%.2f", limit), verb);
    };
    if (drop(*best_) <= limit) {
      steps_.push_back(state(" holds without a float node"));
      return;
    }
    struct Alone {
      std::string node;
      double drop;
      double sqnr;
    };
    std::vector<Alone> sensitivity;
    for (const convert::Node& node : graph_.nodes) {
      Recipe recipe = best_->recipe;
      if (node.op != convert::Op::linear ||
          std::ranges::find(recipe.keep_float, node.name) != recipe.keep_float.end()) {
        continue;
      }
      recipe.keep_float.push_back(node.name);
      const Conversion alone = attempt(std::move(recipe));
      sensitivity.push_back({node.name, drop(alone), alone.cost.sqnr_db()});
      steps_.push_back(message("node '", node.name, "' alone in float: drop ",
                               format("%.2f", drop(alone)), " points, SQNR ",
                               decibels(alone.cost.sqnr_db())));
    }
    std::ranges::stable_sort(sensitivity, [](const Alone& a, const Alone& b) {
      return std::pair(a.drop, -a.sqnr) < std::pair(b.drop, -b.sqnr);
    });
    for (const Alone& next : sensitivity) {
      if (drop(*best_) <= limit) break;
      Recipe recipe = best_->recipe;
      recipe.keep_float.push_back(next.node);
      Conversion more = attempt(std::move(recipe));
      steps_.push_back(message("node '", next.node, "' kept in float: drop ",
                               format("%.2f", drop(*best_)), " -> ", format("%.2f", drop(more)),
                               " points"));
      best_ = std::move(more);
    }
    steps_.push_back(state(drop(*best_) <= limit ? " holds" : " does not hold"));
  }

  const convert::Graph& graph_;
  const data::Dataset& dataset_;
  const ConvertOptions& options_;
  CalibrationSource source_;
  std::optional<convert::Graph> equalized_;  // once it is tried
  std::map<std::pair<bool, std::string>, Calibrated> calibrated_;
  std::optional<Logits> expected_;
  std::optional<Conversion> best_;
  std::vector<std::string> steps_;  // what was tried beside the first attempt, and what it brought
};

}  // namespace

std::optional<convert::QuantizeOptions::WeightOnly> weight_only(const ConvertOptions& options) {
  if (options.mode != "weight-only") return std::nullopt;
  const std::size_t otherwise = options.weight_bits == 4 ? 32 : 0;
  return convert::QuantizeOptions::WeightOnly{
      options.weight_bits, options.group_size != 0 ? options.group_size : otherwise};
}

Conversion convert_with(const convert::Graph& graph, const data::Dataset& dataset,
                        const ConvertOptions& options) {
  return Converter(graph, dataset, options).run();
}

convert::QuantizedGraph convert_without_data(const convert::Graph& graph,
                                             const ConvertOptions& options) {
  for (const convert::Node& node : graph.nodes) {
    if (node.op != convert::Op::unary) continue;
    engine::fail(Error::Code::argument, options.model, ": node '", node.name, "' (",
                 convert::op_name(node),
                 "): is computed on 8 bits in every mode, whose range must "
                 "be known; add --calibrate DATA");
  }
  const std::vector<convert::Range> unknown(graph.values.size());
  return convert::quantize(graph, unknown, quantize_options(options));
}

}  // namespace octet::command
