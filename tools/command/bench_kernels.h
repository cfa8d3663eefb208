// SPDX-License-Identifier: Apache-2.0
// octet bench --kernels: every kernel table that runs here on one shape.
#pragma once

#include <cstddef>

namespace octet::command {

// C[m][n] = A[m][k] * W[n][k].
struct GemmShape {
  std::size_t m, n, k;
};

// Times the GEMM with 8-bit output on one thread and prints GOPS, the share of the table's measured
// peak and which table dispatch picks.
void bench_kernels(const GemmShape& shape, bool json);

}  // namespace octet::command
