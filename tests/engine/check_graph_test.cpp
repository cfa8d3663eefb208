// SPDX-License-Identifier: Apache-2.0
// What check_graph() asks of the frame, the order of nodes and the limits.
#include <utility>

#include "tests/engine/graph_faults.h"

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

TEST_CASE("faults of a graph's frame") {
  check_faults({
      {[](auto& b) { b.graph.inputs.clear(); }, "has no input"},
      {[](auto& b) { b.graph.outputs.clear(); }, "has no output"},
      {[](auto& b) { b.graph.inputs[1].tensor = 99; }, "input 1 is tensor 99, there are 30"},
      {[](auto& b) { b.graph.inputs[1].tensor = b.index("fc1.bias"); },
       "tensor 5 'fc1.bias': a constant cannot be an input"},
      {[](auto& b) { b.graph.inputs[1].tensor = 0; }, "tensor 0 'pixels': is an input twice"},
      {[](auto& b) { b.tensor("x").name = std::string("pixels"); },
       "input tensors 0 and 1 have the same name 'pixels'"},
      {[](auto& b) { b.tensor("x").name.clear(); }, "input tensor 1: has no name"},
      {[](auto& b) { b.tensor("probabilities").name = std::string("logits"); },
       "output tensors 21 and 29 have the same name 'logits'"},
      {[](auto& b) { b.graph.outputs[0] = 30; }, "output 0 is tensor 30, there are 30"},
      {[](auto& b) { b.graph.outputs[0] = 5; },
       "tensor 5 'fc1.bias': a constant cannot be an output"},
      {[](auto& b) {
         b.f32("lost", {-1, 2});
       },
       "tensor 30 'lost': is neither an input nor written by a node"},
      {[](auto& b) { b.graph.inputs[0].normalization.std = 0; },
       "tensor 0 'pixels': mean 0.25 and std 0 of its normalization must be finite, std positive"
       " and normal"},
      {[](auto& b) { b.graph.inputs[0].normalization.mean = kNaN; },
       "tensor 0 'pixels': mean nan and std 0.3125 of its normalization must be finite, std"
       " positive and normal"},
      {[](auto& b) { b.graph.inputs[1].has_normalization = true; },
       "tensor 1 'x': is f32, only u8 pixels have a normalization"},
      {[](auto& b) { b.graph.metadata[0].second = std::string("\r"); },
       "metadata 0 'producer': its value is not UTF-8 without control characters"},
      {[](auto& b) { b.graph.metadata[1].first = std::string("producer"); },
       "metadata has the key 'producer' twice"},
      {[](auto& b) { b.graph.metadata[1].first = std::string("a=b"); },
       "metadata 1: its key 'a=b' has a '='"},
      {[](auto& b) { b.graph.metadata[1].first = std::string(""); }, "metadata 1: has no key"},
  });
}

TEST_CASE("faults of nodes, whatever their op") {
  check_faults({
      {[](auto& b) { b.node("fc1").name = std::string("\x7F"); },
       "node 1: its name is not UTF-8 without control characters"},
      {[](auto& b) { b.node("fc1").op = static_cast<OpType>(20); },
       "unsupported: net.octet: node 1 'fc1': op number 20 is unknown, this octet knows 0 to 19; "
       "update octet"},
      {[](auto& b) { b.node("fc1").inputs.pop_back(); },
       "node 1 'fc1' (linear): has 3 inputs, needs 4"},
      {[](auto& b) { b.node("flatten").inputs.push_back(0); },
       "node 0 'flatten' (reshape): has 2 inputs, needs 1"},
      {[](auto& b) { b.node("join").inputs.pop_back(); },
       "node 6 'join' (concat): has 1 inputs, needs 2 or more"},
      {[](auto& b) { b.node("fc1").inputs[0] = 30; },
       "node 1 'fc1' (linear): reads tensor 30, there are 30"},
      {[](auto& b) { b.node("fc1").output = 77; },
       "node 1 'fc1' (linear): writes tensor 77, there are 30"},
      {[](auto& b) { b.node("fc1").inputs[0] = b.index("h1"); },
       "node 1 'fc1' (linear): reads tensor 6 'h1', which no node before it writes"},
      {[](auto& b) { std::swap(b.graph.nodes[0], b.graph.nodes[1]); },
       "node 0 'fc1' (linear): reads tensor 2 'flat', which no node before it writes"},
      {[](auto& b) { b.node("fc1").output = b.index("fc1.bias"); },
       "node 1 'fc1' (linear): writes tensor 5 'fc1.bias', which is a constant"},
      {[](auto& b) { b.node("fc1").output = 0; },
       "node 1 'fc1' (linear): writes tensor 0 'pixels', which is an input or written by a node"
       " before it"},
      {[](auto& b) { b.node("rescale").output = b.index("h1"); },
       "node 2 'rescale' (requantize): writes tensor 6 'h1', which is an input or written by a node"
       " before it"},
      {[](auto& b) { b.node("fc1").inputs[0] = b.index("fc1.weight"); },
       "node 1 'fc1' (linear): input 0 is a constant, must be an activation"},
      {[](auto& b) { b.node("fc1").clip_min = 7; },
       "node 1 'fc1' (linear): its bounds 7 and 6 are not an interval"},
      {[](auto& b) { b.node("fc1").clip_max = kNaN; },
       "node 1 'fc1' (linear): its bounds 0 and nan are not an interval"},
      {[](auto& b) { b.node("mix").clip_min = kInfinity; },
       "node 14 'mix' (float_linear): its bounds inf and inf are not an interval"},
      {[](auto& b) { b.node("flatten").clip_min = 0; },
       "node 0 'flatten' (reshape): this op has no bounds to clip to"},
      {[](auto& b) { b.node("cut").clip_max = kNaN; },
       "node 9 'cut' (slice): this op has no bounds to clip to"},
      {[](auto& b) { b.node("fc1").axis = 1; },
       "node 1 'fc1' (linear): this op has no axis, has 1"},
      {[](auto& b) { b.node("join").start = 2; },
       "node 6 'join' (concat): this op has no start, has 2"},
      {[](auto& b) { b.node("soft").inner = 2; },
       "node 12 'soft' (softmax): this op has no inner, has 2"},
      {[](auto& b) {
         b.node("fold").perm = {0, 1};
       },
       "node 7 'fold' (reshape): this op has no perm"},
  });
}

TEST_CASE("limits name the number and the limit") {
  const auto b = every_op_graph();
  CHECK(check(b.graph, {.tensors = 29}) ==
        "limit: net.octet: has 30 tensors, the limit tensors is 29");
  CHECK(check(b.graph, {.arena_bytes = 23}) ==
        "limit: net.octet: tensor 16 'f1': has 24 bytes per sample, the limit arena_bytes is 23");
  CHECK(check(b.graph, {.arena_bytes = 24}) == "nothing");
  // Linears 24 + 6 + 6, else one per element written: 4 times 4, 3 times 8, 6 times 6, 3.
  CHECK(check(b.graph, {.multiply_adds = 115}) == "nothing");
  CHECK(check(b.graph, {.multiply_adds = 114}) ==
        "limit: net.octet: node 16 'fc2' (linear): needs 6 multiply-adds per sample, 5 are left of"
        " the limit multiply_adds, 114");
  CHECK(check(b.graph, {.multiply_adds = ~std::uint64_t{0}}) == "nothing");
  // fc1 24 + 16 + 16, curve 256, norm 2 times 3 * 4 spread over an inner of 2, mix 24 + 12, fc2 18.
  CHECK(check(b.graph, {.file_bytes = 414}) == "nothing");
  CHECK(check(b.graph, {.file_bytes = 413}) ==
        "limit: net.octet: node 16 'fc2' (linear): needs 18 bytes of parameters, 17 are left of"
        " the limit file_bytes, 413");
}

TEST_CASE("a small file cannot ask for more memory than the limit") {
  // Each node would spread its one channel over two arrays of 64 MiB.
  constexpr std::uint32_t kElements = 1 << 24;
  GraphBuilder b;
  const auto one = b.constant<float>("one", DType::f32, {1}, {1});
  auto x = b.f32("x", {-1, kElements});
  b.graph.inputs = {{x, false, {}}};
  for (int i = 0; i < 33; ++i) {
    const auto y = b.f32("y" + std::to_string(i), {-1, kElements});
    b.node(OpType::affine, "a", {x, one, one}, y).inner = kElements;
    x = y;
  }
  b.graph.outputs = {x};
  CHECK(check(b.graph) ==
        "limit: net.octet: node 32 'a' (affine): needs 134217728 bytes of parameters, 0 are left of"
        " the limit file_bytes, 4294967296");
}

TEST_CASE("an output may be an input, and may come twice") {
  GraphBuilder b;
  const auto x = b.f32("x", {-1});
  b.graph.inputs = {{x, false, {}}};
  b.graph.outputs = {x, x};
  CHECK(check(b.graph) == "nothing");
}

}  // namespace octet::test::check_graph_test
