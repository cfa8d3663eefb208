// SPDX-License-Identifier: Apache-2.0
#include "tools/command/bench_kernels.h"

#include <memory>
#include <nlohmann/json.hpp>

#include "kernels/dispatch.h"
#include "tools/command/chosen_table.h"
#include "tools/command/print.h"
#include "tools/measure/gemm.h"
#include "tools/measure/interleave.h"
#include "tools/measure/peak.h"

namespace octet::command {
namespace {

using nlohmann::ordered_json;

constexpr int kRounds = 7;
constexpr double kRoundSeconds = 0.01;

struct Row {
  const kernels::Table* table;
  double seconds;
  double gops;
  double percent;  // of the table's peak; 0 if it has none
};

std::vector<Row> time_tables(const measure::GemmData& data, const kernels::CpuFeatures& cpu) {
  std::vector<Row> rows;
  std::vector<std::unique_ptr<measure::Gemm>> gemms;
  std::vector<measure::Repeat> repeats;
  for (const kernels::Table* table : kernels::tables()) {
    if (!kernels::runs_here(*table, cpu)) continue;
    rows.push_back({table, 0, 0, 0});
    gemms.push_back(std::make_unique<measure::Gemm>(*table, data, kernels::Store::q8));
    repeats.emplace_back([&gemm = *gemms.back()](std::size_t calls) { gemm.run(calls); });
  }
  const std::size_t tables = rows.size();
  for (const Row& row : rows) {
    const measure::PeakLoop* peak = measure::peak_loop(*row.table);
    if (peak == nullptr) continue;
    repeats.emplace_back([peak](std::size_t calls) {
      for (std::size_t i = 0; i < calls; ++i) peak->run();
    });
  }
  const auto times = measure::interleaved_medians(repeats, kRounds, kRoundSeconds);
  std::size_t next_peak = tables;
  for (std::size_t i = 0; i < tables; ++i) {
    rows[i].seconds = times[i];
    rows[i].gops = 1e-9 * data.operations() / times[i];
    const measure::PeakLoop* peak = measure::peak_loop(*rows[i].table);
    if (peak == nullptr) continue;
    rows[i].percent = 100e9 * rows[i].gops / (peak->operations / times[next_peak++]);
  }
  return rows;
}

}  // namespace

void bench_kernels(const GemmShape& shape, bool json) {
  const kernels::CpuFeatures cpu = kernels::detect_cpu();
  const kernels::Table* chosen = &chosen_table(cpu).table;
  char name[64];
  kernels::cpu_name(name);
  const auto rows = time_tables(measure::GemmData(shape.m, shape.n, shape.k), cpu);

  if (json) {
    ordered_json result{{"m", shape.m}, {"n", shape.n}, {"k", shape.k}, {"cpu", name}};
    for (const Row& row : rows) {
      ordered_json table{{"name", row.table->name},
                         {"us", row.seconds * 1e6},
                         {"gops", row.gops},
                         {"chosen", row.table == chosen}};
      if (row.percent > 0) table["percent_of_peak"] = row.percent;
      result["tables"].push_back(std::move(table));
    }
    std::printf("%s\n", result.dump(2).c_str());
    return;
  }
  std::printf("m %zu, n %zu, k %zu, 8-bit output, one thread\n", shape.m, shape.n, shape.k);
  TextTable text("lrrrl");
  text.row({"table", "us", "GOPS", "% of peak", ""});
  for (const Row& row : rows) {
    text.row({row.table->name, format("%.3f", row.seconds * 1e6), format("%.2f", row.gops),
              row.percent > 0 ? format("%.1f", row.percent) : "-",
              row.table == chosen ? "<- chosen" : ""});
  }
  text.print();
}

}  // namespace octet::command
