// SPDX-License-Identifier: Apache-2.0
// engine/ops/lookup.cpp: tables of the file and tables made of two quantizations.
#include <doctest/doctest.h>

#include "tests/engine/run_graph.h"

namespace octet::test::ops_lookup_test {
namespace {

Bytes all_bytes() {
  Bytes bytes;
  for (int i = 0; i < 256; ++i) bytes.push_back(static_cast<std::byte>(i));
  return bytes;
}

}  // namespace

TEST_CASE("lookup: every code, between all dtypes") {
  for (const DType from : {DType::u8, DType::s8}) {
    for (const DType to : {DType::u8, DType::s8}) {
      GraphBuilder b;
      const auto x = b.q8("x", from, {-1, 16, 16}, 0.1f, 0);
      const auto y = b.q8("y", to, {-1, 16, 16}, 0.2f, 0);
      std::vector<std::uint8_t> entries;
      for (unsigned i = 0; i < 256; ++i) entries.push_back(static_cast<std::uint8_t>(i * 77 + 13));
      const auto table = b.constant("table", to, {256}, entries);
      b.node(OpType::lookup, "l", {x, table}, y);
      b.graph.inputs = {{x, false, {}}};
      b.graph.outputs = {y};
      check_runs(b.graph, {all_bytes()});
    }
  }
}

TEST_CASE("requantize: every code, between all dtypes, wider and narrower") {
  for (const DType from : {DType::u8, DType::s8}) {
    for (const DType to : {DType::u8, DType::s8}) {
      for (const float scale : {0.03f, 0.1f, 0.7f}) {
        GraphBuilder b;
        const auto x = b.q8("x", from, {-1, 256}, 0.1f, 90);
        const auto y = b.q8("y", to, {-1, 256}, scale, 7);
        b.node(OpType::requantize, "r", {x}, y);
        b.graph.inputs = {{x, false, {}}};
        b.graph.outputs = {y};
        check_runs(b.graph, {all_bytes()});
      }
    }
  }
}

}  // namespace octet::test::ops_lookup_test
