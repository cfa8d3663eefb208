// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "tests/engine/check.h"

namespace octet::test::check_arithmetic_test {

using namespace engine;

namespace {

// A linear whose channel 0 is zeros and whose channel 1 has k times this weight and this bias.
std::string check_accumulator(DType dtype, std::int32_t zero_point, std::int64_t k,
                              std::int8_t weight, std::int32_t bias) {
  GraphBuilder b;
  const auto x = b.q8("x", dtype, {-1, k}, 1, zero_point);
  std::vector<std::int8_t> weights(static_cast<std::size_t>(2 * k), 0);
  std::fill(weights.begin() + k, weights.end(), weight);
  const auto w = b.constant("w", DType::s8, {2, k}, weights);
  const auto s = b.constant<float>("s", DType::f32, {1}, {1});
  const auto c = b.constant<std::int32_t>("b", DType::s32, {2}, {0, bias});
  const auto y = b.f32("y", {-1, 2});
  b.node(OpType::linear, "fc", {x, w, s, c}, y);
  b.graph.inputs = {{x, false, {}}};
  b.graph.outputs = {y};
  return check(b.graph);
}

}  // namespace

TEST_CASE("the accumulator's bound is exact") {
  const auto overflow = [](const std::string& numbers) {
    return "format: net.octet: node 0 'fc' (linear): channel 1: its accumulator could reach " +
           numbers + ", the limit is 2147483647; split the layer or use a larger weight scale";
  };
  // 66052 * 127 * 255 = 2139094020; 8389627 more is 2^31 - 1.
  CHECK(check_accumulator(DType::u8, 0, 66052, 127, 8389627) == "nothing");
  CHECK(check_accumulator(DType::u8, 0, 66052, 127, -8389627) == "nothing");
  CHECK(check_accumulator(DType::u8, 0, 66052, 127, 8389628) ==
        overflow("2147483648 (|bias| 8389628 + 8388604 * 255)"));
  CHECK(check_accumulator(DType::u8, 0, 66052, -127, -8389628) ==
        overflow("2147483648 (|bias| 8389628 + 8388604 * 255)"));
  // A zero point in the middle halves the offset; the larger side counts.
  CHECK(check_accumulator(DType::u8, 128, 66052, 127, 0) == "nothing");
  CHECK(check_accumulator(DType::s8, 127, 66052, 127, 8389628) ==
        overflow("2147483648 (|bias| 8389628 + 8388604 * 255)"));
  // 2^17 * 128 * 128 is 2^31 itself.
  CHECK(check_accumulator(DType::s8, 0, 1 << 17, -128, 0) ==
        overflow("2147483648 (|bias| 0 + 16777216 * 128)"));
  CHECK(check_accumulator(DType::s8, 0, (1 << 17) - 1, -128, 0) == "nothing");
  CHECK(check_accumulator(DType::u8, 0, 1, 0, std::numeric_limits<std::int32_t>::min()) ==
        overflow("2147483648 (|bias| 2147483648 + 0 * 255)"));
}

}  // namespace octet::test::check_arithmetic_test
