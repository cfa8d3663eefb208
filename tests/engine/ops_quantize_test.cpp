// SPDX-License-Identifier: Apache-2.0
// engine/ops/quantize.cpp against the formula, with every kind of float.
#include <doctest/doctest.h>

#include <cstring>
#include <limits>
#include "tests/engine/run_graph.h"

namespace octet::test::ops_quantize_test {

TEST_CASE("quantize: NaN, infinities, ties and values beyond the range") {
  for (const DType dtype : {DType::u8, DType::s8}) {
    for (const std::int64_t elements : {1, 24, 64, 67}) {
      GraphBuilder b;
      const auto x = b.f32("x", {-1, elements});
      const auto y = b.q8("y", dtype, {-1, elements}, 0.5f, dtype == DType::u8 ? 100 : -3);
      b.node(OpType::quantize, "q", {x}, y);
      b.graph.inputs = {{x, false, {}}};
      b.graph.outputs = {y};
      constexpr float kInfinity = std::numeric_limits<float>::infinity();
      const std::vector<float> special = {std::numeric_limits<float>::quiet_NaN(),
                                          kInfinity,
                                          -kInfinity,
                                          0.0f,
                                          -0.0f,
                                          0.25f,
                                          0.75f,
                                          -0.25f,
                                          -0.75f,
                                          1.25f,
                                          3e38f,
                                          -3e38f,
                                          1e-45f,
                                          63.5f,
                                          63.75f,
                                          -64.25f,
                                          1e9f,
                                          -1e9f,
                                          77.25f,
                                          77.75f};
      Bytes bytes(special.size() * sizeof(float));
      std::memcpy(bytes.data(), special.data(), bytes.size());
      check_runs(b.graph, {bytes});
    }
  }
}

TEST_CASE("quantize: a true division, not a product with the inverse") {
  GraphBuilder b;
  const auto x = b.f32("x", {-1, 3});
  const auto y = b.q8("y", DType::s8, {-1, 3}, 0.1f, 0);
  b.node(OpType::quantize, "q", {x}, y);
  b.graph.inputs = {{x, false, {}}};
  b.graph.outputs = {y};
  check_runs(b.graph);
}

}  // namespace octet::test::ops_quantize_test
