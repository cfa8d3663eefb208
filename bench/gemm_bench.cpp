// SPDX-License-Identifier: Apache-2.0
// The GEMM of every table that runs here, 8-bit output, one thread: GOPS (2 * m * n * k / time) and
// its share of the table's peak, measured in the same process.
#include <benchmark/benchmark.h>

#include <cstdint>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "bench/cpu_time.h"
#include "bench/peak.h"
#include "kernels/dispatch.h"

namespace octet::bench {
namespace {

using kernels::Table;

struct Shape {
  std::size_t k, n;
};
constexpr Shape kShapes[] = {{784, 100}, {100, 100}, {100, 10},
                             {784, 512}, {512, 512}, {1024, 1024}};
constexpr std::size_t kBatches[] = {1, 4, 16, 64, 256};

struct alignas(64) Line {
  std::uint8_t bytes[64];
};
using Memory = std::vector<Line>;
Memory lines(std::size_t bytes) {
  return Memory(bytes / 64 + 1);
}

void gemm(benchmark::State& state, const Table& table, std::size_t m, Shape shape) {
  const auto [k, n] = shape;
  std::mt19937 rng(1);
  std::vector<std::int8_t> w(n * k);
  for (auto& x : w) x = static_cast<std::int8_t>(rng());
  Memory packed = lines(table.packed_bytes(n, 1, k));
  table.pack_weights(w.data(), n, 1, k, packed.data());

  // Rows as the engine's arena holds them, padded to 64 bytes.
  const std::size_t lda = kernels::round_up(k, 64);
  const std::size_t ldc = kernels::round_up(n, 64);
  Memory a = lines(m * lda);
  Memory c = lines(m * ldc);
  std::vector<const std::uint8_t*> rows(m);
  for (std::size_t i = 0; i < m; ++i) rows[i] = a.data()->bytes + i * lda;
  for (auto& line : a) {
    for (auto& byte : line.bytes) byte = static_cast<std::uint8_t>(rng());
  }
  Memory scratch = lines(table.scratch_bytes(1, k));
  const std::vector<std::int32_t> bias(kernels::round_up(n, kernels::kColumnPadding), 100);
  const std::vector<float> mult(bias.size(), 1e-4f);
  const std::int32_t lowest = table.sign == kernels::Sign::u8 ? 0 : -128;
  const kernels::GemmTask task{
      rows.data(),
      m,
      1,
      k,
      packed.data(),
      0,
      n,
      c.data(),
      ldc,
      scratch.data(),
      {kernels::Store::q8, bias.data(), mult.data(), lowest + 128, lowest, lowest + 255,
       -std::numeric_limits<float>::infinity(), std::numeric_limits<float>::infinity()}};

  const double start = cpu_seconds();
  for (auto _ : state) {
    table.gemm(task);
    benchmark::ClobberMemory();
  }
  const double seconds = (cpu_seconds() - start) / static_cast<double>(state.iterations());

  const double gops = 2e-9 * static_cast<double>(m * n * k) / seconds;
  state.counters["GOPS"] = gops;
  if (const double peak = peak_gops(table); peak > 0) state.counters["%peak"] = 100 * gops / peak;
}

// Registered before main: Google Benchmark's own main runs what is there.
const bool kRegistered = [] {
  const kernels::CpuFeatures cpu = kernels::detect_cpu();
  for (const Table* table : kernels::tables()) {
    if (!kernels::runs_here(*table, cpu)) continue;
    const double peak = peak_gops(*table);
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
