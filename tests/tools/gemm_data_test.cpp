// SPDX-License-Identifier: Apache-2.0
// The layer that is measured is the layer that is meant: the formula of GemmData on every table.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <string>

#include "kernels/dispatch.h"
#include "tools/measure/gemm.h"

namespace octet::test::gemm_data_test {

TEST_CASE("measured gemm: every table gives the sums and codes of its data") {
  const measure::GemmData data(5, 37, 70);
  std::vector<std::int32_t> sums;
  std::vector<std::uint8_t> codes;
  for (std::size_t i = 0; i < data.m; ++i) {
    for (std::size_t j = 0; j < data.n; ++j) {
      std::int32_t sum = data.bias[j];
      for (std::size_t k = 0; k < data.k; ++k) {
        sum += data.a[i * data.k + k] * data.w[j * data.k + k];
      }
      sums.push_back(sum);
      const float y = std::nearbyint(static_cast<float>(sum) * data.mult);
      codes.push_back(static_cast<std::uint8_t>(std::clamp(y, 0.0F, 255.0F)));
    }
  }
  // Neither all zero nor all saturated.
  CHECK(std::count_if(codes.begin(), codes.end(), [](int y) { return y > 0 && y < 255; }) > 50);
  for (const auto* table : kernels::tables()) {
    if (!kernels::runs_here(*table, kernels::detect_cpu())) continue;
    CAPTURE(std::string(table->name));
    const measure::Gemm q8(*table, data, kernels::Store::q8);
    const measure::Gemm s32(*table, data, kernels::Store::s32);
    q8.run(1);
    s32.run(2);
    CHECK(q8.codes() == codes);
    CHECK(s32.sums() == sums);
  }
}

}  // namespace octet::test::gemm_data_test
