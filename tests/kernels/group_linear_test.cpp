// SPDX-License-Identifier: Apache-2.0
#include <bit>
#include <cstdlib>
#include <limits>
#include <memory>

#include "kernels/reference.h"
#include "tests/kernels/tables.h"

namespace octet::test::group_linear_test {

using namespace kernels;

namespace {

constexpr float kInf = std::numeric_limits<float>::infinity();

struct Shape {
  std::size_t m;
  std::size_t n;
  std::size_t k;
  std::size_t group;
  std::size_t bits;
};

// Runs one shape on a table and on the reference, columns [n_begin, n_end).
void check_shape(const Table& table, const Shape& s, std::size_t n_begin, std::size_t n_end,
                 float min = -kInf, float max = kInf) {
  CAPTURE(std::string(table.name));
  CAPTURE(s.m);
  CAPTURE(s.n);
  CAPTURE(s.k);
  CAPTURE(s.group);
  CAPTURE(s.bits);
  CAPTURE(n_begin);
  std::vector<std::int8_t> codes(s.n * s.k);
  std::uint32_t state = 7;
  for (std::int8_t& code : codes) {
    state = state * 1664525 + 1013904223;
    const int byte = static_cast<std::int8_t>(state >> 24);
    code = static_cast<std::int8_t>(s.bits == 8 ? byte : byte >> 4);
  }
  codes.front() = s.bits == 8 ? -128 : -8;
  codes.back() = s.bits == 8 ? 127 : 7;
  const std::size_t groups = (s.k + s.group - 1) / s.group;
  const auto scale = random_floats(s.n * groups, 1.0F, 3);
  auto bias = random_floats(s.n, 1.0F, 2);
  bias.resize(round_up(s.n, kColumnPadding), 0.0F);
  std::vector<std::vector<float>> a;  // each row its own allocation, as in float_linear_test.cpp
  std::vector<const float*> rows;
  for (std::size_t i = 0; i < s.m; ++i) {
    a.push_back(random_floats(s.k, 2.0F, static_cast<std::uint32_t>(i)));
    rows.push_back(a.back().data());
  }
  const std::size_t bytes = table.f32->packed_group_bytes(s.n, s.k, s.group, s.bits);
  CHECK(bytes % 64 == 0);
  const std::unique_ptr<void, decltype(&std::free)> packed(std::aligned_alloc(64, bytes),
                                                           &std::free);
  table.f32->pack_group_weights(codes.data(), scale.data(), s.n, s.k, s.group, s.bits,
                                packed.get());

  const std::size_t ldc = s.n + 3;
  Guarded<float> c(s.m * ldc);
  std::vector<float> want = c.values();
  FloatLinearTask task{.rows = rows.data(),
                       .m = s.m,
                       .k = s.k,
                       .weights = packed.get(),
                       .bias = bias.data(),
                       .n_begin = n_begin,
                       .n_end = n_end,
                       .c = c.data(),
                       .ldc = ldc,
                       .min = min,
                       .max = max,
                       .group = s.group,
                       .bits = s.bits};
  table.f32->group_linear(task);
  task.c = want.data();
  reference::group_linear(task, codes.data(), scale.data());
  CHECK(c.intact());
  const auto got = c.values();
  bool equal = true;
  for (std::size_t i = 0; i < want.size(); ++i) {
    equal = equal && std::bit_cast<std::uint32_t>(got[i]) == std::bit_cast<std::uint32_t>(want[i]);
  }
  CHECK(equal);
}

}  // namespace

TEST_CASE("the reference sums group by group, each from zero") {
  // {1e8, -1e8} * 1 + {1, 1} * 0.5, and {1e8, -1e8, 1} * 1 + {1} * 0.5.
  const float row[] = {1e8F, -1e8F, 1.0F, 1.0F};
  const std::int8_t codes[] = {1, 1, 1, 1};
  const float scale[] = {1.0F, 0.5F};
  const float bias[kColumnPadding] = {3.0F};
  const float* rows[] = {row};
  float y = 0;
  FloatLinearTask task{rows, 1, 4, nullptr, bias, 0, 1, &y, 1, -kInf, kInf, 2, 8};
  reference::group_linear(task, codes, scale);
  CHECK(y == 4.0F);
  task.group = 3;
  reference::group_linear(task, codes, scale);
  CHECK(y == 4.5F);
}

TEST_CASE("group_linear of every table equals the reference") {
  for (const Table* table : tables_here()) {
    const std::size_t nr = table->f32->nr;
    for (const std::size_t bits : {8U, 4U}) {
      for (const std::size_t m : {1U, 3U, 4U, 5U}) {
        for (const std::size_t n : {std::size_t{1}, nr - 1, nr, nr + 1, 2 * nr + 5}) {
          if (n == 0) continue;
          for (const std::size_t k : {1U, 33U}) {
            for (const std::size_t group : {1U, 3U, 32U}) {
              check_shape(*table, {m, n, k, group, bits}, 0, n);
            }
          }
        }
      }
      check_shape(*table, {6, 3 * nr + 1, 65, 16, bits}, nr, 2 * nr, 0.0F, kInf);
      check_shape(*table, {6, 3 * nr + 1, 65, 32, bits}, 3 * nr, 3 * nr + 1, 0.0F, 6.0F);
      check_shape(*table, {2, 100, 784, 32, bits}, 0, 100);
    }
  }
}

}  // namespace octet::test::group_linear_test
