// SPDX-License-Identifier: Apache-2.0
// Where tensors live: callers' buffers without copies, views, ops in place, aliases that are
// copied.
#include "engine/placement.h"

#include <doctest/doctest.h>

#include "tests/engine/run_graph.h"

namespace octet::test::placement_test {

using octet::engine::Place;
using octet::engine::Placement;

namespace {

// Tables with a sign: nothing else of them matters here.
octet::kernels::Table table_of(octet::kernels::Sign sign) {
  octet::kernels::Table table = *tables_here().back();
  table.sign = sign;
  return table;
}
const octet::kernels::Table kU8 = table_of(octet::kernels::Sign::u8);
const octet::kernels::Table kS8 = table_of(octet::kernels::Sign::s8);

// x -> quantize -> clip -> clip -> reshape -> dequantize -> y, all of 100 elements.
GraphBuilder chain() {
  GraphBuilder b;
  const auto x = b.f32("x", {-1, 100});
  const auto q = b.q8("q", DType::u8, {-1, 100}, 0.1f, 0);
  const auto c = b.q8("c", DType::u8, {-1, 100}, 0.1f, 0);
  const auto d = b.q8("d", DType::u8, {-1, 100}, 0.1f, 0);
  const auto v = b.q8("v", DType::u8, {-1, 10, 10}, 0.1f, 0);
  const auto y = b.f32("y", {-1, 10, 10});
  b.node(OpType::quantize, "q", {x}, q);
  b.node(OpType::clip, "c", {q}, c);
  b.node(OpType::clip, "d", {c}, d);
  b.node(OpType::reshape, "v", {d}, v);
  b.node(OpType::dequantize, "y", {v}, y);
  b.graph.inputs = {{x, false, {}}};
  b.graph.outputs = {y};
  return b;
}

bool same_place(const Place& a, const Place& b) {
  return a.base == b.base && a.offset == b.offset && a.stride == b.stride;
}

}  // namespace

TEST_CASE("placement: ops in place and views share one buffer, ends are the caller's") {
  const GraphBuilder b = chain();
  const Placement placement(b.graph, kU8);
  const Place q = placement.place(b.index("q"), 8);
  CHECK(q.base == 0);
  CHECK(q.stride == 128);
  for (const char* name : {"c", "d", "v"}) {
    CHECK(same_place(placement.place(b.index(name), 8), q));
  }
  CHECK(same_place(placement.place(b.index("x"), 8), {1, 0, 400}));
  CHECK(same_place(placement.place(b.index("y"), 8), {2, 0, 400}));
  CHECK_FALSE(placement.is_output_copied(0));
  // Room for the buffer and, never at the same time, for aligned copies of x and y.
  CHECK(placement.sample_bytes() == 128 + 448);
}

TEST_CASE("placement: a tensor that is read later is not overwritten") {
  GraphBuilder b = chain();
  const auto sum = b.q8("sum", DType::u8, {-1, 10, 10}, 0.1f, 0);
  const auto z = b.f32("z", {-1, 10, 10});
  const auto late = b.q8("late", DType::u8, {-1, 10, 10}, 0.1f, 0);
  b.node(OpType::reshape, "late", {b.index("q")}, late);
  b.node(OpType::add, "sum", {b.index("v"), late}, sum);
  b.node(OpType::dequantize, "z", {sum}, z);
  b.graph.outputs.push_back(z);
  const Placement placement(b.graph, kU8);
  CHECK_FALSE(same_place(placement.place(b.index("c"), 1), placement.place(b.index("q"), 1)));
  CHECK(same_place(placement.place(b.index("sum"), 1), placement.place(b.index("v"), 1)));
  check_runs(b.graph);
}

TEST_CASE("placement: only codes in the other sign are flipped") {
  GraphBuilder b;
  const auto x = b.q8("x", DType::u8, {-1, 3}, 0.1f, 5);
  const auto h = b.q8("h", DType::s8, {-1, 3}, 0.1f, 5);
  const auto y = b.q8("y", DType::s8, {-1, 3}, 0.2f, 5);
  b.node(OpType::requantize, "h", {x}, h);
  b.node(OpType::requantize, "y", {h}, y);
  b.graph.inputs = {{x, false, {}}};
  b.graph.outputs = {y};
  const Placement u8(b.graph, kU8);
  CHECK_FALSE(u8.is_input_flipped(0));
  CHECK(u8.is_output_copied(0));
  const Placement s8(b.graph, kS8);
  CHECK(s8.is_input_flipped(0));
  CHECK_FALSE(s8.is_output_copied(0));
  CHECK(s8.place(y, 4).base == 2);
  check_runs(b.graph);
}

TEST_CASE("placement: outputs that alias an input, a view of it, or each other are copied") {
  for (const bool is_float : {true, false}) {
    GraphBuilder b;
    const auto tensor = [&](const std::string& name, std::vector<std::int64_t> shape) {
      return is_float ? b.f32(name, std::move(shape))
                      : b.q8(name, DType::u8, std::move(shape), 0.1f, 5);
    };
    const auto x = tensor("x", {-1, 6});
    const auto unread = tensor("unread", {-1, 3});
    const auto v = tensor("v", {-1, 2, 3});
    const auto y = tensor("y", {-1, 2, 3});
    const auto w = tensor("w", {-1, 6});
    b.node(OpType::reshape, "v", {x}, v);
    b.node(OpType::clip, "y", {v}, y).clip_min = 1;
    b.node(OpType::reshape, "w", {y}, w);
    b.graph.inputs = {{x, false, {}}, {unread, false, {}}};
    b.graph.outputs = {v, x, y, w, y};
    check_runs(b.graph);
  }
}

TEST_CASE("placement: an output that is read by later nodes keeps its bytes") {
  GraphBuilder b = chain();
  b.graph.outputs = {b.index("c"), b.index("q"), b.index("v"), b.index("y")};
  check_runs(b.graph);
}

TEST_CASE("placement: a graph with every op") {
  check_runs(every_op_graph().graph);
}

}  // namespace octet::test::placement_test
