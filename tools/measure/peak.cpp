// SPDX-License-Identifier: Apache-2.0
#include "tools/measure/peak.h"

#include <algorithm>
#include <cstring>
#include <map>
#include <string>

#include "tools/measure/cpu_time.h"

namespace octet::measure {
namespace {

constexpr int kIterations = 20'000;
// Long against what a neighbour on the same core takes away.
constexpr double kMeasureSeconds = 0.15;

struct Loop {
  void (*run)();
  double ops_per_iteration;
};

// Written in assembly, because a compiler that keeps an accumulator in memory would measure itself.
#if defined(__x86_64__)

#define OCTET_VNNI(acc) "vpdpbusd %%zmm13, %%zmm12, %%zmm" #acc "\n\t"

__attribute__((target("avx512f,avx512vnni"))) void vnni_loop() {
  for (int i = 0; i < kIterations; ++i) {
    __asm__ volatile(OCTET_VNNI(0) OCTET_VNNI(1) OCTET_VNNI(2) OCTET_VNNI(3) OCTET_VNNI(4)
                         OCTET_VNNI(5) OCTET_VNNI(6) OCTET_VNNI(7) OCTET_VNNI(8) OCTET_VNNI(9)
                             OCTET_VNNI(10) OCTET_VNNI(11)
                     :
                     :
                     : "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8",
                       "xmm9", "xmm10", "xmm11");
  }
}

// The exact sequence of avx2.cpp; ymm8: w, ymm9: m, ymm10: u, ymm11: ones.
#define OCTET_AVX2(acc)                      \
  "vpxor %%ymm9, %%ymm8, %%ymm12\n\t"        \
  "vpmaddubsw %%ymm12, %%ymm10, %%ymm12\n\t" \
  "vpmaddwd %%ymm11, %%ymm12, %%ymm12\n\t"   \
  "vpaddd %%ymm12, %%ymm" #acc ", %%ymm" #acc "\n\t"

__attribute__((target("avx2"))) void avx2_loop() {
  for (int i = 0; i < kIterations; ++i) {
    __asm__ volatile(OCTET_AVX2(0) OCTET_AVX2(1) OCTET_AVX2(2) OCTET_AVX2(3) OCTET_AVX2(4)
                         OCTET_AVX2(5) OCTET_AVX2(6) OCTET_AVX2(7)
                     :
                     :
                     : "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm12");
  }
}

constexpr Loop kVnni{vnni_loop, 12 * 128.0};
constexpr Loop kAvx2{avx2_loop, 8 * 64.0};

#elif defined(__aarch64__)

#define OCTET_NEON(acc)      \
  "smlal v" #acc             \
  ".4s, v24.4h, v8.h[0]\n\t" \
  "smlal2 v1" #acc ".4s, v24.8h, v8.h[1]\n\t"

void neon_loop() {
  for (int i = 0; i < kIterations; ++i) {
    __asm__ volatile(OCTET_NEON(0) OCTET_NEON(1) OCTET_NEON(2) OCTET_NEON(3) OCTET_NEON(4)
                         OCTET_NEON(5) OCTET_NEON(6) OCTET_NEON(7)
                     :
                     :
                     : "v0", "v1", "v2", "v3", "v4", "v5", "v6", "v7", "v10", "v11", "v12", "v13",
                       "v14", "v15", "v16", "v17");
  }
}

constexpr Loop kNeon{neon_loop, 16 * 8.0};

#endif

Loop loop_of(const kernels::Table& table) {
#if defined(__x86_64__)
  if (std::strcmp(table.name, "avx512vnni") == 0) return kVnni;
  if (std::strcmp(table.name, "avx2") == 0) return kAvx2;
#elif defined(__aarch64__)
  if (std::strcmp(table.name, "neon") == 0) return kNeon;
#endif
  static_cast<void>(table);
  return {nullptr, 0};
}

double measure(const Loop& loop) {
  double best = 0;
  const double begin = cpu_seconds();
  for (double start = begin; start - begin < kMeasureSeconds;) {
    loop.run();
    const double end = cpu_seconds();
    best = std::max(best, 1e-9 * kIterations * loop.ops_per_iteration / (end - start));
    start = end;
  }
  return best;
}

}  // namespace

double peak_gops(const kernels::Table& table) {
  static std::map<std::string, double> peaks;
  const auto known = peaks.find(table.name);
  if (known != peaks.end()) return known->second;
  const Loop loop = loop_of(table);
  return peaks[table.name] = loop.run == nullptr ? 0 : measure(loop);
}

}  // namespace octet::measure
