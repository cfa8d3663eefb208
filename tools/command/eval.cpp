// SPDX-License-Identifier: Apache-2.0
// octet eval: accuracy on a test set, and beside the float network.
#include <cmath>
#include <memory>
#include <nlohmann/json.hpp>

#include "engine/errors.h"
#include "tools/command/command.h"
#include "tools/command/json_text.h"
#include "tools/command/network.h"
#include "tools/command/print.h"
#include "tools/command/progress.h"

namespace octet::command {
namespace {

using nlohmann::ordered_json;

Logits logits_of(Network& network, const data::Dataset& dataset,
                 const std::optional<Normalization>& normalization) {
  Progress progress(network.path(), dataset.samples());
  return compute_logits(network, dataset, normalization,
                        [&](std::size_t done) { progress.update(done); });
}

void check_inputs(const Network& network, const Network& reference) {
  if (network.inputs().size() != reference.inputs().size()) {
    engine::fail(Error::Code::argument, reference.path(), ": has ", reference.inputs().size(),
                 " inputs, ", network.path(), " has ", network.inputs().size(),
                 "; give --float the network that the model was made from");
  }
}

void check_classes(const Network& network, const Logits& logits, const Network& reference,
                   const Logits& expected) {
  if (logits.classes != expected.classes) {
    engine::fail(Error::Code::argument, reference.path(), ": its first output has ",
                 expected.classes, " elements, that of ", network.path(), " has ", logits.classes,
                 "; give --float the network that the model was made from");
  }
}

void check_labels(const data::Dataset& dataset, std::size_t classes, const std::string& model) {
  for (std::size_t i = 0; i < dataset.labels.size(); ++i) {
    if (dataset.labels[i] >= classes) {
      engine::fail(Error::Code::argument, dataset.labels_path, ": label ", dataset.labels[i],
                   " of sample ", i, ", but the first output of ", model, " has ", classes,
                   " elements");
    }
  }
}

// What pixels mean to the float network: what the model stores, or what the user says.
std::optional<Normalization> reference_pixels(const Network& network, const EvalOptions& options) {
  const TensorInfo& input = network.inputs()[0];
  if (input.has_normalization == 0) return options.normalization;
  return Normalization{input.mean, input.std};
}

std::string accuracy_text(double accuracy, const convert::Interval& interval, std::uint64_t wrong) {
  return format("%.2f %%  [%.2f, %.2f]  %s wrong", 100 * accuracy, 100 * interval.low,
                100 * interval.high, grouped(wrong).c_str());
}

void print_json(const EvalOptions& options, const Network& network,
                const convert::Evaluation& result) {
  ordered_json json{{"model", options.model},
                    {"arithmetic", network.arithmetic()},
                    {"data", options.data},
                    {"samples", result.samples()},
                    {"accuracy", result.accuracy()},
                    {"accuracy_low", result.interval().low},
                    {"accuracy_high", result.interval().high}};
  if (!options.float_model.empty()) {
    json["float_model"] = options.float_model;
    json["float_accuracy"] = result.reference_accuracy();
    json["float_accuracy_low"] = result.reference_interval().low;
    json["float_accuracy_high"] = result.reference_interval().high;
    json["agreement"] = result.agreement();
    json["mcnemar_p"] = result.mcnemar();
    json["sqnr_db"] = result.sqnr_db();  // null where the outputs are equal: JSON has no infinity
    json["max_error"] = result.largest_error();
  }
  std::printf("%s\n", json_text(json).c_str());
}

void print_text(const EvalOptions& options, const Network& network,
                const convert::Evaluation& result) {
  std::printf("%s (%s) on %s of %s\n", options.model.c_str(), network.arithmetic().c_str(),
              count(result.samples(), "sample").c_str(), options.data.c_str());
  std::printf("accuracy        %s\n", accuracy_text(result.accuracy(), result.interval(),
                                                    result.samples() - result.correct())
                                          .c_str());
  if (options.float_model.empty()) return;
  std::printf("float accuracy  %s\n",
              accuracy_text(result.reference_accuracy(), result.reference_interval(),
                            result.samples() - result.reference_correct())
                  .c_str());
  const auto differ =
      std::llround((1 - result.agreement()) * static_cast<double>(result.samples()));
  std::printf("agreement       %.2f %%  %s %s, McNemar p = %.3f\n", 100 * result.agreement(),
              count(static_cast<std::uint64_t>(differ), "answer").c_str(),
              differ == 1 ? "differs" : "differ", result.mcnemar());
  std::printf("logits          SQNR %.1f dB, largest error %.4g\n", result.sqnr_db(),
              result.largest_error());
}

}  // namespace

void run_eval(const EvalOptions& options) {
  const auto network = open_network(options.model, options.threads);
  data::DatasetRequest request;
  request.inputs = network->inputs().size();
  request.labels = data::Labels::needed;
  if (options.limit != 0) request.limit = options.limit;
  std::unique_ptr<Network> reference;
  if (!options.float_model.empty()) {
    if (!is_onnx(options.float_model)) {
      engine::fail(Error::Code::argument, options.float_model,
                   ": --float takes the float network, a file that ends in .onnx");
    }
    reference = open_network(options.float_model);
    check_inputs(*network, *reference);
  }
  const data::Dataset dataset = data::load_dataset(options.data, request);

  const Logits logits = logits_of(*network, dataset, options.normalization);
  check_labels(dataset, logits.classes, options.model);
  Logits expected;
  if (reference) {
    expected = logits_of(*reference, dataset, reference_pixels(*network, options));
    check_classes(*network, logits, *reference, expected);
  }
  const auto result = evaluate(logits, reference ? &expected : nullptr, dataset.labels);
  if (options.json) {
    print_json(options, *network, result);
  } else {
    print_text(options, *network, result);
  }
}

}  // namespace octet::command
