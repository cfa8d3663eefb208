// SPDX-License-Identifier: Apache-2.0
// One call between two marks, for bench/arm/model.py to trace, of a NEON table's GEMM, TABLE M K N,
// or of an elementwise function, TABLE FUNCTION N.
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "bench/elementwise.h"
#include "kernels/dispatch.h"
#include "tools/measure/gemm.h"

extern "C" [[gnu::noinline]] void mark_begin() {
  __asm__ volatile("nop");
}
extern "C" [[gnu::noinline]] void mark_end() {
  __asm__ volatile("nop");
}

namespace {

using namespace octet;

int call_gemm(const kernels::Table& table, std::size_t m, std::size_t k, std::size_t n) {
  const measure::GemmData data(m, n, k);
  const measure::Gemm gemm(table, data, kernels::Store::q8);
  mark_begin();
  gemm.run(1);
  mark_end();
  return 0;
}

int call_elementwise(const kernels::Table& table, const char* name, std::size_t n) {
  for (const bench::Function& function : bench::kFunctions) {
    if (std::strcmp(function.name, name) != 0) continue;
    bench::Operands operands(n);
    mark_begin();
    function.call(table, operands);
    mark_end();
    return 0;
  }
  std::fprintf(stderr, "call: no function '%s'\n", name);
  return 1;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4 && argc != 5) return 2;
  const auto number = [&](int i) { return static_cast<std::size_t>(std::atoi(argv[i])); };
  for (const kernels::Table* table : kernels::tables()) {
    if (std::strcmp(table->name, argv[1]) != 0) continue;
    return argc == 5 ? call_gemm(*table, number(2), number(3), number(4))
                     : call_elementwise(*table, argv[2], number(3));
  }
  std::fprintf(stderr, "call: no table '%s'\n", argv[1]);
  return 1;
}
