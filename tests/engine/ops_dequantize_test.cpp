// SPDX-License-Identifier: Apache-2.0
// engine/ops/dequantize.cpp against the formula, for all codes.
#include <doctest/doctest.h>

#include "tests/engine/run_graph.h"

namespace octet::test::ops_dequantize_test {

TEST_CASE("dequantize") {
  for (const DType dtype : {DType::u8, DType::s8}) {
    for (const std::int64_t elements : {1, 24, 50, 256}) {
      GraphBuilder b;
      const auto x = b.q8("x", dtype, {-1, elements}, 0.3f, dtype == DType::u8 ? 200 : -77);
      const auto y = b.f32("y", {-1, elements});
      b.node(OpType::dequantize, "d", {x}, y);
      b.graph.inputs = {{x, false, {}}};
      b.graph.outputs = {y};
      check_runs(b.graph);
    }
  }
}

}  // namespace octet::test::ops_dequantize_test
