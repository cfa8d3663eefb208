// SPDX-License-Identifier: Apache-2.0
// One pass of the float network for the ranges, a second one for histograms, a third one to try
// candidates.
#include "tools/convert/calibrate.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "engine/errors.h"
#include "tools/convert/choose_range.h"
#include "tools/convert/float_executor.h"
#include "tools/convert/fold.h"
#include "tools/convert/observers.h"
#include "tools/convert/try_ranges.h"

namespace octet::convert {
namespace {

// By the value of the enumeration.
constexpr std::string_view kNames[] = {"minmax", "percentile", "mse", "entropy", "auto"};

using Progress = std::function<void(std::size_t)>;

// "node 'fc1' (linear)" or "input 'x'".
std::string maker_of(const Graph& graph, ValueId value) {
  for (const Node& node : graph.nodes) {
    if (node.output == value) {
      return engine::message("node '", node.name, "' (", op_name(node), ")");
    }
  }
  return engine::message("input '", graph.values[value].name, "'");
}

// observe(value, data, samples before this batch). Gives the number of samples.
template <class Observe>
std::size_t feed(FloatExecutor& executor, BatchSource& data, std::size_t done_before,
                 const Progress& progress, const Observe& observe) {
  data.reset();
  std::size_t samples = 0;
  std::vector<std::span<const float>> inputs;
  while (const std::size_t batch = data.next(inputs)) {
    executor.run(inputs, batch, [&](ValueId value, std::span<const float> values) {
      observe(value, values, samples);
    });
    samples += batch;
    if (progress) progress(done_before + samples);
  }
  return samples;
}

// The range of every value, and the number of samples.
std::pair<std::vector<Range>, std::size_t> observe_ranges(const Graph& graph,
                                                          FloatExecutor& executor,
                                                          BatchSource& data,
                                                          const Progress& progress) {
  std::vector<RangeObserver> observers(graph.values.size());
  const std::size_t samples =
      feed(executor, data, 0, progress,
           [&](ValueId value, std::span<const float> values, std::size_t before) {
             const std::size_t bad = observers[value].observe(values);
             if (bad == values.size()) return;
             const std::size_t sample = before + bad / sample_elements(graph.values[value].shape);
             engine::fail(Error::Code::argument, graph.source, ": ", maker_of(graph, value),
                          ": calibration sample ", sample, " gives ", values[bad],
                          "; calibrate with data that the float network can process");
           });
  if (samples == 0) {
    engine::fail(Error::Code::argument, graph.source, ": the calibration data has no sample");
  }
  std::vector<Range> ranges;
  for (const RangeObserver& observer : observers) ranges.push_back(observer.range());
  return {std::move(ranges), samples};
}

Range range_by(Calibration method, const HistogramObserver& histogram,
               const CalibrationOptions& options) {
  switch (method) {
    case Calibration::percentile:
      return histogram.percentile(options.percentile);
    case Calibration::mse:
      return mse_range(histogram, options.symmetric);
    case Calibration::entropy:
      return entropy_range(histogram, options.symmetric);
    case Calibration::minmax:
    case Calibration::automatic:
      break;
  }
  return histogram.range();
}

constexpr Calibration kMethods[] = {Calibration::minmax, Calibration::percentile, Calibration::mse,
                                    Calibration::entropy};

// Those whose codes are worth trying: neither input nor output of the graph.
std::vector<bool> inner_values(const Graph& graph) {
  std::vector<bool> inner(graph.values.size());
  for (const Node& node : graph.nodes) inner[node.output] = true;
  for (const ValueId output : graph.outputs) inner[output] = false;
  return inner;
}

void check_samples(const Graph& graph, std::size_t first, std::size_t again) {
  if (again == first) return;
  engine::fail(Error::Code::argument, graph.source, ": the calibration data had ", first,
               " samples when read first and ", again, " when read again");
}

// The method of each value by cross-validation: ranges from all folds but one are tried on that
// one.
std::vector<Calibration> choose_methods(const Graph& graph, BatchSource& data,
                                        const std::vector<Range>& observed,
                                        const std::vector<std::vector<HistogramObserver>>& folds,
                                        const CalibrationOptions& options) {
  const std::vector<bool> inner = inner_values(graph);
  Errors errors(graph.values.size(), std::vector<std::uint64_t>(std::size(kMethods)));
  for (std::size_t fold = 0; fold < kFolds; ++fold) {
    Candidates candidates(graph.values.size());
    for (ValueId value = 0; value < candidates.size(); ++value) {
      if (!inner[value]) continue;
      HistogramObserver others(observed[value]);
      for (std::size_t other = 0; other < kFolds; ++other) {
        if (other != fold) others.merge(folds[other][value]);
      }
      for (const auto method : kMethods) {
        candidates[value].push_back(range_by(method, others, options));
      }
    }
    Fold held_out(graph, data, fold);
    try_ranges(graph, observed, held_out, candidates, options.symmetric, errors);
  }
  std::vector<Calibration> methods;
  for (const auto& of_value : errors) {
    methods.push_back(kMethods[std::ranges::min_element(of_value) - of_value.begin()]);
  }
  return methods;
}

}  // namespace

std::string_view calibration_name(Calibration method) noexcept {
  return kNames[static_cast<std::size_t>(method)];
}

std::optional<Calibration> find_calibration(std::string_view name) noexcept {
  const auto* found = std::ranges::find(kNames, name);
  if (found == std::end(kNames)) return std::nullopt;
  return static_cast<Calibration>(found - std::begin(kNames));
}

std::vector<Range> calibrate(const Graph& graph, BatchSource& data,
                             const CalibrationOptions& options, const Progress& progress,
                             std::vector<Calibration>* chosen) {
  if (!(options.percentile > 50 && options.percentile <= 100)) {
    engine::fail(Error::Code::argument, graph.source, ": percentile ", options.percentile,
                 " is outside (50, 100]");
  }
  FloatExecutor executor(graph);
  auto [ranges, samples] = observe_ranges(graph, executor, data, progress);
  std::vector<Calibration> methods(ranges.size(), options.method);
  if (options.method != Calibration::minmax) {
    std::vector<HistogramObserver> histograms(ranges.begin(), ranges.end());
    const auto observe_into = [](std::vector<HistogramObserver>& target) {
      return [&target](ValueId value, std::span<const float> values, std::size_t) {
        target[value].observe(values);
      };
    };
    if (options.method == Calibration::automatic) {
      std::vector<std::vector<HistogramObserver>> folds(kFolds, histograms);
      std::size_t again = 0;
      for (std::size_t i = 0; i < kFolds; ++i) {
        Fold fold(graph, data, i);
        again += feed(executor, fold, samples + again, progress, observe_into(folds[i]));
      }
      check_samples(graph, samples, again);
      for (const auto& fold : folds) {
        for (std::size_t i = 0; i < fold.size(); ++i) histograms[i].merge(fold[i]);
      }
      methods = choose_methods(graph, data, ranges, folds, options);
    } else {
      check_samples(graph, samples,
                    feed(executor, data, samples, progress, observe_into(histograms)));
    }
    if (options.method == Calibration::entropy) {
      for (const ValueId input : graph.inputs) methods[input] = Calibration::minmax;
    }
    for (std::size_t i = 0; i < ranges.size(); ++i) {
      ranges[i] = range_by(methods[i], histograms[i], options);
    }
  }
  if (chosen != nullptr) *chosen = std::move(methods);
  return ranges;
}

}  // namespace octet::convert
