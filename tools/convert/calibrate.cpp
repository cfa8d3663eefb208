// SPDX-License-Identifier: Apache-2.0
// One pass of the float network for the ranges, a second one for percentiles.
#include "tools/convert/calibrate.h"

#include <utility>

#include "engine/errors.h"
#include "tools/convert/float_executor.h"
#include "tools/convert/observers.h"

namespace octet::convert {
namespace {

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

}  // namespace

std::vector<Range> calibrate(const Graph& graph, BatchSource& data,
                             const CalibrationOptions& options, const Progress& progress) {
  const bool percentile = options.method == Calibration::percentile;
  if (percentile && !(options.percentile > 50 && options.percentile <= 100)) {
    engine::fail(Error::Code::argument, graph.source, ": percentile ", options.percentile,
                 " is outside (50, 100]");
  }
  FloatExecutor executor(graph);
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
  if (!percentile) return ranges;

  std::vector<HistogramObserver> histograms(ranges.begin(), ranges.end());
  const std::size_t again = feed(executor, data, samples, progress,
                                 [&](ValueId value, std::span<const float> values, std::size_t) {
                                   histograms[value].observe(values);
                                 });
  if (again != samples) {
    engine::fail(Error::Code::argument, graph.source, ": the calibration data had ", samples,
                 " samples when read first and ", again, " when read again");
  }
  for (std::size_t i = 0; i < ranges.size(); ++i) {
    ranges[i] = histograms[i].percentile(options.percentile);
  }
  return ranges;
}

}  // namespace octet::convert
