// SPDX-License-Identifier: Apache-2.0
// octet_bench_peers: octet's GEMM beside other libraries, on the same data, in turns on one core.
#include <sched.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <nlohmann/json.hpp>

#include "bench/peers/peer.h"
#include "bench/peers/recorded.h"
#include "kernels/dispatch.h"
#include "tools/measure/peak.h"

namespace octet::bench {
namespace {

using nlohmann::ordered_json;

struct Options {
  std::vector<std::size_t> m{std::begin(kRecordedM), std::end(kRecordedM)};
  std::string isa;
  int rounds = 35;
  double milliseconds = 4;
  bool quick = false;
  bool json = false;
};

struct Result {
  double octet = 0;
  std::vector<double> peers;
  double percent_of_peak = 0;  // 0: the table has no peak
  double percent_of_vnni = 0;  // of the peak of vpdpbusd
  double ratio_to_best = 0;
  double recorded = 0;            // scaled to this run's peak; 0: none
  double ratio_to_yardstick = 0;  // the yardstick: the best of the peers and of recorded
};

constexpr const char* kPeers[] = {"onednn", "xnnpack", "sgemm_f32"};

// One core and one thread, and no more than the instructions of octet's table. They count cores and
// read the environment when they are loaded, before main: so the program starts itself again.
void hold_to(const std::string& isa, char** argv) {
  if (isa == "avx2") cap_xnnpack_to_avx2();
  cpu_set_t one;
  CPU_ZERO(&one);
  CPU_SET(static_cast<unsigned>(sched_getcpu()), &one);
  if (sched_setaffinity(0, sizeof one, &one) != 0) throw std::runtime_error("cannot pin to a core");
  std::vector<std::pair<const char*, const char*>> wanted{{"OMP_NUM_THREADS", "1"},
                                                          {"OPENBLAS_NUM_THREADS", "1"}};
  if (isa == "avx2") {
    wanted.insert(wanted.end(), {{"DNNL_MAX_CPU_ISA", "AVX2"}, {"OPENBLAS_CORETYPE", "Haswell"}});
  } else if (isa == "avx512vnni") {
    wanted.emplace_back("DNNL_MAX_CPU_ISA", "AVX512_CORE_VNNI");
  }
  bool changed = false;
  for (const auto& [name, value] : wanted) {
    const char* set = std::getenv(name);
    if (set != nullptr && std::strcmp(set, value) == 0) continue;
    setenv(name, value, 1);
    changed = true;
  }
  if (!changed) return;
  execv("/proc/self/exe", argv);
  throw std::runtime_error("cannot start itself again");
}

const kernels::Table& chosen_table(const std::string& isa) {
  const kernels::CpuFeatures cpu = kernels::detect_cpu();
  if (isa.empty()) return kernels::best_table(cpu);
  const kernels::Table* table = kernels::find_table(isa);
  if (table == nullptr || !kernels::runs_here(*table, cpu)) {
    throw std::runtime_error("--isa " + isa + ": no such table here; see octet cpu");
  }
  return *table;
}

// Whether oneDNN and octet do the same work: equal int32 sums and equal codes.
void check_same_work(const kernels::Table& table) {
  const GemmData data(5, 100, 784);
  measure::Gemm q8(table, data, kernels::Store::q8);
  measure::Gemm s32(table, data, kernels::Store::s32);
  OneDnn peer_q8(data, kernels::Store::q8);
  OneDnn peer_s32(data, kernels::Store::s32);
  for (const measure::Repeat& run : {measure::Repeat([&](std::size_t n) { q8.run(n); }),
                                     measure::Repeat([&](std::size_t n) { s32.run(n); }),
                                     measure::Repeat([&](std::size_t n) { peer_q8.run(n); }),
                                     measure::Repeat([&](std::size_t n) { peer_s32.run(n); })}) {
    run(1);
  }
  const auto sums = s32.sums();
  const auto codes = q8.codes();
  const bool equal_sums = std::memcmp(sums.data(), peer_s32.output(), sums.size() * 4) == 0;
  const bool equal_codes = std::memcmp(codes.data(), peer_q8.output(), codes.size()) == 0;
  // Without VNNI oneDNN's sums of int16 pairs saturate: that is worth a word, not a refusal.
  std::fprintf(stderr, "octet_bench_peers: oneDNN's sums of 5x100x784 %s octet's, its codes %s\n",
               equal_sums ? "equal" : "DIFFER from", equal_codes ? "too" : "differ");
  if (!equal_sums && table.sign == kernels::Sign::u8) {
    throw std::runtime_error("the libraries do not do the same work");
  }
}

double recorded_gops(std::size_t m, std::size_t n, std::size_t k) {
  for (const Recorded& row : kRecorded) {
    for (std::size_t i = 0; i < std::size(kRecordedM); ++i) {
      if (row.n == n && row.k == k && kRecordedM[i] == m) return row.gops[i];
    }
  }
  return 0;
}

measure::Repeat loop_of(const measure::PeakLoop* peak) {
  return [peak](std::size_t calls) {
    for (std::size_t i = 0; i < calls; ++i) peak->run();
  };
}

Result measure_shape(const GemmData& data, const kernels::Table& table, const Options& options) {
  measure::Gemm gemm(table, data, kernels::Store::q8);
  std::vector<std::unique_ptr<Peer>> peers;
  peers.push_back(std::make_unique<OneDnn>(data, kernels::Store::q8));
  peers.push_back(make_xnnpack(data));
  peers.push_back(make_sgemm(data));
  std::vector<measure::Repeat> repeats{[&](std::size_t calls) { gemm.run(calls); }};
  for (const auto& peer : peers) {
    repeats.emplace_back([&peer](std::size_t calls) { peer->run(calls); });
  }
  const measure::PeakLoop* peak = measure::peak_loop(table);
  if (peak != nullptr) repeats.emplace_back(loop_of(peak));
  // The recorded table is scaled by the instruction that it was measured with.
  const measure::PeakLoop* vnni = nullptr;
  if (std::strcmp(table.name, "avx512vnni") == 0 || std::strcmp(table.name, "amx_int8") == 0) {
    vnni = measure::peak_loop(*kernels::find_table("avx512vnni"));
  }
  if (vnni != nullptr) repeats.emplace_back(loop_of(vnni));
  const auto times =
      measure::interleaved_medians(repeats, options.rounds, options.milliseconds * 1e-3);
  Result result;
  result.octet = 1e-9 * data.operations() / times[0];
  if (peak != nullptr) {
    result.percent_of_peak = 100e9 * result.octet / (peak->operations / times[1 + peers.size()]);
  }
  double best = 0;
  for (std::size_t i = 1; i <= peers.size(); ++i) {
    result.peers.push_back(1e-9 * data.operations() / times[i]);
    best = std::max(best, result.peers.back());
  }
  result.ratio_to_best = result.octet / best;
  if (vnni != nullptr) {
    const double vnni_peak = 1e-9 * vnni->operations / times.back();
    result.percent_of_vnni = 100 * result.octet / vnni_peak;
    result.recorded = recorded_gops(data.m, data.n, data.k) * vnni_peak / kRecordedPeak;
  }
  result.ratio_to_yardstick = result.octet / std::max(best, result.recorded);
  return result;
}

void print(const GemmData& data, const Result& result, bool json) {
  if (json) {
    ordered_json line{{"m", data.m}, {"n", data.n}, {"k", data.k}, {"octet_gops", result.octet}};
    for (std::size_t i = 0; i < result.peers.size(); ++i) {
      line["peers"][kPeers[i]] = result.peers[i];
    }
    line["ratio_to_best"] = result.ratio_to_best;
    if (result.recorded > 0) line["recorded_gops"] = result.recorded;
    line["ratio_to_yardstick"] = result.ratio_to_yardstick;
    if (result.percent_of_peak > 0) line["percent_of_peak"] = result.percent_of_peak;
    if (result.percent_of_vnni > 0) line["percent_of_vnni_peak"] = result.percent_of_vnni;
    std::printf("%s\n", line.dump().c_str());
  } else {
    std::printf("%4zux%-4zu %5zu %8.1f %6.1f", data.k, data.n, data.m, result.octet,
                result.percent_of_peak);
    for (const double gops : result.peers) std::printf(" %9.1f", gops);
    std::printf(" %8.2f %9.1f %9.2f\n", result.ratio_to_best, result.recorded,
                result.ratio_to_yardstick);
  }
  std::fflush(stdout);
}

void run(const Options& options) {
  const kernels::Table& table = chosen_table(options.isa);
  check_same_work(table);
  const double peak = measure::peak_gops(table);
  char cpu[64];
  kernels::cpu_name(cpu);
  double load[3] = {};
  getloadavg(load, 3);
  if (!options.json) {
    std::printf(
        "%s, table %s, peak %.1f GOPS, load %.2f at the start; GOPS, medians of up to %d rounds\n",
        cpu, table.name, peak, load[0], options.rounds);
    std::printf("%9s %5s %8s %6s", "K x N", "m", "octet", "% peak");
    for (const char* name : kPeers) std::printf(" %9s", name);
    std::printf(" %8s %9s %9s\n", "ratio", "recorded", "ratio");
  }
  double log_best = 0;
  double log_yardstick = 0;
  int shapes = 0;
  for (const Recorded& shape : kRecorded) {
    if (options.quick && shape.n * shape.k > 1024 * 1024) continue;
    for (const std::size_t m : options.m) {
      const GemmData data(m, shape.n, shape.k);
      const Result result = measure_shape(data, table, options);
      print(data, result, options.json);
      log_best += std::log(result.ratio_to_best);
      log_yardstick += std::log(result.ratio_to_yardstick);
      ++shapes;
    }
  }
  const double geomean = std::exp(log_best / shapes);
  const double geomean_yardstick = std::exp(log_yardstick / shapes);
  getloadavg(load, 3);
  if (options.json) {
    const ordered_json last{
        {"geomean_ratio", geomean}, {"geomean_ratio_to_yardstick", geomean_yardstick},
        {"isa", table.name},        {"cpu", cpu},
        {"peak_gops", peak},        {"max_rounds", options.rounds},
        {"load", load[0]}};
    std::printf("%s\n", last.dump().c_str());
  } else {
    std::printf(
        "geometric mean of %d shapes: %.3f of the best peer, %.3f of the yardstick; load %.2f"
        " at the end\n",
        shapes, geomean, geomean_yardstick, load[0]);
  }
}

int main_of(int argc, char** argv) {
  CLI::App app("octet's GEMM beside oneDNN, XNNPACK and OpenBLAS; see bench/README.md",
               "octet_bench_peers");
  Options options;
  app.add_option("--m", options.m, "Rows, for example 1,16,256")
      ->delimiter(',')
      ->check(CLI::Range(std::size_t{1}, std::size_t{16384}));
  app.add_option("--isa", options.isa,
                 "octet's kernel table (default: the best); with avx2 and avx512vnni the libraries "
                 "use no more");
  app.add_option("--rounds", options.rounds, "Rounds, at most; of long calls at least 7")
      ->check(CLI::Range(measure::kLeastRounds, 1000));
  app.add_flag("--quick", options.quick,
               "Layers up to 1024x1024, m 1,4,16,64,256 unless given, 7 rounds");
  app.add_flag("--json", options.json, "One JSON object per line");
  CLI11_PARSE(app, argc, argv);
  if (options.quick) {
    if (app.count("--m") == 0) options.m = {1, 4, 16, 64, 256};
    if (app.count("--rounds") == 0) options.rounds = measure::kLeastRounds;
  }
  hold_to(options.isa, argv);
  run(options);
  return 0;
}

}  // namespace
}  // namespace octet::bench

int main(int argc, char** argv) {
  try {
    return octet::bench::main_of(argc, argv);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "octet_bench_peers: %s\n", error.what());
    return 1;
  }
}
