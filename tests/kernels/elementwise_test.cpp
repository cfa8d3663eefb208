// SPDX-License-Identifier: Apache-2.0
#include <bit>
#include <limits>
#include <utility>

#include "kernels/reference.h"
#include "tests/kernels/tables.h"

namespace octet::test::elementwise_test {

using namespace kernels;

namespace {

constexpr std::size_t kSizes[] = {0,  1,  2,  3,  4,  5,  7,   8,   9,   15,  16,  17,
                                  31, 32, 33, 63, 64, 65, 100, 127, 128, 129, 1000};

// The code range of a table's sign.
std::pair<std::int32_t, std::int32_t> codes(Sign sign) {
  return sign == Sign::u8 ? std::pair{0, 255} : std::pair{-128, 127};
}

// Values around every rounding tie of a scale, specials, and random ones.
std::vector<float> awkward_floats(float scale) {
  std::vector<float> x;
  for (int q = -300; q <= 300; ++q) {
    const float tie = (static_cast<float>(q) + 0.5F) * scale;
    x.insert(x.end(), {tie, std::bit_cast<float>(std::bit_cast<std::uint32_t>(tie) + 1),
                       std::bit_cast<float>(std::bit_cast<std::uint32_t>(tie) - 1)});
  }
  using Limits = std::numeric_limits<float>;
  x.insert(x.end(), {0.0F, -0.0F, Limits::infinity(), -Limits::infinity(), Limits::quiet_NaN(),
                     -Limits::quiet_NaN(), Limits::max(), Limits::lowest(), Limits::min(),
                     Limits::denorm_min()});
  const auto random = random_floats(500, 400 * scale, 3);
  x.insert(x.end(), random.begin(), random.end());
  return x;
}

template <class T>
std::vector<std::uint8_t> bits(const std::vector<T>& values) {
  const auto* first = reinterpret_cast<const std::uint8_t*>(values.data());
  return std::vector<std::uint8_t>(first, first + values.size() * sizeof(T));
}

// Runs call(out) on a guarded output and want(out) on a plain one: equal bytes, guards intact.
template <class T, class Call, class Want>
void check_equal(std::size_t n, Call call, Want want) {
  Guarded<T> y(n);
  std::vector<T> expected;
  expected.assign(n, T(1));
  call(y.data());
  want(expected.data());
  CHECK(bits(y.values()) == bits(expected));
  CHECK(y.intact());
}

}  // namespace

TEST_CASE("quantize equals its formula by hand") {
  // scale 0.5: 0.25 is a tie at half a step and goes to the even code, 0.75 goes to 2, -0.25 to 0.
  const float x[] = {0.25F,  0.75F, 1.25F, -0.25F,
                     -0.75F, 1e9F,  -1e9F, std::numeric_limits<float>::quiet_NaN()};
  const std::uint8_t want[] = {10, 12, 12, 10, 8, 255, 0, 0};
  std::uint8_t y[8];
  reference::quantize(x, 8, {0.5F, 10, 0, 255}, y);
  CHECK(std::equal(y, y + 8, want));
}

TEST_CASE("quantize and dequantize of every table equal the reference") {
  for (const Table* table : tables_here()) {
    CAPTURE(std::string(table->name));
    const auto [lowest, highest] = codes(table->sign);
    for (const float scale : {1.0F, 0.1F, 3.0e-5F, 1.0e-38F, 1.0e38F}) {
      const auto x = awkward_floats(scale);
      for (const std::int32_t zero_point : {lowest, highest, 3}) {
        for (const auto& [lo, hi] :
             {std::pair{lowest, highest}, std::pair{3, 90}, std::pair{5, 5}}) {
          const QuantizeParams params{scale, zero_point, lo, hi};
          check_equal<std::uint8_t>(
              x.size(), [&](std::uint8_t* y) { table->quantize(x.data(), x.size(), params, y); },
              [&](std::uint8_t* y) { reference::quantize(x.data(), x.size(), params, y); });
        }
        const auto q = random_bytes(300, 9);
        check_equal<float>(
            q.size(),
            [&](float* y) { table->dequantize(q.data(), q.size(), scale, zero_point, y); },
            [&](float* y) {
              reference::dequantize(table->sign, q.data(), q.size(), scale, zero_point, y);
            });
      }
    }
    const auto x = random_floats(1001, 20.0F, 5);
    const auto q = random_bytes(1001, 6);
    for (const std::size_t n : kSizes) {
      const QuantizeParams params{0.1F, 7, lowest, highest};
      check_equal<std::uint8_t>(
          n, [&](std::uint8_t* y) { table->quantize(x.data() + 1, n, params, y); },
          [&](std::uint8_t* y) { reference::quantize(x.data() + 1, n, params, y); });
      check_equal<float>(
          n, [&](float* y) { table->dequantize(q.data() + 1, n, 0.1F, 7, y); },
          [&](float* y) { reference::dequantize(table->sign, q.data() + 1, n, 0.1F, 7, y); });
    }
  }
}

TEST_CASE("clamp, add, look-up and flip of every table equal the reference") {
  for (const Table* table : tables_here()) {
    CAPTURE(std::string(table->name));
    const auto [lowest, highest] = codes(table->sign);
    const auto a = random_bytes(1001, 1);
    const auto b = random_bytes(1001, 2);
    const auto lut = random_bytes(256, 3);
    for (const std::size_t n : kSizes) {
      for (const auto& bounds : {std::pair{lowest, highest}, std::pair{3, 90}, std::pair{7, 7}}) {
        const auto lo = bounds.first;  // Clang 14 captures no structured binding
        const auto hi = bounds.second;
        check_equal<std::uint8_t>(
            n, [&](std::uint8_t* y) { table->clamp_q8(a.data() + 1, n, lo, hi, y); },
            [&](std::uint8_t* y) { reference::clamp_q8(table->sign, a.data() + 1, n, lo, hi, y); });
        for (const AddParams& params :
             {AddParams{0.5F, 0.5F, 0.0F, lo, hi}, AddParams{1.0F, 1.0F, -128.0F, lo, hi},
              AddParams{0.37F, 1.9F, 11.3F, lo, hi}, AddParams{3e38F, 3e38F, -3e38F, lo, hi},
              AddParams{1e-30F, 0.5F, 0.0F, lo, hi}}) {
          check_equal<std::uint8_t>(
              n, [&](std::uint8_t* y) { table->add_q8(a.data() + 1, b.data() + 1, n, params, y); },
              [&](std::uint8_t* y) {
                reference::add_q8(table->sign, a.data() + 1, b.data() + 1, n, params, y);
              });
        }
      }
      check_equal<std::uint8_t>(
          n, [&](std::uint8_t* y) { table->lookup(a.data() + 1, n, lut.data(), y); },
          [&](std::uint8_t* y) { reference::lookup(a.data() + 1, n, lut.data(), y); });
      check_equal<std::uint8_t>(
          n, [&](std::uint8_t* y) { table->flip(a.data() + 1, n, y); },
          [&](std::uint8_t* y) { reference::flip(a.data() + 1, n, y); });
    }
  }
}

TEST_CASE("float clamp, add and affine of every table equal the reference") {
  constexpr float kInf = std::numeric_limits<float>::infinity();
  const auto x = awkward_floats(1.0F);
  const auto a = random_floats(1001, 3.0F, 1);
  const auto b = random_floats(1001, 1e-3F, 2);
  const auto c = random_floats(1001, 1e3F, 3);
  for (const Table* table : tables_here()) {
    CAPTURE(std::string(table->name));
    for (const auto& bounds :
         {std::pair{0.0F, kInf}, std::pair{-kInf, kInf}, std::pair{-1.5F, 6.0F}}) {
      const auto min = bounds.first;
      const auto max = bounds.second;
      check_equal<float>(
          x.size(), [&](float* y) { table->f32->clamp(x.data(), x.size(), min, max, y); },
          [&](float* y) { reference::clamp_f32(x.data(), x.size(), min, max, y); });
    }
    for (const std::size_t n : kSizes) {
      check_equal<float>(
          n, [&](float* y) { table->f32->clamp(a.data() + 1, n, -1.0F, 1.0F, y); },
          [&](float* y) { reference::clamp_f32(a.data() + 1, n, -1.0F, 1.0F, y); });
      check_equal<float>(
          n, [&](float* y) { table->f32->add(a.data() + 1, b.data() + 1, n, y); },
          [&](float* y) { reference::add_f32(a.data() + 1, b.data() + 1, n, y); });
      // A fused multiply-add would keep the product's low bits: c cancels none of them here.
      check_equal<float>(
          n, [&](float* y) { table->f32->affine(a.data() + 1, b.data() + 1, c.data() + 1, n, y); },
          [&](float* y) { reference::affine_f32(a.data() + 1, b.data() + 1, c.data() + 1, n, y); });
      check_equal<float>(
          n, [&](float* y) { table->f32->affine(a.data() + 1, c.data() + 1, a.data() + 1, n, y); },
          [&](float* y) { reference::affine_f32(a.data() + 1, c.data() + 1, a.data() + 1, n, y); });
    }
  }
}

TEST_CASE("float add and affine give one NaN on every CPU") {
  constexpr float kInf = std::numeric_limits<float>::infinity();
  const float nan = std::bit_cast<float>(0xffc12345U);
  const std::vector<float> ones(35, 1.0F);
  for (const Table* table : tables_here()) {
    CAPTURE(std::string(table->name));
    for (const auto& [a, b] :
         {std::pair{kInf, -kInf}, std::pair{nan, 1.0F}, std::pair{1.0F, nan}}) {
      const std::vector<float> x(ones.size(), a);
      const std::vector<float> shift(ones.size(), b);
      std::vector<float> y(ones.size());
      table->f32->add(x.data(), shift.data(), y.size(), y.data());
      for (const float v : y) CHECK(std::bit_cast<std::uint32_t>(v) == 0x7fc00000U);
      table->f32->affine(x.data(), ones.data(), shift.data(), y.size(), y.data());
      for (const float v : y) CHECK(std::bit_cast<std::uint32_t>(v) == 0x7fc00000U);
    }
  }
}

TEST_CASE("elementwise functions of no elements touch nothing") {
  const std::uint8_t table[256] = {};
  for (const Table* t : tables_here()) {
    CAPTURE(std::string(t->name));
    t->quantize(nullptr, 0, {1, 0, 0, 1}, nullptr);
    t->dequantize(nullptr, 0, 1, 0, nullptr);
    t->clamp_q8(nullptr, 0, 0, 1, nullptr);
    t->add_q8(nullptr, nullptr, 0, {1, 1, 0, 0, 1}, nullptr);
    t->lookup(nullptr, 0, table, nullptr);
    t->flip(nullptr, 0, nullptr);
    t->f32->clamp(nullptr, 0, 0, 1, nullptr);
    t->f32->add(nullptr, nullptr, 0, nullptr);
    t->f32->affine(nullptr, nullptr, nullptr, 0, nullptr);
    t->f32->dequantize_sums(nullptr, 0, {0, 1, nullptr, nullptr, nullptr, 0, 1}, nullptr);
    float least = 7;
    float largest = 7;
    t->f32->range(nullptr, 0, &least, &largest);
    CHECK(least == 0);
    CHECK(largest == 0);
  }
}

TEST_CASE("elementwise functions may write onto their input") {
  const auto x = random_bytes(1001, 4);
  const auto b = random_bytes(1001, 5);
  const auto lut = random_bytes(256, 3);
  const auto reals = random_floats(1001, 3.0F, 1);
  const auto others = random_floats(1001, 3.0F, 2);
  const AddParams params{0.4F, 0.7F, 1.0F, 0, 100};
  // onto(y, y) on a copy gives what onto(x, y) gives.
  const auto check = [](const auto& input, std::size_t n, const auto& onto) {
    auto y = input;
    auto want = input;
    onto(y.data(), y.data());
    onto(input.data(), want.data());
    CHECK(bits(y) == bits(want));
    CHECK(std::equal(y.begin() + static_cast<std::ptrdiff_t>(n), y.end(),
                     input.begin() + static_cast<std::ptrdiff_t>(n)));
  };
  for (const Table* t : tables_here()) {
    CAPTURE(std::string(t->name));
    const FloatTable& f = *t->f32;
    for (const std::size_t n : kSizes) {
      CAPTURE(n);
      check(x, n, [&](auto* in, auto* y) { t->flip(in, n, y); });
      check(x, n, [&](auto* in, auto* y) { t->clamp_q8(in, n, 20, 90, y); });
      check(x, n, [&](auto* in, auto* y) { t->lookup(in, n, lut.data(), y); });
      check(x, n, [&](auto* in, auto* y) { t->add_q8(in, b.data(), n, params, y); });
      check(x, n, [&](auto* in, auto* y) { t->add_q8(b.data(), in, n, params, y); });
      check(reals, n, [&](auto* in, auto* y) { f.clamp(in, n, -1, 2, y); });
      check(reals, n, [&](auto* in, auto* y) { f.add(in, others.data(), n, y); });
      check(reals, n, [&](auto* in, auto* y) { f.affine(in, others.data(), in, n, y); });
      check(reals, n, [&](auto* in, auto* y) { f.affine(others.data(), in, in, n, y); });
      check(x, n, [&](auto* in, auto* y) { t->add_q8(in, in, n, params, y); });
      check(reals, n, [&](auto* in, auto* y) { f.add(in, in, n, y); });
    }
  }
}

}  // namespace octet::test::elementwise_test
