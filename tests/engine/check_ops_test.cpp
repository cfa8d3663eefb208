// SPDX-License-Identifier: Apache-2.0
// What ops allow; what each refuses: tests/faults/.
#include "tests/engine/check.h"

namespace octet::test::check_ops_test {

using namespace engine;

TEST_CASE("a linear keeps the dimensions between batch and columns") {
  GraphBuilder b;
  const auto x = b.q8("x", DType::u8, {-1, 7, 5, 2}, 0.5f, 9);
  const auto w = b.constant<std::int8_t>("w", DType::s8, {3, 2}, {1, 2, 3, 4, 5, 6});
  const auto s = b.constant<float>("s", DType::f32, {1}, {1});
  const auto c = b.constant<std::int32_t>("b", DType::s32, {3}, {0, 0, 0});
  const auto y = b.f32("y", {-1, 7, 5, 3});
  b.node(OpType::linear, "fc", {x, w, s, c}, y);
  b.graph.inputs = {{x, false, {}}};
  b.graph.outputs = {y};
  CHECK(check(b.graph) == "nothing");
  CHECK(check(b.graph, {.multiply_adds = 7 * 5 * 3 * 2}) == "nothing");
  CHECK(check(b.graph, {.multiply_adds = 7 * 5 * 3 * 2 - 1}).starts_with("limit: "));
  b.tensor("y").shape = {-1, 5, 7, 3};
  CHECK(check(b.graph) ==
        "format: net.octet: node 0 'fc' (linear): weight is 3x2, input is Nx7x5x2, output is"
        " Nx5x7x3");
}

}  // namespace octet::test::check_ops_test
