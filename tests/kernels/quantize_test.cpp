// SPDX-License-Identifier: Apache-2.0
// quantize beside a true division where a difference would show: at every half between two codes
// and the floats around it. Of 2^10 scales; OCTET_TEST_QUANTIZE=23 makes that every mantissa of a
// scale there is, in some minutes.
#include <algorithm>
#include <bit>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <limits>

#include "kernels/reference.h"
#include "tests/kernels/tables.h"

namespace octet::test::quantize_test {

using namespace kernels;

namespace {

constexpr int kMantissaBits = 23;
constexpr std::uint32_t kMantissas = 0x7fffff;
constexpr int kNeighbours = 3;  // on either side of a half
constexpr std::size_t kHalves = 256;
constexpr std::size_t kValues = kHalves * (2 * kNeighbours + 1);

// The halves of a scale and their neighbours, all of one sign.
void fill(float scale, bool negative, std::vector<float>& x) {
  std::size_t at = 0;
  for (std::size_t half = 0; half < kHalves; ++half) {
    const float middle = (static_cast<float>(half) + 0.5F) * scale;
    const auto bits = std::bit_cast<std::uint32_t>(negative ? -middle : middle);
    for (int step = -kNeighbours; step <= kNeighbours; ++step) {
      x[at++] = std::bit_cast<float>(bits + static_cast<std::uint32_t>(step));
    }
  }
}

// The codes as unsigned ones, whatever the table reads; params are of unsigned codes.
void quantize(const Table& table, const std::vector<float>& x, QuantizeParams params,
              std::vector<std::uint8_t>& y) {
  if (table.sign == Sign::u8) return table.quantize(x.data(), x.size(), params, y.data());
  params.zero_point -= 128;
  params.lo -= 128;
  params.hi -= 128;
  table.quantize(x.data(), x.size(), params, y.data());
  table.flip(y.data(), y.size(), y.data());
}

std::uint32_t wanted_scales() {
  const char* exponent = std::getenv("OCTET_TEST_QUANTIZE");
  const int wanted = exponent != nullptr ? std::atoi(exponent) : 10;
  return 1U << std::clamp(wanted, 0, kMantissaBits);
}

}  // namespace

TEST_CASE("quantize: every table divides, at halves between codes") {
  constexpr int kExponents[] = {0, -8, -100, 99, -60, 30, -3};
  const auto tables = tables_here();
  std::vector<float> x(kValues);
  std::vector<std::uint8_t> want(kValues);
  std::vector<std::uint8_t> got(kValues);
  const auto start = std::chrono::steady_clock::now();
  const std::uint32_t scales = wanted_scales();
  for (std::uint32_t i = 0; i <= scales; ++i) {
    // An odd factor gives each mantissa once.
    const std::uint32_t mantissa = i < scales ? i * 0x2545f5U & kMantissas : kMantissas;
    const float unit = std::bit_cast<float>(0x3f800000U | mantissa);
    const float scale = std::ldexp(unit, kExponents[i % std::size(kExponents)]);
    for (const bool negative : {false, true}) {
      fill(scale, negative, x);
      const QuantizeParams params{scale, negative ? 255 : 0, 0, 255};
      reference::quantize(x.data(), x.size(), params, want.data());
      for (const Table* table : tables) {
        quantize(*table, x, params, got);
        if (got == want) continue;
        const auto at = static_cast<std::size_t>(
            std::mismatch(want.begin(), want.end(), got.begin()).first - want.begin());
        FAIL(std::string(table->name) << ": " << x[at] << " by a scale of " << scale << ": "
                                      << int{got[at]} << ", must be " << int{want[at]});
      }
    }
  }
  const std::chrono::duration<double> time = std::chrono::steady_clock::now() - start;
  MESSAGE((2 * kValues * (scales + 1)) << " values of " << scales << " scales, on " << tables.size()
                                       << " tables in " << time.count() << " s");
}

TEST_CASE("quantize: scales and values at the ends of float") {
  using Limits = std::numeric_limits<float>;
  constexpr float kInfinity = Limits::infinity();
  std::vector<float> x = {0,
                          -0.0F,
                          kInfinity,
                          -kInfinity,
                          Limits::quiet_NaN(),
                          3e38,
                          -3e38,
                          Limits::max(),
                          Limits::lowest(),
                          -Limits::quiet_NaN(),
                          1e30,
                          -1e30,
                          Limits::min(),
                          -Limits::min(),
                          Limits::signaling_NaN(),
                          1e9,
                          -1e9,
                          Limits::denorm_min(),
                          -Limits::denorm_min()};
  // Each magnitude that a float has, of both signs.
  for (int exponent = -149; exponent < 128; ++exponent) {
    x.insert(x.end(), {std::ldexp(1.25F, exponent), std::ldexp(-1.75F, exponent)});
  }
  std::vector<std::uint8_t> want(x.size());
  std::vector<std::uint8_t> got(x.size());
  std::vector<float> scales = {kInfinity, Limits::max(), Limits::min(), Limits::denorm_min(), 0.0F};
  for (const int exponent : {-100, 100}) {
    const float edge = std::ldexp(1.0F, exponent);
    scales.insert(scales.end(), {edge, std::nextafter(edge, 0.0F), std::nextafter(edge, 1.0F)});
    scales.insert(scales.end(), {edge / 4, edge * 4, std::nextafter(edge, kInfinity)});
  }
  for (int exponent = -125; exponent < 127; exponent += 7) {
    scales.push_back(std::ldexp(1.37F, exponent));
  }
  for (const Table* table : tables_here()) {
    CAPTURE(std::string(table->name));
    for (const float scale : scales) {
      CAPTURE(scale);
      for (const std::int32_t zero_point : {0, 255, 77}) {
        for (const auto& [lo, hi] : {std::pair{0, 255}, std::pair{3, 200}, std::pair{255, 255}}) {
          const QuantizeParams params{scale, zero_point, lo, hi};
          reference::quantize(x.data(), x.size(), params, want.data());
          quantize(*table, x, params, got);
          CHECK(got == want);
        }
      }
    }
  }
}

}  // namespace octet::test::quantize_test
