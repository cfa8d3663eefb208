// SPDX-License-Identifier: Apache-2.0
// The elementwise functions of every table that runs here: elements and bytes (read and written)
// per nanosecond. 100 elements are a small layer's, 784 an image of MNIST, 65536 the output of a
// convolution, which L1 does not hold.
#include <benchmark/benchmark.h>

#include <cstdint>
#include <string>
#include <vector>

#include "kernels/dispatch.h"
#include "tools/measure/clock.h"

namespace octet::bench::elementwise_bench {
namespace {

using kernels::Sign;
using kernels::Table;

constexpr std::size_t kSizes[] = {100, 784, 65536};

struct Operands {
  explicit Operands(std::size_t n)
      : reals(n),
        more_reals(n, 0.5F),
        real_results(n),
        codes(n),
        more_codes(n),
        code_results(n),
        sums(n),
        weight_sums(n, 3),
        entries(256) {
    for (std::size_t i = 0; i < n; ++i) {
      const auto bits = static_cast<std::uint32_t>(i) * 2654435761U;
      reals[i] = static_cast<float>(bits >> 22) * 0.01F - 5;
      codes[i] = static_cast<std::uint8_t>(bits >> 13);
      more_codes[i] = static_cast<std::uint8_t>(bits >> 19);
      sums[i] = static_cast<std::int32_t>(bits >> 14);
    }
    for (std::size_t i = 0; i < 256; ++i) entries[i] = static_cast<std::uint8_t>(255 - i);
  }

  std::vector<float> reals, more_reals, real_results;
  std::vector<std::uint8_t> codes, more_codes, code_results;
  std::vector<std::int32_t> sums, weight_sums;
  std::vector<std::uint8_t> entries;
};

// One call on the operands.
using Call = void (*)(const Table& table, Operands& o);

struct Function {
  const char* name;
  double bytes;  // read and written per element
  Call call;
};

// A code of the table's sign by its place among all.
std::int32_t code(const Table& table, std::int32_t place) {
  return table.sign == Sign::u8 ? place : place - 128;
}

constexpr Function kFunctions[] = {
    {"quantize", 5,
     [](const Table& t, Operands& o) {
       t.quantize(o.reals.data(), o.reals.size(), {0.0431F, code(t, 3), code(t, 0), code(t, 255)},
                  o.code_results.data());
     }},
    {"dequantize", 5,
     [](const Table& t, Operands& o) {
       t.dequantize(o.codes.data(), o.codes.size(), 0.0431F, code(t, 3), o.real_results.data());
     }},
    {"clamp_q8", 2,
     [](const Table& t, Operands& o) {
       t.clamp_q8(o.codes.data(), o.codes.size(), code(t, 10), code(t, 250), o.code_results.data());
     }},
    {"add_q8", 3,
     [](const Table& t, Operands& o) {
       t.add_q8(o.codes.data(), o.more_codes.data(), o.codes.size(),
                {0.7F, 0.4F, 3.3F, 0, 255, t.sign == Sign::u8 ? 0 : 128}, o.code_results.data());
     }},
    {"lookup", 2,
     [](const Table& t, Operands& o) {
       t.lookup(o.codes.data(), o.codes.size(), o.entries.data(), o.code_results.data());
     }},
    {"flip", 2,
     [](const Table& t, Operands& o) {
       t.flip(o.codes.data(), o.codes.size(), o.code_results.data());
     }},
    {"range", 4,
     [](const Table& t, Operands& o) {
       float least;
       float largest;
       t.f32->range(o.reals.data(), o.reals.size(), &least, &largest);
       benchmark::DoNotOptimize(least + largest);
     }},
    {"dequantize_sums", 20,
     [](const Table& t, Operands& o) {
       t.f32->dequantize_sums(o.sums.data(), o.sums.size(),
                              {code(t, 3), 0.01F, o.weight_sums.data(), o.more_reals.data(),
                               o.more_reals.data(), -1e30F, 1e30F},
                              o.real_results.data());
     }},
    {"clamp_f32", 8,
     [](const Table& t, Operands& o) {
       t.f32->clamp(o.reals.data(), o.reals.size(), -3, 3, o.real_results.data());
     }},
    {"add_f32", 12,
     [](const Table& t, Operands& o) {
       t.f32->add(o.reals.data(), o.more_reals.data(), o.reals.size(), o.real_results.data());
     }},
    {"affine_f32", 16,
     [](const Table& t, Operands& o) {
       t.f32->affine(o.reals.data(), o.more_reals.data(), o.more_reals.data(), o.reals.size(),
                     o.real_results.data());
     }},
};

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
