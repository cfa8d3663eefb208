// SPDX-License-Identifier: Apache-2.0
#include "kernels/softmax.h"

#include <doctest/doctest.h>

#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <random>
#include <vector>

namespace octet::test::softmax_test {

using octet::kernels::log_softmax;
using octet::kernels::softmax;

namespace {

std::vector<float> random_row(std::size_t n, float spread, std::uint32_t seed) {
  std::mt19937 random(seed);
  const auto value = [&](std::mt19937& r) {
    return (static_cast<float>(r() >> 8) * 0x1p-23F - 1.0F) * spread;
  };
  std::vector<float> row(n);
  for (float& x : row) x = value(random);
  return row;
}

// FNV-1a over the bits: what every CPU must give.
std::uint64_t hash(const std::vector<float>& values) {
  std::uint64_t h = 0xcbf29ce484222325;
  for (const float v : values) {
    const auto bits = std::bit_cast<std::uint32_t>(v);
    for (int shift = 0; shift < 32; shift += 8) h = (h ^ (bits >> shift & 0xff)) * 0x100000001b3;
  }
  return h;
}

}  // namespace

TEST_CASE("softmax and log_softmax are within a few ulps of the function in double") {
  for (const float spread : {0.1F, 5.0F, 40.0F, 200.0F}) {
    for (const std::size_t n : {1U, 2U, 10U, 1000U}) {
      const auto x = random_row(n, spread, static_cast<std::uint32_t>(n));
      std::vector<float> y(n);
      std::vector<float> log_y(n);
      softmax(x.data(), n, 1, y.data());
      log_softmax(x.data(), n, 1, log_y.data());
      double max = x[0];
      for (const float v : x) max = v > max ? static_cast<double>(v) : max;
      double sum = 0;
      for (const float v : x) sum += std::exp(static_cast<double>(v) - max);
      for (std::size_t i = 0; i < n; ++i) {
        // The sum of n terms, each rounded, is off by at most n/2 ulps; the rest are single
        // roundings. The argument x - max is itself rounded, which counts |x - max| ulps in the
        // exponential.
        const double argument = static_cast<double>(x[i]) - max;
        const double ulp = std::numeric_limits<float>::epsilon();
        const double bound = (4 + static_cast<double>(n) / 2 + std::fabs(argument)) * ulp;
        const double exact = std::exp(argument) / sum;
        CHECK(std::fabs(static_cast<double>(y[i]) - exact) <= bound * exact + 1e-37);
        const double exact_log = argument - std::log(sum);
        CHECK(std::fabs(static_cast<double>(log_y[i]) - exact_log) <=
              (4 + static_cast<double>(n) / 2 + std::fabs(exact_log)) * ulp);
      }
    }
  }
}

TEST_CASE("softmax gives the same bits on every CPU") {
  const auto x = random_row(257, 30.0F, 7);
  std::vector<float> y(x.size());
  softmax(x.data(), x.size(), 1, y.data());
  CHECK(hash(y) == 14593373605165437587u);
  log_softmax(x.data(), x.size(), 1, y.data());
  CHECK(hash(y) == 2466114304592808001u);
}

TEST_CASE("softmax of a row is that of the row with elements behind it that count for nothing") {
  constexpr float kInf = std::numeric_limits<float>::infinity();
  for (std::size_t n = 1; n < 20; ++n) {
    CAPTURE(n);
    const auto row = random_row(n, 3.0F, static_cast<std::uint32_t>(n));
    for (const auto function : {softmax, log_softmax}) {
      std::vector<float> want(n);
      function(row.data(), n, 1, want.data());
      for (std::size_t more = 0; more < 5; ++more) {
        for (const std::size_t stride : {1U, 2U, 3U}) {
          std::vector<float> x((n + more) * stride, 7.0F);
          for (std::size_t i = 0; i < n + more; ++i) x[i * stride] = i < n ? row[i] : -kInf;
          std::vector<float> y(x.size() + 1, -7.0F);
          function(x.data(), n + more, stride, y.data());
          for (std::size_t i = 0; i < n; ++i) CHECK(y[i * stride] == want[i]);
          CHECK(y.back() == -7.0F);
          function(x.data(), n + more, stride, x.data());
          y.pop_back();
          for (std::size_t i = 0; i < n + more; ++i) CHECK(x[i * stride] == y[i * stride]);
        }
      }
    }
  }
}

TEST_CASE("softmax walks a strided axis, in place, and leaves the rest alone") {
  const auto row = random_row(5, 3.0F, 1);
  std::vector<float> dense(5);
  softmax(row.data(), 5, 1, dense.data());
  std::vector<float> strided(15, -7.0F);
  for (std::size_t i = 0; i < 5; ++i) strided[i * 3] = row[i];
  softmax(strided.data(), 5, 3, strided.data());
  for (std::size_t i = 0; i < strided.size(); ++i) {
    CHECK(strided[i] == (i % 3 == 0 ? dense[i / 3] : -7.0F));
  }
}

TEST_CASE("softmax of rows without a finite result is one and the same NaN") {
  constexpr float kInf = std::numeric_limits<float>::infinity();
  constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
  for (const std::vector<float>& row : {std::vector{1.0F, kInf}, std::vector{-kInf, -kInf},
                                        std::vector{0.0F, -kNan}, std::vector{kNan}}) {
    std::vector<float> y(row.size());
    softmax(row.data(), row.size(), 1, y.data());
    for (const float v : y) CHECK(std::bit_cast<std::uint32_t>(v) == 0x7fc00000U);
    log_softmax(row.data(), row.size(), 1, y.data());
    for (const float v : y) CHECK(std::bit_cast<std::uint32_t>(v) == 0x7fc00000U);
  }
  std::vector<float> y(2);
  softmax(std::vector{0.0F, -kInf}.data(), 2, 1, y.data());
  CHECK(y == std::vector{1.0F, 0.0F});
}

}  // namespace octet::test::softmax_test
