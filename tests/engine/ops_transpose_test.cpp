// SPDX-License-Identifier: Apache-2.0
// engine/ops/transpose.cpp: all permutations of three dimensions, some of seven, bytes and floats.
#include <doctest/doctest.h>

#include <algorithm>
#include "tests/engine/run_graph.h"

namespace octet::test::ops_transpose_test {
namespace {

void check(const std::vector<std::int64_t>& shape, const std::vector<std::uint32_t>& perm) {
  for (const bool is_float : {false, true}) {
    std::vector<std::int64_t> turned;
    for (const std::uint32_t axis : perm) turned.push_back(shape[axis]);
    GraphBuilder b;
    const auto x = is_float ? b.f32("x", shape) : b.q8("x", DType::u8, shape, 0.1f, 3);
    const auto y = is_float ? b.f32("y", turned) : b.q8("y", DType::u8, turned, 0.1f, 3);
    b.node(OpType::transpose, "t", {x}, y).perm = perm;
    b.graph.inputs = {{x, false, {}}};
    b.graph.outputs = {y};
    check_runs(b.graph);
  }
}

}  // namespace

TEST_CASE("transpose") {
  std::vector<std::uint32_t> inner = {1, 2, 3};
  do {
    check({-1, 4, 3, 5}, {0, inner[0], inner[1], inner[2]});
  } while (std::next_permutation(inner.begin(), inner.end()));
  check({-1}, {0});
  check({-1, 7}, {0, 1});
  check({-1, 1, 7, 1}, {0, 3, 2, 1});
  check({-1, 2, 3, 2, 1, 2, 3, 2}, {0, 7, 6, 5, 4, 3, 2, 1});
  check({-1, 2, 3, 2, 2, 2, 1, 3}, {0, 3, 4, 5, 1, 2, 7, 6});
}

}  // namespace octet::test::ops_transpose_test
