// SPDX-License-Identifier: Apache-2.0
// The division of a matrix product: each element is one task's, in whole tiles.
#include "engine/ops/matrix.h"

#include <doctest/doctest.h>

#include <vector>

namespace octet::test::matrix_test {

using namespace engine;

namespace {

bool is_bound(std::size_t x, std::size_t unit, std::size_t end) {
  return x % unit == 0 || x == end;
}

// Whether each element is in one share, and each share in whole tiles.
bool covers(std::size_t m, std::size_t n, std::size_t mr, std::size_t nr, std::size_t parts,
            bool is_far) {
  std::vector<int> counts(m * n);
  for (std::size_t part = 0; part < parts; ++part) {
    const Tiles t = divide(m, n, mr, nr, {part, parts}, is_far);
    if (t.row_begin > t.row_end || t.row_end > m) return false;
    if (t.column_begin > t.column_end || t.column_end > n) return false;
    if (!is_bound(t.row_begin, mr, m) || !is_bound(t.column_begin, nr, n)) return false;
    for (std::size_t row = t.row_begin; row < t.row_end; ++row) {
      for (std::size_t i = t.column_begin; i < t.column_end; ++i) ++counts[row * n + i];
    }
  }
  return std::all_of(counts.begin(), counts.end(), [](int count) { return count == 1; });
}

std::size_t elements(const Tiles& t) {
  return (t.row_end - t.row_begin) * (t.column_end - t.column_begin);
}

}  // namespace

TEST_CASE("divide: each element is in one part, of whole tiles") {
  int wrong = 0;
  for (const std::size_t mr : {1u, 3u, 16u}) {
    for (const std::size_t nr : {1u, 16u, 64u}) {
      for (const std::size_t m : {1u, 2u, 3u, 15u, 16u, 17u, 63u, 64u, 65u, 130u}) {
        for (const std::size_t n : {1u, 10u, 16u, 63u, 64u, 65u, 100u, 128u, 300u}) {
          for (const std::size_t tasks : {2u, 3u, 5u, 8u}) {
            wrong += !covers(m, n, mr, nr, 2 * tasks, false);
            wrong += !covers(m, n, mr, nr, 2 * tasks, true);
          }
        }
      }
    }
  }
  CHECK(wrong == 0);
}

TEST_CASE("divide: two halves are a task's part, which is as large as any other's") {
  for (std::size_t part = 0; part < 4; ++part) {
    // Columns, so that weights from far are read by one task.
    const Tiles far = divide(64, 1024, 16, 64, {part, 4}, true);
    CHECK(far.column_begin == 256 * part);
    CHECK(far.column_end == 256 * (part + 1));
    CHECK(elements(far) == 64 * 256);
    // Rows, where they are worth reading all weights.
    const Tiles near = divide(64, 1024, 16, 64, {part, 4}, false);
    CHECK(near.row_begin == 32 * (part / 2));
    CHECK(near.column_begin == 512 * (part % 2));
    CHECK(elements(near) == 32 * 512);
    const Tiles few = divide(63, 1024, 16, 64, {part, 4}, false);
    CHECK(few.column_begin == 256 * part);
    CHECK(elements(few) == 63 * 256);
    // Rows, where tiles of columns are too few.
    const Tiles narrow = divide(96, 64, 6, 64, {part, 4}, true);
    CHECK(narrow.row_begin == 24 * part);
    CHECK(elements(narrow) == 24 * 64);
  }
}

}  // namespace octet::test::matrix_test
