// SPDX-License-Identifier: Apache-2.0
#include "kernels/dispatch.h"

#include <doctest/doctest.h>

#include <cstring>
#include <set>
#include <string>

namespace octet::test::dispatch_test {

using namespace kernels;

namespace {

// The features of a CPU that has everything this build knows.
CpuFeatures everything() {
  CpuFeatures cpu;
  cpu.avx2 = cpu.fma = cpu.avx512 = cpu.avx512_vnni = cpu.avx_vnni = cpu.amx_int8 = true;
  cpu.neon = cpu.dotprod = cpu.i8mm = true;
  return cpu;
}

TEST_CASE("dispatch: tables have names of their own and scalar is the last") {
  std::set<std::string> names;
  for (const Table* table : tables()) {
    CHECK(names.insert(table->name).second);
    CHECK(find_table(table->name) == table);
  }
  CHECK(std::string(tables().back()->name) == "scalar");
  CHECK(find_table("") == nullptr);
  CHECK(find_table("avx") == nullptr);
  CHECK(find_table("scalar ") == nullptr);
}

TEST_CASE("dispatch: tables are complete and their tiles fit the padding of the parameters") {
  for (const Table* table : tables()) {
    CAPTURE(std::string(table->name));
    CHECK(table->tile.mr >= 1);
    CHECK(kColumnPadding % table->tile.nr == 0);
    CHECK(kColumnPadding % table->f32->nr == 0);
    CHECK(table->tile.kr >= 1);
    // Null function pointers would lie among the entries; none of a table's words is zero.
    CHECK((table->packed_bytes && table->pack_weights && table->scratch_bytes && table->gemm));
    CHECK((table->f32->packed_bytes && table->f32->pack_weights && table->f32->linear));
    CHECK((table->quantize && table->dequantize && table->clamp_q8 && table->f32->clamp));
    CHECK((table->add_q8 && table->f32->add && table->f32->affine && table->lookup && table->flip));
  }
}

// Whether the operating system of this machine, whatever features a test makes up, gives tiles.
bool gives_tiles() {
  const Table* table = find_table("amx_int8");
  return table != nullptr && runs_here(*table, everything());
}

TEST_CASE("dispatch: the best table is the first that runs") {
  CHECK(&best_table(everything()) == tables()[gives_tiles() || !find_table("amx_int8") ? 0 : 1]);
  CHECK(std::string(best_table(CpuFeatures{}).name) == "scalar");
  CHECK(runs_here(*find_table("scalar"), CpuFeatures{}));
  CHECK(runs_here(best_table(detect_cpu()), detect_cpu()));
#if defined(__x86_64__)
  CpuFeatures cpu = everything();
  CHECK(std::string(best_table(cpu).name) == (gives_tiles() ? "amx_int8" : "avx512vnni"));
  if (detect_cpu().amx_int8) CHECK(gives_tiles());
  cpu.amx_int8 = false;
  CHECK(std::string(best_table(cpu).name) == "avx512vnni");
  cpu.avx_vnni = false;
  CHECK(std::string(best_table(cpu).name) == "avx512vnni");
  cpu.avx_vnni = cpu.amx_int8 = true;
  cpu.avx512_vnni = false;
  CHECK(std::string(best_table(cpu).name) == "avxvnni");
  cpu.avx512 = false;
  CHECK(std::string(best_table(cpu).name) == "avxvnni");
  cpu.avx_vnni = false;
  CHECK(std::string(best_table(cpu).name) == "avx2");
  cpu.fma = false;
  CHECK(std::string(best_table(cpu).name) == "scalar");
  cpu.fma = cpu.avx_vnni = true;
  cpu.avx2 = false;
  CHECK(std::string(best_table(cpu).name) == "scalar");
#elif defined(__aarch64__)
  CpuFeatures cpu = everything();
  CHECK(std::string(best_table(cpu).name) == "neon_i8mm");
  cpu.i8mm = false;
  CHECK(std::string(best_table(cpu).name) == "neon_dotprod");
  cpu.dotprod = false;
  CHECK(std::string(best_table(cpu).name) == "neon");
#endif
}

TEST_CASE("dispatch: the twins of tests run where AVX-512 VNNI is, and are never chosen") {
#if defined(__x86_64__)
  for (const char* name : {"avxvnni_evex", "amx_int8_emulated"}) {
    CAPTURE(std::string(name));
    const Table* twin = find_table(name);
    REQUIRE(twin != nullptr);
    CpuFeatures cpu = everything();
    CHECK(runs_here(*twin, cpu));
    CHECK(&best_table(cpu) != twin);
    cpu.avx512_vnni = false;
    CHECK_FALSE(runs_here(*twin, cpu));
    cpu = {};
    cpu.avx512 = cpu.avx512_vnni = true;
    CHECK(runs_here(*twin, cpu));
    CHECK(&best_table(cpu) != twin);
  }
#endif
}

TEST_CASE("dispatch: a table that is none of ours does not run") {
  const Table copy = *find_table("scalar");
  CHECK_FALSE(runs_here(copy, everything()));
}

TEST_CASE("dispatch: detection agrees with the compiler's own") {
  const CpuFeatures cpu = detect_cpu();
#if defined(__x86_64__)
  CHECK(cpu.avx2 == (__builtin_cpu_supports("avx2") != 0));
  CHECK(cpu.fma == (__builtin_cpu_supports("fma") != 0));
  const bool avx512 = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                      __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
  CHECK(cpu.avx512 == avx512);
  CHECK(cpu.avx512_vnni == (avx512 && __builtin_cpu_supports("avx512vnni")));
#if !defined(__clang__)  // Clang 14 does not know the questions
  CHECK(cpu.avx_vnni == (__builtin_cpu_supports("avxvnni") != 0));
  CHECK(cpu.amx_int8 == (__builtin_cpu_supports("amx-int8") != 0));
#endif
  CHECK_FALSE(cpu.neon);
#elif defined(__aarch64__)
  CHECK(cpu.neon);
  CHECK_FALSE(cpu.avx2);
#endif
}

TEST_CASE("dispatch: the CPU's name is terminated and trimmed") {
  char name[64];
  std::memset(name, 'x', sizeof name);
  cpu_name(name);
  const std::string text(name, strnlen(name, sizeof name));
  CHECK(text.size() < sizeof name);
  if (!text.empty()) {
    CHECK(text.front() != ' ');
    CHECK(text.back() != ' ');
  }
}

}  // namespace
}  // namespace octet::test::dispatch_test
