// SPDX-License-Identifier: Apache-2.0
// octet bench: latency and throughput of a model on this machine.
#include <algorithm>
#include <chrono>
#include <nlohmann/json.hpp>

#include "engine/errors.h"
#include "engine/inspect.h"
#include "kernels/dispatch.h"
#include "tools/command/bench_kernels.h"
#include "tools/command/command.h"
#include "tools/command/json_text.h"
#include "tools/command/network.h"
#include "tools/command/print.h"
#include "tools/command/synthetic.h"

namespace octet::command {
namespace {

using Clock = std::chrono::steady_clock;
using nlohmann::ordered_json;

constexpr double kWarmUpSeconds = 0.2;
constexpr double kMeasureSeconds = 0.5;
constexpr double kShortCall = 20e-6;
constexpr double kGroupSeconds = 50e-6;
constexpr std::size_t kMinCalls = 5;
constexpr std::size_t kMaxCalls = 1000000;

struct Timing {
  double median = 0;  // seconds per call
  double p99 = 0;
  std::size_t calls = 0;
};

double seconds(Clock::duration duration) {
  return std::chrono::duration<double>(duration).count();
}

double quantile(std::vector<double>& times, double q) {
  const auto index = static_cast<std::ptrdiff_t>(q * static_cast<double>(times.size() - 1));
  std::nth_element(times.begin(), times.begin() + index, times.end());
  return times[static_cast<std::size_t>(index)];
}

// What two neighbouring readings of the clock are apart.
double clock_seconds() {
  std::vector<double> times;
  for (int i = 0; i < 1001; ++i) {
    const auto start = Clock::now();
    times.push_back(seconds(Clock::now() - start));
  }
  return quantile(times, 0.5);
}

// Seconds per call of groups of `group` calls, for about kMeasureSeconds.
template <class Call>
std::vector<double> sample(const Call& call, std::size_t group, double clock) {
  std::vector<double> times;
  const auto begin = Clock::now();
  while (times.size() < kMinCalls ||
         (times.size() < kMaxCalls && seconds(Clock::now() - begin) < kMeasureSeconds)) {
    const auto start = Clock::now();
    for (std::size_t i = 0; i < group; ++i) call();
    const double time = seconds(Clock::now() - start) - clock;
    times.push_back(std::max(time, 0.0) / static_cast<double>(group));
  }
  return times;
}

template <class Call>
Timing measure(const Call& call) {
  const auto begin = Clock::now();
  std::size_t warm_up = 0;
  do {
    call();
    ++warm_up;
  } while (seconds(Clock::now() - begin) < kWarmUpSeconds);

  const double clock = clock_seconds();
  std::vector<double> singles = sample(call, 1, clock);
  Timing timing;
  timing.calls = singles.size();
  timing.median = quantile(singles, 0.5);
  timing.p99 = quantile(singles, 0.99);
  if (timing.median < kShortCall) {
    const auto group = static_cast<std::size_t>(kGroupSeconds / std::max(timing.median, 1e-7)) + 1;
    std::vector<double> groups = sample(call, group, clock);
    timing.calls += groups.size() * group;
    timing.median = quantile(groups, 0.5);
  }
  return timing;
}

std::string input_types(const Model& model) {
  std::string types;
  for (std::size_t i = 0; i < model.inputs(); ++i) {
    if (i > 0) types += ",";
    types += dtype_text(model.input(i).dtype);
  }
  return types;
}

}  // namespace

void run_bench(const BenchOptions& options) {
  if (options.kernels) return bench_kernels(*options.kernels, options.json);
  LoadOptions load{};
  load.isa = options.isa.empty() ? nullptr : options.isa.c_str();
  const Model model = Model::load(options.model, load);
  const auto executor = make_executor(options.threads);
  Session session = executor ? Session(model, *executor) : Session(model);

  const auto input_data = synthetic_inputs(model, options.batch);
  std::vector<Input> inputs;
  for (const auto& data : input_data) inputs.push_back(input(data));
  std::vector<std::vector<std::byte>> output_data;
  for (std::size_t i = 0; i < model.outputs(); ++i) {
    output_data.emplace_back(options.batch * model.output(i).sample_bytes);
  }
  std::vector<Output> outputs;
  for (auto& data : output_data) outputs.push_back(output(data));

  const octet_status status = session.run(inputs, outputs, options.batch);
  if (status != OCTET_OK) {
    engine::fail(static_cast<Error::Code>(status), options.model, ": a run of ", options.batch,
                 " samples failed: ", octet_status_name(status));
  }
  const Timing timing = measure([&] { session.run(inputs, outputs, options.batch); });

  std::uint64_t multiply_adds = 0;
  for (const auto& step : engine::inspect(model.handle()).steps)
    multiply_adds += step.multiply_adds;
  const double batch = static_cast<double>(options.batch);
  const double images = batch / timing.median;
  const double gops = 2e-9 * static_cast<double>(multiply_adds) * images;
  char cpu[64];
  kernels::cpu_name(cpu);

  if (options.json) {
    const ordered_json result{{"model", options.model},
                              {"isa", model.isa()},
                              {"threads", options.threads},
                              {"batch", options.batch},
                              {"input", input_types(model)},
                              {"latency_us_median", timing.median * 1e6},
                              {"latency_us_p99", timing.p99 * 1e6},
                              {"images_per_s", images},
                              {"gops", gops},
                              {"multiply_adds", multiply_adds},
                              {"calls", timing.calls},
                              {"cpu", cpu}};
    std::printf("%s\n", json_text(result).c_str());
    return;
  }
  std::printf("%s: %s, %s, batch %s, %s input\n", options.model.c_str(), model.isa(),
              count(options.threads, "thread").c_str(), grouped(options.batch).c_str(),
              input_types(model).c_str());
  std::printf("cpu         %s\n", *cpu != '\0' ? cpu : "(unknown)");
  std::printf("latency     %.2f us median, %.2f us 99th percentile, of %s\n", timing.median * 1e6,
              timing.p99 * 1e6, count(timing.calls, "call").c_str());
  std::printf("throughput  %s images/s\n", grouped(static_cast<std::uint64_t>(images)).c_str());
  std::printf("            %.2f GOPS, %s per image\n", gops,
              count(multiply_adds, "multiply-add").c_str());
}

}  // namespace octet::command
