// SPDX-License-Identifier: Apache-2.0
// octet cpu: what this machine has and which kernel table octet takes.
#include <nlohmann/json.hpp>
#include <utility>

#include "kernels/dispatch.h"
#include "tools/command/chosen_table.h"
#include "tools/command/command.h"
#include "tools/command/print.h"
#include "tools/measure/bandwidth.h"
#include "tools/measure/peak.h"

namespace octet::command {
namespace {

using nlohmann::ordered_json;

std::vector<std::pair<const char*, bool>> features(const kernels::CpuFeatures& cpu) {
#if defined(__aarch64__)
  return {{"neon", cpu.neon}, {"dotprod", cpu.dotprod}, {"i8mm", cpu.i8mm}};
#else
  return {{"avx2", cpu.avx2},         {"fma", cpu.fma},
          {"avx512", cpu.avx512},     {"avx512_vnni", cpu.avx512_vnni},
          {"avx_vnni", cpu.avx_vnni}, {"amx_int8", cpu.amx_int8}};
#endif
}

void print_bandwidths() {
  for (const auto& [level, bytes, gb_per_s] : measure::read_bandwidths()) {
    std::printf("read      %-4s %8.1f GB/s  of %s KiB\n", level.c_str(), gb_per_s,
                grouped(bytes >> 10).c_str());
  }
}

ordered_json bandwidths_json() {
  ordered_json result = ordered_json::array();
  for (const auto& [level, bytes, gb_per_s] : measure::read_bandwidths()) {
    result.push_back({{"level", level}, {"bytes", bytes}, {"gb_per_s", gb_per_s}});
  }
  return result;
}

}  // namespace

void run_cpu(const CpuOptions& options) {
  const kernels::CpuFeatures cpu = kernels::detect_cpu();
  char name[64];
  kernels::cpu_name(name);
  const ChosenTable chosen = chosen_table(cpu);
  const auto peak_of = [&](const kernels::Table& table) {
    return options.peak && kernels::runs_here(table, cpu) ? measure::peak_gops(table) : 0;
  };

  if (options.json) {
    ordered_json result{{"cpu", name}, {"features", ordered_json::object()}};
    for (const auto& [feature, present] : features(cpu)) result["features"][feature] = present;
    for (const auto* table : kernels::tables()) {
      result["tables"].push_back({{"name", table->name},
                                  {"runs", kernels::runs_here(*table, cpu)},
                                  {"tile", {table->tile.mr, table->tile.nr, table->tile.kr}}});
      if (const double gops = peak_of(*table); gops > 0) {
        result["tables"].back()["peak_gops"] = gops;
      }
    }
    if (options.peak) result["read_bandwidth"] = bandwidths_json();
    result["chosen"] = chosen.table.name;
    result["forced"] = chosen.forced;
    std::printf("%s\n", result.dump(2).c_str());
    return;
  }
  std::printf("cpu       %s\n", *name != '\0' ? name : "(does not tell its name)");
  std::printf("features ");
  for (const auto& [feature, present] : features(cpu)) {
    std::printf(" %s%s", present ? "" : "no ", feature);
  }
  std::printf("\n");
  for (const auto* table : kernels::tables()) {
    const double gops = peak_of(*table);
    std::printf("table     %-17s %-13s tile %dx%dx%d%s%s\n", table->name,
                kernels::runs_here(*table, cpu) ? "runs here" : "not this CPU", table->tile.mr,
                table->tile.nr, table->tile.kr,
                gops > 0 ? format("  peak %.1f GOPS", gops).c_str() : "",
                table != &chosen.table ? ""
                : chosen.forced        ? "  <- chosen by OCTET_ISA"
                                       : "  <- chosen");
  }
  if (options.peak) print_bandwidths();
}

}  // namespace octet::command
