// SPDX-License-Identifier: Apache-2.0
// The GEMM of every table that runs here, 8-bit output, one thread: GOPS (2 * m * n * k / time) and
// its share of the table's peak, measured in the same process; at m = 1 also the share of the read
// bandwidth of the memory that the weights live in.
#include <benchmark/benchmark.h>

#include <string>
#include <vector>

#include "bench/shapes.h"
#include "kernels/dispatch.h"
#include "tools/measure/bandwidth.h"
#include "tools/measure/clock.h"
#include "tools/measure/gemm.h"
#include "tools/measure/peak.h"

namespace octet::bench {
namespace {

using kernels::Table;

constexpr std::size_t kBatches[] = {1, 2, 4, 8, 16, 32, 64, 256, 1024};

// GB/s of the level of memory that a layer's weights live in between two calls.
double bandwidth_of(std::size_t bytes) {
  static const std::vector<measure::Bandwidth> levels = measure::read_bandwidths();
  for (const auto& level : levels) {
    if (bytes <= 2 * level.bytes) return level.gb_per_s;
  }
  return levels.back().gb_per_s;
}

void gemm(benchmark::State& state, const Table& table, std::size_t m, Shape shape) {
  const measure::GemmData data(m, shape.n, shape.k);
  const measure::Gemm gemm(table, data, kernels::Store::q8);

  const double start = measure::cpu_seconds();
  for (auto _ : state) {
    gemm.run(1);
    benchmark::ClobberMemory();
  }
  const double seconds = (measure::cpu_seconds() - start) / static_cast<double>(state.iterations());

  const double gops = 1e-9 * data.operations() / seconds;
  state.counters["GOPS"] = gops;
  if (const double peak = measure::peak_gops(table); peak > 0) {
    state.counters["%peak"] = 100 * gops / peak;
  }
  if (m == 1) {
    const auto bytes = static_cast<double>(data.w.size());
    state.counters["%bandwidth"] = 100e-9 * bytes / seconds / bandwidth_of(data.w.size());
  }
}

// Registered before main: Google Benchmark's own main runs what is there.
const bool kRegistered = [] {
  const kernels::CpuFeatures cpu = kernels::detect_cpu();
  for (const Table* table : kernels::tables()) {
    if (!kernels::runs_here(*table, cpu)) continue;
    const double peak = measure::peak_gops(*table);
    if (peak > 0) {
      benchmark::AddCustomContext(std::string("peak GOPS of ") + table->name, std::to_string(peak));
    }
    for (const Shape shape : kShapes) {
      for (const std::size_t m : kBatches) {
        const std::string name = std::string("gemm/") + table->name + "/" +
                                 std::to_string(shape.k) + "x" + std::to_string(shape.n) +
                                 "/m:" + std::to_string(m);
        benchmark::RegisterBenchmark(
            name.c_str(), [=](benchmark::State& state) { gemm(state, *table, m, shape); });
      }
    }
  }
  return true;
}();

}  // namespace
}  // namespace octet::bench
