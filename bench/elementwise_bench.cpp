// SPDX-License-Identifier: Apache-2.0
// The elementwise functions of every table that runs here: elements and bytes (read and written)
// per nanosecond. 10 elements are an output layer's, 100 a small layer's, 784 an image of MNIST,
// 65536 the output of a convolution, which L1 does not hold.
#include <benchmark/benchmark.h>

#include <string>

#include "bench/elementwise.h"
#include "kernels/dispatch.h"
#include "tools/measure/clock.h"

namespace octet::bench::elementwise_bench {
namespace {

constexpr std::size_t kSizes[] = {10, 100, 784, 65536};

void elementwise(benchmark::State& state, const Table& table, const Function& function,
                 std::size_t n) {
  Operands operands(n);
  function.call(table, operands);
  const double start = measure::cpu_seconds();
  for (auto _ : state) {
    function.call(table, operands);
    benchmark::ClobberMemory();
  }
  const double seconds = (measure::cpu_seconds() - start) / static_cast<double>(state.iterations());
  state.counters["elements/ns"] = 1e-9 * static_cast<double>(n) / seconds;
  state.counters["GB/s"] = 1e-9 * static_cast<double>(n) * function.bytes / seconds;
}

const bool kRegistered = [] {
  const kernels::CpuFeatures cpu = kernels::detect_cpu();
  for (const Table* table : kernels::tables()) {
    if (!kernels::runs_here(*table, cpu)) continue;
    for (const Function& function : kFunctions) {
      for (const std::size_t n : kSizes) {
        const std::string name = std::string("elementwise/") + table->name + "/" + function.name +
                                 "/n:" + std::to_string(n);
        benchmark::RegisterBenchmark(name.c_str(), [=, &function](benchmark::State& state) {
          elementwise(state, *table, function, n);
        });
      }
    }
  }
  return true;
}();

}  // namespace
}  // namespace octet::bench::elementwise_bench
