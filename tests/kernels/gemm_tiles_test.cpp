// SPDX-License-Identifier: Apache-2.0
// Products that are worth tiles: amx_int8 leaves smaller ones to avx512vnni.
#include <algorithm>

#include "tests/kernels/gemm_problem.h"

namespace octet::test::gemm_test {
namespace {

TEST_CASE("gemm: products that are worth tiles, all k around them") {
  for_tables_here([](const Table& table) {
    Rng rng(10);
    const auto ks = small_set() ? around({64}) : around({4, 60, 64, 124, 128, 192, 512});
    for (const std::size_t k : ks) {
      for (const std::size_t m : {5u, 6u, 8u, 15u, 16u, 17u, 31u, 32u, 33u, 64u, 65u, 100u, 200u}) {
        // Twice as many columns as it takes, because check divides them.
        const std::size_t n = std::max((std::size_t{1} << 18) / ((m - 4) * k) + 1, std::size_t{17});
        if (n > 4096) continue;
        constexpr std::size_t kMore[] = {0, 1, 15, 16, 31};
        check(table, {m, n + kMore[rng() % 5], k, 1}, rng, kFills[rng() % 5], kFills[rng() % 5]);
      }
    }
    for (const std::size_t taps : {2u, 9u}) {
      for (const std::size_t k : {7u, 64u, 100u}) {
        check(table, {20, 300, k, taps}, rng, Fill::extremes, Fill::random);
      }
    }
    // More weights than stay in L2 at a time.
    if (!small_set()) check(table, {17, 1100, 1100, 1}, rng, Fill::extremes, Fill::extremes);
  });
}

}  // namespace
}  // namespace octet::test::gemm_test
