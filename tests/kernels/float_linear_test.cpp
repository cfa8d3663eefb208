// SPDX-License-Identifier: Apache-2.0
#include <bit>
#include <cstdlib>
#include <limits>
#include <memory>

#include "kernels/reference.h"
#include "tests/kernels/tables.h"

namespace octet::test::float_linear_test {

using namespace kernels;

namespace {

constexpr float kInf = std::numeric_limits<float>::infinity();

// Runs one shape on a table and on the reference, columns [n_begin, n_end).
void check_shape(const Table& table, std::size_t m, std::size_t n, std::size_t k,
                 std::size_t n_begin, std::size_t n_end, float min, float max) {
  CAPTURE(std::string(table.name));
  CAPTURE(m);
  CAPTURE(n);
  CAPTURE(k);
  CAPTURE(n_begin);
  const auto w = random_floats(n * k, 1.0F, 1);
  auto bias = random_floats(n, 1.0F, 2);
  bias.resize(round_up(n, kColumnPadding), 0.0F);
  std::vector<std::vector<float>>
      a;  // each row its own allocation: sanitizers see a read past its end
  std::vector<const float*> rows;
  for (std::size_t i = 0; i < m; ++i) {
    a.push_back(random_floats(k, 2.0F, static_cast<std::uint32_t>(i)));
    rows.push_back(a.back().data());
  }
  const std::size_t bytes = table.f32->packed_bytes(n, k);
  CHECK(bytes % 64 == 0);
  const std::unique_ptr<void, decltype(&std::free)> packed(std::aligned_alloc(64, bytes),
                                                           &std::free);
  table.f32->pack_weights(w.data(), n, k, packed.get());

  const std::size_t ldc = n + 3;
  Guarded<float> c(m * ldc);
  std::vector<float> want = c.values();
  FloatLinearTask task{rows.data(), m,        k,   packed.get(), bias.data(), n_begin,
                       n_end,       c.data(), ldc, min,          max};
  table.f32->linear(task);
  task.c = want.data();
  reference::float_linear(task, w.data());
  CHECK(c.intact());
  const auto got = c.values();
  bool equal = true;  // the bits: -0 and the untouched columns too
  for (std::size_t i = 0; i < want.size(); ++i) {
    equal = equal && std::bit_cast<std::uint32_t>(got[i]) == std::bit_cast<std::uint32_t>(want[i]);
  }
  CHECK(equal);
}

}  // namespace

TEST_CASE("the reference sums k in ascending order, each step rounded") {
  // 1e8 + 1 is 1e8 in float: only this order gives 0 and then 1.
  const float row[] = {1.0F, 1.0F, 1.0F};
  const float w[] = {1.0F, -1e8F, 1.0F};
  const float bias[kColumnPadding] = {1e8F};
  const float* rows[] = {row};
  float y = 0;
  reference::float_linear({rows, 1, 3, nullptr, bias, 0, 1, &y, 1, -kInf, kInf}, w);
  CHECK(y == 1.0F);
}

TEST_CASE("float_linear of every table equals the reference") {
  for (const Table* table : tables_here()) {
    const std::size_t nr = table->f32->nr;
    for (const std::size_t m : {1U, 3U, 4U, 5U, 9U}) {
      for (const std::size_t n :
           {std::size_t{1}, std::size_t{10}, nr - 1, nr, nr + 1, 2 * nr + 5, std::size_t{100}}) {
        if (n == 0) continue;
        for (const std::size_t k : {1U, 2U, 17U, 100U})
          check_shape(*table, m, n, k, 0, n, -kInf, kInf);
      }
    }
    check_shape(*table, 6, 3 * nr + 1, 33, nr, 2 * nr, 0.0F, kInf);
    check_shape(*table, 6, 3 * nr + 1, 33, 3 * nr, 3 * nr + 1, 0.0F, 6.0F);
    check_shape(*table, 2, 100, 784, 0, 100, 0.0F, kInf);
  }
}

}  // namespace octet::test::float_linear_test
