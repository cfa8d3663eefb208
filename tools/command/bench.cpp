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
#include "tools/measure/interleave.h"

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
constexpr int kTurns = 201;
constexpr double kTurnSeconds = 2e-3;

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
Timing measure_alone(const Call& call) {
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

// A model on pseudo-random inputs. Throws octet::Error, also where its first run fails.
class Bench {
 public:
  Bench(const std::string& path, const BenchOptions& options,
        const std::optional<Executor>& executor)
      : model_(Model::load(path, load_options(options))),
        session_(executor ? Session(model_, *executor) : Session(model_)),
        batch_(options.batch),
        input_data_(synthetic_inputs(model_, batch_)) {
    for (const auto& data : input_data_) inputs_.push_back(input(data));
    for (std::size_t i = 0; i < model_.outputs(); ++i) {
      output_data_.emplace_back(batch_ * model_.output(i).sample_bytes);
    }
    for (auto& data : output_data_) outputs_.push_back(output(data));
    const octet_status status = run();
    if (status != OCTET_OK) {
      engine::fail(static_cast<Error::Code>(status), path, ": a run of ", batch_,
                   " samples failed: ", octet_status_name(status));
    }
  }

  const Model& model() const { return model_; }
  octet_status run() { return session_.run(inputs_, outputs_, batch_); }

 private:
  static LoadOptions load_options(const BenchOptions& options) {
    LoadOptions load{};
    load.isa = options.isa.empty() ? nullptr : options.isa.c_str();
    return load;
  }

  const Model model_;
  Session session_;
  const std::size_t batch_;
  const std::vector<std::vector<std::byte>> input_data_;
  std::vector<std::vector<std::byte>> output_data_;
  std::vector<Input> inputs_;
  std::vector<Output> outputs_;
};

// Seconds per call of two models that take turns: a machine that slows down slows both.
std::vector<double> measure_in_turns(Bench& one, Bench& other) {
  const auto calls_of = [](Bench& bench) {
    return [&bench](std::size_t calls) {
      for (std::size_t i = 0; i < calls; ++i) bench.run();
    };
  };
  const measure::Repeat repeats[] = {calls_of(one), calls_of(other)};
  return measure::interleaved_medians(repeats, kTurns, kTurnSeconds, measure::wall_seconds);
}

}  // namespace

void run_bench(const BenchOptions& options) {
  if (options.kernels) return bench_kernels(*options.kernels, options.json);
  const auto executor = make_executor(options.threads);
  Bench bench(options.model, options, executor);
  std::optional<Bench> beside;
  if (options.beside) beside.emplace(*options.beside, options, executor);
  const Model& model = bench.model();
  const Timing timing = measure_alone([&] { bench.run(); });
  std::vector<double> turns;
  if (beside) turns = measure_in_turns(bench, *beside);

  std::uint64_t multiply_adds = 0;
  for (const auto& step : engine::inspect(model.handle()).steps)
    multiply_adds += step.multiply_adds;
  const double batch = static_cast<double>(options.batch);
  const double images = batch / timing.median;
  const double gops = 2e-9 * static_cast<double>(multiply_adds) * images;
  char cpu[64];
  kernels::cpu_name(cpu);

  if (options.json) {
    ordered_json result{{"model", options.model},
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
    if (beside) {
      result["in_turns"] = {{"latency_us_median", turns[0] * 1e6},
                            {"beside", *options.beside},
                            {"beside_latency_us_median", turns[1] * 1e6},
                            {"ratio", turns[1] / turns[0]}};
    }
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
  if (beside) {
    std::printf("in turns    %.3f us, %s %.3f us, %.2f times as long\n", turns[0] * 1e6,
                options.beside->c_str(), turns[1] * 1e6, turns[1] / turns[0]);
  }
}

}  // namespace octet::command
