// SPDX-License-Identifier: Apache-2.0
// The test program: doctest's main, which first says which kernel tables this machine runs.
#define DOCTEST_CONFIG_IMPLEMENT
#include <doctest/doctest.h>

#include <cstdio>

#include "kernels/dispatch.h"

int main(int argc, char** argv) {
  const auto cpu = octet::kernels::detect_cpu();
  std::printf("kernel tables:");
  for (const auto* table : octet::kernels::tables()) {
    std::printf(" %s%s", table->name,
                octet::kernels::runs_here(*table, cpu) ? "" : " (not run: this CPU lacks it)");
  }
  std::printf("\n");
  return doctest::Context(argc, argv).run();
}
