// SPDX-License-Identifier: Apache-2.0
// Which kernel tables this build has and which of them this CPU and operating system can run.
#pragma once

#include <span>
#include <string_view>

#include "kernels/kernels.h"

namespace octet::kernels {

// What CPUID (or the kernel's hwcaps) claims and the operating system saves (XGETBV).
struct CpuFeatures {
  bool avx2 = false;
  bool fma = false;     // a CPU with AVX2 and without it, as VIA made some, runs scalar
  bool avx512 = false;  // F, BW, DQ and VL, with ZMM and mask state saved
  bool avx512_vnni = false;
  bool avx_vnni = false;
  bool amx_int8 = false;
  bool neon = false;
  bool dotprod = false;
  bool i8mm = false;
};

// Asked once: in a virtual machine the answer may take a tenth of a millisecond, longer than a
// small network takes to load.
CpuFeatures detect_cpu() noexcept;

// The CPU's own name for itself ("AMD EPYC ..."; on aarch64 "implementer 0x41, part 0xd0b"), into a
// buffer of 64 bytes, zero-terminated; empty if unknown.
void cpu_name(char (&name)[64]) noexcept;

// All tables of this build, best first; `scalar` is always the last.
std::span<const Table* const> tables() noexcept;

// Whether this machine can run a table. For one that needs tiles this asks Linux for them, for the
// whole process, once: from then on alternate signal stacks need room for 8 KB more, or Linux
// refuses them, as it refuses tiles where there is a smaller one already.
bool runs_here(const Table& table, const CpuFeatures& cpu) noexcept;

// The table of that name, null if this build has none.
const Table* find_table(std::string_view name) noexcept;

// The first of tables() that runs here; may ask for tiles, too.
const Table& best_table(const CpuFeatures& cpu) noexcept;

}  // namespace octet::kernels
