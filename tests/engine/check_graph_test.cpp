// SPDX-License-Identifier: Apache-2.0
// What check_graph() allows, its limits to the last one, and what no file can bring to it; what it
// refuses in files: tests/faults/.
#include <utility>

#include "tests/engine/check.h"

namespace octet::test::check_graph_test {

using namespace engine;

TEST_CASE("graphs with every op are valid") {
  std::vector<bool> seen(kOpTypes);
  for (const auto& b : {every_op_graph(), version_2_graph(), version_3_graph()}) {
    CHECK(check(b.graph) == "nothing");
    for (const Node& node : b.graph.nodes) seen[static_cast<std::size_t>(node.op)] = true;
  }
  CHECK(seen == std::vector<bool>(kOpTypes, true));
}

TEST_CASE("faults that only a graph in memory can have") {
  const auto error = [](auto change) {
    GraphBuilder b = every_op_graph();
    change(b);
    return check(b.graph);
  };
  const std::string where = "format: net.octet: ";
  CHECK(error([](auto& b) { b.tensor("x").data = b.bytes(8); }) ==
        where + "tensor 1 'x': an activation cannot have data");
  CHECK(error([](auto& b) { b.tensor("fc1.bias").shape = {5}; }) ==
        where + "tensor 5 'fc1.bias': has 16 bytes of data, shape 5 of s32 needs 20");
  CHECK(error([](auto& b) { b.tensor("x").shape = {-1, 1, 1, 1, 1, 1, 1, 1, 2}; }) ==
        where +
            "tensor 1 'x': an activation cannot have shape of rank 9: 1 to 8 extents, the first"
            " of them the batch, the others at least 1, at most 2^40 bytes per sample");
  CHECK(error([](auto& b) { b.graph.metadata[1].first = std::string("a=b"); }) ==
        where + "metadata 1: its key 'a=b' has a '='");
}

TEST_CASE("a limit allows what is just within it") {
  const auto b = every_op_graph();
  CHECK(check(b.graph, {.tensors = 29}) ==
        "limit: net.octet: has 30 tensors, the limit tensors is 29");
  CHECK(check(b.graph, {.tensors = 30}) == "nothing");
  CHECK(check(b.graph, {.arena_bytes = 24}) == "nothing");
  // Linears 24 + 6 + 6, else one per element written: 4 times 4, 3 times 8, 6 times 6, 3.
  CHECK(check(b.graph, {.multiply_adds = 115}) == "nothing");
  CHECK(check(b.graph, {.multiply_adds = ~std::uint64_t{0}}) == "nothing");
  // fc1 24 + 16 + 16, curve 256, norm 2 times 3 * 4 spread over an inner of 2, mix 24 + 12, fc2 18.
  CHECK(check(b.graph, {.file_bytes = 414}) == "nothing");
  CHECK(check(b.graph, {.file_bytes = 413}) ==
        "limit: net.octet: node 16 'fc2' (linear): needs 18 bytes of parameters, 17 are left of"
        " the limit file_bytes, 413");
  CHECK(
      check(version_3_graph().graph, {.multiply_adds = 23}) ==
      "limit: net.octet: node 0 'rows' (dynamic_linear): needs 24 multiply-adds per sample, 23 are"
      " left of the limit multiply_adds, 23");
}

TEST_CASE("an output may be an input, and may come twice") {
  GraphBuilder b;
  const auto x = b.f32("x", {-1});
  b.graph.inputs = {{x, false, {}}};
  b.graph.outputs = {x, x};
  CHECK(check(b.graph) == "nothing");
}

}  // namespace octet::test::check_graph_test
