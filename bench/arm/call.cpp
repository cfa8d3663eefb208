// SPDX-License-Identifier: Apache-2.0
// One call of a NEON table's GEMM between two marks, for bench/arm/model.py to trace: TABLE M K N.
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "kernels/dispatch.h"
#include "tools/measure/gemm.h"

extern "C" [[gnu::noinline]] void mark_begin() {
  __asm__ volatile("nop");
}
extern "C" [[gnu::noinline]] void mark_end() {
  __asm__ volatile("nop");
}

int main(int argc, char** argv) {
  using namespace octet;
  if (argc != 5) return 2;
  const auto number = [&](int i) { return static_cast<std::size_t>(std::atoi(argv[i])); };
  for (const kernels::Table* table : kernels::tables()) {
    if (std::strcmp(table->name, argv[1]) != 0) continue;
    const measure::GemmData data(number(2), number(4), number(3));
    const measure::Gemm gemm(*table, data, kernels::Store::q8);
    mark_begin();
    gemm.run(1);
    mark_end();
    return 0;
  }
  std::fprintf(stderr, "call: no table '%s'\n", argv[1]);
  return 1;
}
