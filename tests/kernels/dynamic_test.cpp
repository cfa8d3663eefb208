// SPDX-License-Identifier: Apache-2.0
// kernels/dynamic.inl: range and dequantize_sums of every table equal the reference.
#include <bit>
#include <cstring>
#include <limits>

#include "kernels/reference.h"
#include "tests/kernels/tables.h"

namespace octet::test::dynamic_test {

using namespace kernels;

namespace {

constexpr std::size_t kSizes[] = {0, 1, 2, 3, 4, 7, 8, 9, 15, 16, 17, 31, 63, 64, 65, 127, 784};

std::vector<std::uint32_t> words(const std::vector<float>& values) {
  std::vector<std::uint32_t> result;
  for (const float v : values) result.push_back(std::bit_cast<std::uint32_t>(v));
  return result;
}

void check_range(const Table& table, const float* x, std::size_t n) {
  float got[2] = {7, 7};
  float want[2];
  table.f32->range(x, n, &got[0], &got[1]);
  reference::range(x, n, &want[0], &want[1]);
  CHECK(words({got[0], got[1]}) == words({want[0], want[1]}));
}

}  // namespace

TEST_CASE("range holds zero and each element but NaN") {
  float least;
  float largest;
  const float x[] = {3, -2, std::numeric_limits<float>::quiet_NaN(), 5};
  reference::range(x, 4, &least, &largest);
  CHECK(least == -2);
  CHECK(largest == 5);
  reference::range(x, 1, &least, &largest);
  CHECK(least == 0);
  CHECK(largest == 3);
}

TEST_CASE("range of every table equals the reference, wherever the extremes lie") {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  for (const Table* table : tables_here()) {
    CAPTURE(std::string(table->name));
    for (const std::size_t n : kSizes) {
      CAPTURE(n);
      // Of one sign, of the other, of both; the element behind the last is no part of it.
      for (const float offset : {2.0F, -2.0F, 0.0F}) {
        auto x = random_floats(n + 2, 1.0F, 5);
        for (float& v : x) v += offset;
        x[n + 1] = 100;
        check_range(*table, x.data() + 1, n);
      }
      for (std::size_t at = 0; at < n; ++at) {
        auto x = random_floats(n, 1.0F, 6);
        x[at] = at % 2 == 0 ? 9.0F : -9.0F;
        x[n - 1 - at] = at % 3 == 0 ? std::numeric_limits<float>::quiet_NaN() : -0.0F;
        check_range(*table, x.data(), n);
        x[at] = at % 2 == 0 ? kInfinity : -kInfinity;
        check_range(*table, x.data(), n);
      }
    }
  }
}

TEST_CASE("dequantize_sums by hand") {
  const std::int32_t sum[] = {1000, INT32_MIN};
  const std::int32_t weight_sum[] = {7, 1};
  const float weight_scale[] = {0.5F, 0.25F};
  const float bias[] = {1, -1};
  float y[2];
  reference::dequantize_sums(sum, 2, {100, 0.125F, weight_sum, weight_scale, bias, -1e9F, 1e9F}, y);
  CHECK(y[0] == 300 * 0.0625F + 1);
  CHECK(y[1] == static_cast<float>(INT32_MAX - 99) * 0.03125F - 1);  // modulo 2^32
  reference::dequantize_sums(sum, 1, {100, 0.125F, weight_sum, weight_scale, bias, 0, 6}, y);
  CHECK(y[0] == 6);
}

TEST_CASE("dequantize_sums of every table equals the reference") {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  std::mt19937 random(8);
  std::vector<std::int32_t> sum(800);
  std::vector<std::int32_t> weight_sum(800);
  for (auto& v : sum) v = static_cast<std::int32_t>(random());
  for (auto& v : weight_sum) v = static_cast<std::int32_t>(random());
  const auto scale = random_floats(800, 1.0F, 9);
  const auto bias = random_floats(800, 1e6F, 10);
  for (const Table* table : tables_here()) {
    CAPTURE(std::string(table->name));
    for (const std::size_t n : kSizes) {
      for (const float row_scale : {0.01F, 1e-40F, kInfinity}) {
        for (const float min : {-kInfinity, 0.0F}) {
          const DynamicParams params{
              -77, row_scale, weight_sum.data() + 1, scale.data() + 1, bias.data() + 1, min, 1e30F};
          Guarded<float> y(n);
          std::vector<float> want(n);
          std::memcpy(y.data(), sum.data() + 1, n * sizeof(float));  // onto its input
          table->f32->dequantize_sums(reinterpret_cast<const std::int32_t*>(y.data()), n, params,
                                      y.data());
          reference::dequantize_sums(sum.data() + 1, n, params, want.data());
          CHECK(words(y.values()) == words(want));
          CHECK(y.intact());
        }
      }
    }
  }
}

}  // namespace octet::test::dynamic_test
