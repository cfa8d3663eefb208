// SPDX-License-Identifier: Apache-2.0
#include "tools/measure/bandwidth.h"

#include <algorithm>
#include <cstdint>
#include <fstream>
#include <map>

#include "kernels/dispatch.h"
#include "tools/measure/clock.h"

namespace octet::measure {
namespace {

constexpr std::size_t kStride = 256;  // bytes per iteration of a read loop
constexpr std::size_t kRoundBytes = std::size_t{64} << 20;
constexpr int kMinRounds = 3;
constexpr int kMaxRounds = 40;
constexpr double kLevelSeconds = 0.2;

struct alignas(kStride) Stride {
  char bytes[kStride];
};

using Read = void (*)(const Stride* from, const Stride* end);

// Written in assembly, because a compiler drops loads that nothing uses, and what would use them
// takes time of its own.
#if defined(__x86_64__)

#define OCTET_READ(offsets, load, last)                           \
  __asm__ volatile("1:\n\t.irp at," offsets "\n\t" load           \
                   "\n\t.endr\n\t"                                \
                   "add $256, %0\n\tcmp %1, %0\n\tjb 1b\n\t" last \
                   : "+r"(from)                                   \
                   : "r"(end)                                     \
                   : "xmm0", "cc", "memory")

__attribute__((target("avx512f"))) void read_avx512(const Stride* from, const Stride* end) {
  OCTET_READ("0,64,128,192", "vmovdqa64 \\at(%0), %%zmm0", "vzeroupper");
}
__attribute__((target("avx2"))) void read_avx2(const Stride* from, const Stride* end) {
  OCTET_READ("0,32,64,96,128,160,192,224", "vmovdqa \\at(%0), %%ymm0", "vzeroupper");
}
void read_sse2(const Stride* from, const Stride* end) {
  OCTET_READ("0,16,32,48,64,80,96,112,128,144,160,176,192,208,224,240", "movdqa \\at(%0), %%xmm0",
             "");
}

Read widest_read() {
  const kernels::CpuFeatures cpu = kernels::detect_cpu();
  return cpu.avx512 ? read_avx512 : cpu.avx2 ? read_avx2 : read_sse2;
}

#elif defined(__aarch64__)

void read_neon(const Stride* from, const Stride* end) {
  __asm__ volatile(
      "1:\n\t.irp at,0,32,64,96,128,160,192,224\n\tldp q0, q1, [%0, \\at]\n\t.endr\n\t"
      "add %0, %0, 256\n\tcmp %0, %1\n\tb.lo 1b\n\t"
      : "+r"(from)
      : "r"(end)
      : "v0", "v1", "cc", "memory");
}

Read widest_read() {
  return read_neon;
}

#else

void read_words(const Stride* from, const Stride* end) {
  const auto* word = reinterpret_cast<const volatile std::uint64_t*>(from);
  for (; word < reinterpret_cast<const volatile std::uint64_t*>(end); ++word) {
    static_cast<void>(*word);
  }
}

Read widest_read() {
  return read_words;
}

#endif

// Bytes of each data cache of the first core, by level; empty if the system does not tell.
std::map<int, std::size_t> cache_sizes() {
  std::map<int, std::size_t> sizes;
  for (int index = 0;; ++index) {
    const std::string folder =
        "/sys/devices/system/cpu/cpu0/cache/index" + std::to_string(index) + "/";
    std::ifstream level_file(folder + "level");
    std::ifstream type_file(folder + "type");
    std::ifstream size_file(folder + "size");
    int level = 0;
    std::string type;
    std::size_t kilobytes = 0;
    if (!(level_file >> level && type_file >> type && size_file >> kilobytes)) return sizes;
    if (type != "Instruction" && kilobytes > 0) sizes[level] = kilobytes << 10;
  }
}

double best_gb_per_s(Read read, const std::vector<Stride>& buffer, std::size_t count) {
  const Stride* from = buffer.data();
  const std::size_t bytes = count * sizeof(Stride);
  const std::size_t passes = std::max<std::size_t>(1, kRoundBytes / bytes);
  read(from, from + count);
  const double begin = cpu_seconds();
  double start = begin;
  double best = 0;
  for (int round = 0; round < kMinRounds || (round < kMaxRounds && start - begin < kLevelSeconds);
       ++round) {
    for (std::size_t pass = 0; pass < passes; ++pass) read(from, from + count);
    const double end = cpu_seconds();
    best = std::max(best, 1e-9 * static_cast<double>(passes * bytes) / (end - start));
    start = end;
  }
  return best;
}

}  // namespace

std::vector<Bandwidth> read_bandwidths() {
  std::map<int, std::size_t> caches = cache_sizes();
  if (caches.empty()) caches = {{1, 32 << 10}, {2, 512 << 10}, {3, 16 << 20}};
  const std::size_t last = caches.rbegin()->second;
  const std::size_t largest = std::clamp(4 * last, std::size_t{64} << 20, std::size_t{512} << 20);
  const std::vector<Stride> buffer(largest / sizeof(Stride));

  std::vector<Bandwidth> result;
  const Read read = widest_read();
  const auto add = [&](const std::string& level, std::size_t bytes) {
    const std::size_t count = std::min(bytes, largest) / sizeof(Stride);
    result.push_back({level, count * sizeof(Stride), best_gb_per_s(read, buffer, count)});
  };
  for (const auto& [level, size] : caches) {
    // Half a cache, to leave room for what else lives there; of one that cores share, a quarter.
    add("L" + std::to_string(level), level < 3 ? size / 2 : size / 4);
  }
  add("DRAM", largest);
  return result;
}

}  // namespace octet::measure
