// SPDX-License-Identifier: Apache-2.0
// Layers that compute in float, one thread: float weights, and codes of 8 and 4 bits with a scale
// for 32 inputs (weight-only). GOPS as in gemm_bench.cpp. A multiplication and an addition are two
// instructions here, each rounded, so that half of a core's FMA peak is the most there is.
#include <benchmark/benchmark.h>

#include <cstdint>
#include <string>
#include <vector>

#include "bench/shapes.h"
#include "kernels/dispatch.h"
#include "tools/measure/clock.h"

namespace octet::bench::float_linear_bench {
namespace {

using kernels::FloatTable;
using kernels::round_up;
using kernels::Table;

constexpr std::size_t kBatches[] = {1, 4, 16, 64};
constexpr std::size_t kGroup = 32;

struct alignas(64) Line {
  std::uint8_t bytes[64];
};

// bits: 32 for float weights.
std::vector<Line> pack(const FloatTable& table, Shape shape, std::size_t bits) {
  const auto [k, n] = shape;
  if (bits == 32) {
    std::vector<float> w(n * k);
    for (std::size_t i = 0; i < w.size(); ++i) w[i] = static_cast<float>(i % 255) * 0.01F - 1;
    std::vector<Line> packed(table.packed_bytes(n, k) / sizeof(Line) + 1);
    table.pack_weights(w.data(), n, k, packed.data());
    return packed;
  }
  std::vector<std::int8_t> codes(n * k);
  for (std::size_t i = 0; i < codes.size(); ++i) codes[i] = static_cast<std::int8_t>(i % 15) - 7;
  const std::vector<float> scale(n * ((k + kGroup - 1) / kGroup), 0.01F);
  std::vector<Line> packed(table.packed_group_bytes(n, k, kGroup, bits) / sizeof(Line) + 1);
  table.pack_group_weights(codes.data(), scale.data(), n, k, kGroup, bits, packed.data());
  return packed;
}

void float_linear(benchmark::State& state, const FloatTable& table, std::size_t m, Shape shape,
                  std::size_t bits) {
  const auto [k, n] = shape;
  const std::vector<Line> packed = pack(table, shape, bits);
  std::vector<float> a(m * k);
  for (std::size_t i = 0; i < a.size(); ++i) a[i] = static_cast<float>(i % 101) * 0.01F;
  std::vector<const float*> rows(m);
  for (std::size_t i = 0; i < m; ++i) rows[i] = &a[i * k];
  const std::vector<float> bias(round_up(n, kernels::kColumnPadding), 0.5F);
  std::vector<float> c(m * n);
  const kernels::FloatLinearTask task{.rows = rows.data(),
                                      .m = m,
                                      .k = k,
                                      .weights = packed.data(),
                                      .bias = bias.data(),
                                      .n_begin = 0,
                                      .n_end = n,
                                      .c = c.data(),
                                      .ldc = n,
                                      .min = 0,
                                      .max = 1e30F,
                                      .group = bits == 32 ? 0 : kGroup,
                                      .bits = bits == 32 ? 0 : bits};
  const auto run = bits == 32 ? table.linear : table.group_linear;
  run(task);
  const double start = measure::cpu_seconds();
  for (auto _ : state) {
    run(task);
    benchmark::ClobberMemory();
  }
  const double seconds = (measure::cpu_seconds() - start) / static_cast<double>(state.iterations());
  state.counters["GOPS"] = 2e-9 * static_cast<double>(m * n * k) / seconds;
}

const bool kRegistered = [] {
  const kernels::CpuFeatures cpu = kernels::detect_cpu();
  const FloatTable* last = nullptr;  // tables that share one follow each other
  for (const Table* table : kernels::tables()) {
    if (!kernels::runs_here(*table, cpu) || table->f32 == last) continue;
    last = table->f32;
    for (const std::size_t bits : {32U, 8U, 4U}) {
      for (const Shape shape : kShapes) {
        for (const std::size_t m : kBatches) {
          const std::string name = "float_linear/" + std::string(table->name) +
                                   "/bits:" + std::to_string(bits) + "/" + std::to_string(shape.k) +
                                   "x" + std::to_string(shape.n) + "/m:" + std::to_string(m);
          benchmark::RegisterBenchmark(name.c_str(), [=](benchmark::State& state) {
            float_linear(state, *table->f32, m, shape, bits);
          });
        }
      }
    }
  }
  return true;
}();

}  // namespace
}  // namespace octet::bench::float_linear_bench
