// SPDX-License-Identifier: Apache-2.0
// What this CPU and its operating system can run, and the list of tables, best first.
#include "kernels/dispatch.h"

#include <array>
#include <cstdio>
#include <cstring>

#include "kernels/tables.h"

#if defined(__x86_64__)
#include <cpuid.h>
#elif defined(__aarch64__) && defined(__linux__)
#include <sys/auxv.h>
#endif

namespace octet::kernels {
namespace {

struct Entry {
  const Table* table;
  bool (*runs)(const CpuFeatures&);
};

#ifdef OCTET_HAS_AMX_INT8
// Linux keeps no tiles for a process until it asks. By the instruction, because what the C library
// has for it changes errno.
bool may_use_tiles() noexcept {
#if defined(__linux__)
  static const bool may = [] {
    constexpr long kArchPrctl = 158;
    constexpr long kRequestPermission = 0x1023;  // ARCH_REQ_XCOMP_PERM
    constexpr long kTileData = 18;               // the bit of XCR0
    long result = kArchPrctl;
    __asm__ volatile("syscall"
                     : "+a"(result)
                     : "D"(kRequestPermission), "S"(kTileData)
                     : "rcx", "r11", "memory");
    return result == 0;
  }();
  return may;
#else
  return false;
#endif
}
#endif

constexpr Entry kEntries[] = {
#ifdef OCTET_HAS_AMX_INT8
    {&kAmxInt8Table,
     [](const CpuFeatures& cpu) { return cpu.avx512_vnni && cpu.amx_int8 && may_use_tiles(); }},
#endif
#ifdef OCTET_HAS_AVX512VNNI
    {&kAvx512VnniTable, [](const CpuFeatures& cpu) { return cpu.avx512 && cpu.avx512_vnni; }},
#endif
#ifdef OCTET_HAS_AVXVNNI_EVEX
    // Runs where the line above does, so it is never the best.
    {&kAvxVnniEvexTable, [](const CpuFeatures& cpu) { return cpu.avx512 && cpu.avx512_vnni; }},
#endif
#ifdef OCTET_HAS_AMX_INT8_EMULATED
    {&kAmxInt8EmulatedTable, [](const CpuFeatures& cpu) { return cpu.avx512_vnni; }},
#endif
#ifdef OCTET_HAS_AVXVNNI
    {&kAvxVnniTable, [](const CpuFeatures& cpu) { return cpu.avx2 && cpu.fma && cpu.avx_vnni; }},
#endif
#ifdef OCTET_HAS_AVX2
    {&kAvx2Table, [](const CpuFeatures& cpu) { return cpu.avx2 && cpu.fma; }},
#endif
#ifdef OCTET_HAS_NEON_I8MM
    {&kNeonI8mmTable, [](const CpuFeatures& cpu) { return cpu.neon && cpu.i8mm; }},
#endif
#ifdef OCTET_HAS_NEON_DOTPROD
    {&kNeonDotprodTable, [](const CpuFeatures& cpu) { return cpu.neon && cpu.dotprod; }},
#endif
#ifdef OCTET_HAS_NEON
    {&kNeonTable, [](const CpuFeatures& cpu) { return cpu.neon; }},
#endif
    {&kScalarTable, [](const CpuFeatures&) { return true; }},
};

constexpr auto kTables = [] {
  std::array<const Table*, std::size(kEntries)> tables{};
  for (std::size_t i = 0; i < tables.size(); ++i) tables[i] = kEntries[i].table;
  return tables;
}();

#if defined(__x86_64__)

constexpr bool bit(unsigned word, int index) {
  return (word >> index & 1u) != 0;
}

// XCR0: which registers the operating system saves. By its opcode, because the intrinsic needs a
// flag for the whole file.
unsigned saved_state() noexcept {
  unsigned low = 0;
  unsigned high = 0;
  __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return low;
}

#endif

CpuFeatures ask_cpu() noexcept {
  CpuFeatures cpu;
#if defined(__x86_64__)
  // Each of these instructions leaves a virtual machine, for microseconds: as few as can be.
  const auto leaves = static_cast<unsigned>(__get_cpuid_max(0, nullptr));  // Clang says int
  if (leaves < 7) return cpu;
  unsigned eax = 0;
  unsigned ebx = 0;
  unsigned ecx = 0;
  unsigned edx = 0;
  __cpuid(1, eax, ebx, ecx, edx);
  const bool fma = bit(ecx, 12);
  // Without OSXSAVE the instruction XGETBV itself is undefined.
  const bool os_xsave = bit(ecx, 27);
  if (!os_xsave) return cpu;
  constexpr unsigned kYmmState = 0x06;  // XMM, YMM
  constexpr unsigned kZmmState = 0xe6;  // and mask registers, both halves of ZMM
  constexpr unsigned kTileState = 0x60000;
  const unsigned state = saved_state();
  const bool ymm = (state & kYmmState) == kYmmState;
  const bool zmm = (state & kZmmState) == kZmmState;
  const bool tiles = (state & kTileState) == kTileState;

  __cpuid_count(7, 0, eax, ebx, ecx, edx);
  const unsigned subleaves = eax;
  cpu.fma = ymm && fma;
  cpu.avx2 = ymm && bit(ebx, 5);
  cpu.avx512 = zmm && bit(ebx, 16) && bit(ebx, 17) && bit(ebx, 30) && bit(ebx, 31);
  cpu.avx512_vnni = cpu.avx512 && bit(ecx, 11);
  cpu.amx_int8 = tiles && bit(edx, 24) && bit(edx, 25);
  if (subleaves >= 1) {
    __cpuid_count(7, 1, eax, ebx, ecx, edx);
    cpu.avx_vnni = cpu.avx2 && bit(eax, 4);
  }
#elif defined(__aarch64__) && defined(__linux__)
  // The bits of <asm/hwcap.h>, spelt out because old headers lack the last one.
  const unsigned long hwcap = getauxval(AT_HWCAP);
  const unsigned long hwcap2 = getauxval(AT_HWCAP2);
  cpu.neon = (hwcap >> 1 & 1u) != 0;
  cpu.dotprod = (hwcap >> 20 & 1u) != 0;
  cpu.i8mm = (hwcap2 >> 13 & 1u) != 0;
#elif defined(__aarch64__)
  cpu.neon = true;  // part of the architecture's base
#endif
  return cpu;
}

}  // namespace

CpuFeatures detect_cpu() noexcept {
  static const CpuFeatures cpu = ask_cpu();
  return cpu;
}

void cpu_name(char (&name)[64]) noexcept {
  std::memset(name, 0, sizeof name);
#if defined(__x86_64__)
  unsigned words[12] = {};
  unsigned eax = 0;
  unsigned unused = 0;
  if (!__get_cpuid(0x80000000u, &eax, &unused, &unused, &unused) || eax < 0x80000004u) return;
  for (unsigned i = 0; i < 3; ++i) {
    unsigned* w = words + 4 * i;
    __get_cpuid(0x80000002u + i, w, w + 1, w + 2, w + 3);
  }
  std::memcpy(name, words, sizeof words);
  // Vendors pad with blanks on either side.
  const std::size_t lead = std::strspn(name, " ");
  std::memmove(name, name + lead, sizeof name - lead);
  for (std::size_t n = std::strlen(name); n > 0 && name[n - 1] == ' '; --n) name[n - 1] = 0;
#elif defined(__aarch64__) && defined(__linux__)
  // CPUs here have numbers, not names; the kernel lets programs read them where this bit is set.
  if ((getauxval(AT_HWCAP) >> 11 & 1u) == 0) return;
  unsigned long midr = 0;
  __asm__("mrs %0, MIDR_EL1" : "=r"(midr));
  std::snprintf(name, sizeof name, "implementer 0x%02lx, part 0x%03lx", midr >> 24 & 0xff,
                midr >> 4 & 0xfff);
#endif
}

std::span<const Table* const> tables() noexcept {
  return kTables;
}

bool runs_here(const Table& table, const CpuFeatures& cpu) noexcept {
  for (const Entry& entry : kEntries) {
    if (entry.table == &table) return entry.runs(cpu);
  }
  return false;
}

const Table* find_table(std::string_view name) noexcept {
  for (const Table* table : kTables) {
    if (name == table->name) return table;
  }
  return nullptr;
}

const Table& best_table(const CpuFeatures& cpu) noexcept {
  for (const Entry& entry : kEntries) {
    if (entry.runs(cpu)) return *entry.table;
  }
  return kScalarTable;
}

}  // namespace octet::kernels
