// SPDX-License-Identifier: Apache-2.0
#include "tools/measure/peak.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <map>
#include <string>

#include "tools/measure/clock.h"

namespace octet::measure {
namespace {

// Half a millisecond: much shorter rounds would find the clock's errors, not the best.
constexpr int kIterations = 200'000;
// Long against what a neighbour on the same core takes away.
constexpr double kMeasureSeconds = 0.15;

// Written in assembly, because a compiler that keeps an accumulator in memory would measure itself.
// The instructions come once per accumulator \acc; what else they name is only read, so any content
// does.
#if defined(__x86_64__)

#define OCTET_LOOP(instructions)                                                               \
  for (int i = 0; i < kIterations; ++i) {                                                      \
    __asm__ volatile(".irp acc,0,1,2,3,4,5,6,7,8,9,10,11\n\t" instructions "\n\t.endr"         \
                     :                                                                         \
                     :                                                                         \
                     : "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", \
                       "xmm9", "xmm10", "xmm11", "xmm15");                                     \
  }
constexpr double kRepeats = 12.0 * kIterations;
constexpr int kTileIterations = 20'000;  // each as long as 128 instructions

__attribute__((target("avx512f,avx512vnni"))) void vnni_512() {
  OCTET_LOOP("vpdpbusd %%zmm13, %%zmm12, %%zmm\\acc")
}
__attribute__((target("avx512f,avx512vl,avx512vnni"))) void vnni_256_evex() {
  OCTET_LOOP("%{evex%} vpdpbusd %%ymm13, %%ymm12, %%ymm\\acc")
}
__attribute__((target("avx2,avxvnni"))) void vnni_256_vex() {
  OCTET_LOOP("%{vex%} vpdpbusd %%ymm13, %%ymm12, %%ymm\\acc")
}
// The exact sequence of avx2.cpp; ymm12: w, ymm13: m and u, ymm14: ones.
__attribute__((target("avx2"))) void avx2() {
  OCTET_LOOP(
      "vpxor %%ymm13, %%ymm12, %%ymm15\n\t"
      "vpmaddubsw %%ymm15, %%ymm13, %%ymm15\n\t"
      "vpmaddwd %%ymm14, %%ymm15, %%ymm15\n\t"
      "vpaddd %%ymm15, %%ymm\\acc, %%ymm\\acc")
}

// Four tiles of sums, so that no product waits for another.
void amx_int8() {
  struct {
    unsigned char palette = 1;
    unsigned char reserved[15] = {};
    unsigned short row_bytes[16] = {64, 64, 64, 64, 64, 64, 64, 64};
    unsigned char rows[16] = {16, 16, 16, 16, 16, 16, 16, 16};
  } config;
  __asm__ volatile("ldtilecfg %0" : : "m"(config));
  for (int i = 0; i < kTileIterations; ++i) {
    __asm__ volatile(
        "tdpbusd %tmm6, %tmm4, %tmm0\n\t"
        "tdpbusd %tmm7, %tmm4, %tmm1\n\t"
        "tdpbusd %tmm6, %tmm5, %tmm2\n\t"
        "tdpbusd %tmm7, %tmm5, %tmm3");
  }
  __asm__ volatile("tilerelease");
}

constexpr PeakLoop kLoops[] = {{"amx_int8", amx_int8, 4.0 * kTileIterations * 2 * 16 * 16 * 64},
                               {"avx512vnni", vnni_512, kRepeats * 128},
                               {"avxvnni_evex", vnni_256_evex, kRepeats * 64},
                               {"avxvnni", vnni_256_vex, kRepeats * 64},
                               {"avx2", avx2, kRepeats * 64}};

#elif defined(__aarch64__)

#define OCTET_LOOP(instructions)                                                                   \
  for (int i = 0; i < kIterations; ++i) {                                                          \
    __asm__ volatile(".irp acc,0,1,2,3,4,5,6,7,10,11,12,13,14,15,16,17\n\t" instructions           \
                     "\n\t.endr"                                                                   \
                     :                                                                             \
                     :                                                                             \
                     : "v0", "v1", "v2", "v3", "v4", "v5", "v6", "v7", "v10", "v11", "v12", "v13", \
                       "v14", "v15", "v16", "v17", "v18");                                         \
  }
constexpr double kRepeats = 16.0 * kIterations;

// Products and sums of neon.cpp, which do not wait for each other.
void smull() {
  OCTET_LOOP(
      "smull v18.8h, v24.8b, v25.8b\n\t"
      "sadalp v\\acc\\().4s, v26.8h")
}
void sdot() {
  OCTET_LOOP(".arch armv8.6-a\n\tsdot v\\acc\\().4s, v24.16b, v8.4b[0]")
}
void smmla() {
  OCTET_LOOP(".arch armv8.6-a\n\tsmmla v\\acc\\().4s, v24.16b, v25.16b")
}

constexpr PeakLoop kLoops[] = {{"neon_i8mm", smmla, kRepeats * 64},
                               {"neon_dotprod", sdot, kRepeats * 32},
                               {"neon", smull, kRepeats * 16}};

#else

constexpr std::array<PeakLoop, 0> kLoops{};

#endif

double measure(const PeakLoop& loop) {
  double best = 0;
  const double begin = cpu_seconds();
  for (double start = begin; start - begin < kMeasureSeconds;) {
    loop.run();
    const double end = cpu_seconds();
    best = std::max(best, 1e-9 * loop.operations / (end - start));
    start = end;
  }
  return best;
}

}  // namespace

const PeakLoop* peak_loop(const kernels::Table& table) {
  for (const PeakLoop& loop : kLoops) {
    if (std::strcmp(loop.table, table.name) == 0) return &loop;
  }
  return nullptr;
}

double peak_gops(const kernels::Table& table) {
  static std::map<std::string, double> peaks;
  const auto known = peaks.find(table.name);
  if (known != peaks.end()) return known->second;
  const PeakLoop* loop = peak_loop(table);
  return peaks[table.name] = loop != nullptr ? measure(*loop) : 0;
}

}  // namespace octet::measure
