// SPDX-License-Identifier: Apache-2.0
// One fault at a time in a graph with every op, and the message that names it.
#include <doctest/doctest.h>

#include <functional>
#include <limits>

#include "engine/graph.h"
#include "tests/engine/graph_builder.h"
#include "tests/engine/test_error.h"

using namespace octet::engine;
using octet::testing::every_op_graph;
using octet::testing::GraphBuilder;

namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();
constexpr float kDenormal = 1e-40f;
constexpr float kHuge = 3e38f;

struct Fault {
  std::function<void(GraphBuilder&)> make;
  std::string message;
};

std::string check(const Graph& graph, const Limits& limits = {}) {
  return octet::testing::error_of([&] { check_graph(graph, "net.octet", limits); });
}

// The messages are of code "format" unless they say otherwise, and begin with the file.
void check_faults(const std::vector<Fault>& faults) {
  for (const Fault& fault : faults) {
    GraphBuilder b = every_op_graph();
    fault.make(b);
    const bool has_code = fault.message.starts_with("unsupported: ");
    CHECK(check(b.graph) == (has_code ? "" : "format: net.octet: ") + fault.message);
  }
}

}  // namespace

TEST_CASE("a graph with every op is valid") {
  const auto b = every_op_graph();
  CHECK(check(b.graph) == "nothing");
  std::vector<bool> seen(kOpTypes);
  for (const Node& node : b.graph.nodes) seen[static_cast<std::size_t>(node.op)] = true;
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

TEST_CASE("faults of tensors") {
  const std::string activation =
      ": 1 to 8 extents, the first of them the batch, the others at least 1, at most 2^40 bytes per"
      " sample";
  check_faults({
      {[](auto& b) { b.tensor("h1").name = std::string("a\nb"); },
       "tensor 6: its name is not UTF-8 without control characters"},
      {[](auto& b) { b.tensor("h1").name = std::string(1025, 'x'); },
       "tensor 6: its name has 1025 bytes, at most 1024 are allowed"},
      {[](auto& b) { b.tensor("h1").dtype = static_cast<DType>(4); },
       "unsupported: net.octet: tensor 6 'h1': has dtype 4, which is unknown"},
      {[](auto& b) { b.tensor("h1").scale = 0; },
       "tensor 6 'h1': scale 0 is not a positive, normal number"},
      {[](auto& b) { b.tensor("h1").scale = -0.5f; },
       "tensor 6 'h1': scale -0.5 is not a positive, normal number"},
      {[](auto& b) { b.tensor("h1").scale = kDenormal; },
       "tensor 6 'h1': scale 1e-40 is not a positive, normal number"},
      {[](auto& b) { b.tensor("h1").scale = kInfinity; },
       "tensor 6 'h1': scale inf is not a positive, normal number"},
      {[](auto& b) { b.tensor("h1").scale = kNaN; },
       "tensor 6 'h1': scale nan is not a positive, normal number"},
      {[](auto& b) { b.tensor("h1").zero_point = -1; },
       "tensor 6 'h1': zero point -1 is outside 0 to 255"},
      {[](auto& b) { b.tensor("h2").zero_point = 128; },
       "tensor 7 'h2': zero point 128 is outside -128 to 127"},
      {[](auto& b) { b.tensor("x").scale = 1; },
       "tensor 1 'x': scale 1 and zero point 0 belong to 8-bit activations only, here they must be"
       " 0"},
      {[](auto& b) { b.tensor("fc1.weight").zero_point = 1; },
       "tensor 3 'fc1.weight': scale 0 and zero point 1 belong to 8-bit activations only, here they"
       " must be 0"},
      {[](auto& b) { b.tensor("x").dtype = DType::s32; },
       "tensor 1 'x': an activation cannot be s32, only f32, u8 and s8"},
      {[&](auto& b) {
         b.tensor("x").shape = {2, 2};
       },
       "tensor 1 'x': an activation cannot have shape 2x2" + activation},
      {[&](auto& b) {
         b.tensor("x").shape = {-1, -1};
       },
       "tensor 1 'x': an activation cannot have shape NxN" + activation},
      {[&](auto& b) { b.tensor("x").shape = {}; },
       "tensor 1 'x': an activation cannot have shape scalar" + activation},
      {[&](auto& b) { b.tensor("x").shape = {-1, 1, 1, 1, 1, 1, 1, 1, 2}; },
       "tensor 1 'x': an activation cannot have shape of rank 9" + activation},
      {[&](auto& b) {
         b.tensor("x").shape = {-1, 2147483647, 2147483647, 2147483647};
       },
       "tensor 1 'x': an activation cannot have shape Nx2147483647x2147483647x2147483647" +
           activation},
      {[](auto& b) { b.tensor("x").data = b.bytes(8); },
       "tensor 1 'x': an activation cannot have data"},
      {[](auto& b) { b.tensor("fc1.bias").shape = {5}; },
       "tensor 5 'fc1.bias': has 16 bytes of data, shape 5 of s32 needs 20"},
      {[](auto& b) {
         b.tensor("fc1.bias").shape = {4, 0};
       },
       "tensor 5 'fc1.bias': a constant cannot have shape 4x0: 1 to 8 extents of at least 1, at "
       "most"
       " 2^40 bytes in all"},
      {[](auto& b) { b.set("mix.weight", 3, kNaN); },
       "tensor 22 'mix.weight': element 3 is NaN or infinite"},
      {[](auto& b) { b.set("norm.shift", 1, -kInfinity); },
       "tensor 18 'norm.shift': element 1 is NaN or infinite"},
  });
}

TEST_CASE("faults of nodes, whatever their op") {
  check_faults({
      {[](auto& b) { b.node("fc1").name = std::string("\x7F"); },
       "node 1: its name is not UTF-8 without control characters"},
      {[](auto& b) { b.node("fc1").op = static_cast<OpType>(15); },
       "unsupported: net.octet: node 1 'fc1': op number 15 is unknown"},
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

TEST_CASE("faults of element-wise ops") {
  check_faults({
      {[](auto& b) {
         b.tensor("g2").shape = {-1, 4};
       },
       "node 15 'to_codes' (quantize): output is Nx4, must be Nx3 as the input"},
      {[](auto& b) { b.node("to_codes").inputs[0] = b.index("h1"); },
       "node 15 'to_codes' (quantize): input is u8, must be f32"},
      {[](auto& b) { b.node("to_float").inputs[0] = b.index("x"); },
       "node 10 'to_float' (dequantize): input is f32, must be u8 or s8"},
      {[](auto& b) { b.node("rescale").inputs[0] = b.index("x"); },
       "node 2 'rescale' (requantize): input is f32, must be u8 or s8"},
      {[](auto& b) { b.tensor("h5").scale = 0.25f; },
       "node 5 'bound' (clip): input has scale 0.125 and zero point 100, output 0.25 and 100, must"
       " be the same; insert a requantize"},
      {[](auto& b) {
         b.tensor("h5").shape = {-1, 5};
       },
       "node 5 'bound' (clip): output is Nx5, must be Nx4 as the input"},
      {[](auto& b) { b.node("sum").inputs[1] = b.index("x"); },
       "node 4 'sum' (add): inputs are s8 and f32, output is u8, must be all 8-bit or all f32"},
      {[](auto& b) { b.node("sum").inputs[1] = b.index("flat"); },
       "node 4 'sum' (add): inputs are Nx4 and Nx6, must be the same"},
      {[](auto& b) { b.node("sum").inputs[1] = b.index("fc1.weight"); },
       "node 4 'sum' (add): input 1 is a constant, must be an activation"},
      {[](auto& b) { b.tensor("h3").scale = kHuge; },
       "node 4 'sum' (add): input 0: multiplier 3e+38 / 0.125 is inf, not a normal number"},
      {[](auto& b) { b.tensor("h4").scale = kHuge; },
       "node 4 'sum' (add): input 0: multiplier 0.0625 / 3e+38 is 2.08334e-40, not a normal "
       "number"},
      {[](auto& b) { b.tensor("h3").scale = 1e36f; },
       "node 4 'sum' (add): multipliers 1e+36 / 0.125 and 0.25 / 0.125 are too large: their"
       " products with codes are not finite"},
      {[](auto& b) { b.node("curve").inputs[1] = b.index("fc1.weight"); },
       "node 3 'curve' (lookup): table is s8 4x6, must be s8 of rank 1"},
      {[](auto& b) { b.tensor("curve.table").dtype = DType::u8; },
       "node 3 'curve' (lookup): table is u8 256, must be s8 of rank 1"},
      {[](auto& b) {
         b.tensor("curve.table").shape = {255};
         b.tensor("curve.table").data = b.tensor("curve.table").data.first(255);
       },
       "node 3 'curve' (lookup): table has 255 entries, must have 256"},
      {[](auto& b) { b.node("norm").inner = 4; },
       "node 11 'norm' (affine): inner 4 times 3 channels does not divide the 6 elements of a"
       " sample"},
      {[](auto& b) { b.node("norm").inner = 0; },
       "node 11 'norm' (affine): inner 0 times 3 channels does not divide the 6 elements of a"
       " sample"},
      {[](auto& b) { b.node("norm").inputs[2] = b.index("fc1.scale"); },
       "node 11 'norm' (affine): scale has 3 entries, shift has 4"},
      {[](auto& b) { b.node("norm").inputs[1] = b.index("f1"); },
       "node 11 'norm' (affine): scale must be a constant"},
      {[](auto& b) { b.node("soft").axis = 0; },
       "node 12 'soft' (softmax): axis 0 is outside 1 to 2, the dimensions of Nx3x2 without the"
       " batch"},
      {[](auto& b) { b.node("log_soft").axis = 3; },
       "node 13 'log_soft' (log_softmax): axis 3 is outside 1 to 2, the dimensions of Nx3x2 without"
       " the batch"},
  });
}

TEST_CASE("faults of ops that move elements") {
  check_faults({
      {[](auto& b) {
         b.tensor("flat").shape = {-1, 5};
       },
       "node 0 'flatten' (reshape): input Nx2x3 has 6 elements per sample, output Nx5 has 5"},
      {[](auto& b) { b.tensor("flat").dtype = DType::s8; },
       "node 0 'flatten' (reshape): input is u8, output is s8, must be the same"},
      {[](auto& b) {
         b.node("turn").perm = {0, 2};
       },
       "node 8 'turn' (transpose): perm has 2 entries, input has rank 3"},
      {[](auto& b) {
         b.node("turn").perm = {0, 1, 1};
       },
       "node 8 'turn' (transpose): perm is no permutation of 0 to 2: it has 1 twice"},
      {[](auto& b) {
         b.node("turn").perm = {0, 1, 3};
       },
       "node 8 'turn' (transpose): perm is no permutation of 0 to 2: it has 3"},
      {[](auto& b) {
         b.node("turn").perm = {1, 0, 2};
       },
       "node 8 'turn' (transpose): perm moves the batch: it begins with 1, must be 0"},
      {[](auto& b) {
         b.node("turn").perm = {0, 1, 2};
       },
       "node 8 'turn' (transpose): input is Nx2x4, output is Nx4x2, which perm does not give"},
      {[](auto& b) { b.node("join").axis = 2; },
       "node 6 'join' (concat): axis 2 is outside 1 to 1, the dimensions of Nx8 without the batch"},
      {[](auto& b) {
         b.tensor("h6").shape = {-1, 9};
       },
       "node 6 'join' (concat): inputs have 8 along axis 1, output has 9"},
      {[](auto& b) {
         b.tensor("h6").shape = {-1, 8, 1};
       },
       "node 6 'join' (concat): input 0 is Nx4, output is Nx8x1, they may differ along axis 1 "
       "only"},
      {[](auto& b) { b.node("join").inputs[1] = b.index("h1"); },
       "node 6 'join' (concat): input has scale 0.25 and zero point 3, output 0.125 and 100, must "
       "be"
       " the same; insert a requantize"},
      {[](auto& b) { b.node("cut").start = 2; },
       "node 9 'cut' (slice): takes 2 to 5 along axis 1, input has 4"},
      {[](auto& b) { b.node("cut").start = 4294967295u; },
       "node 9 'cut' (slice): takes 4294967295 to 4294967298 along axis 1, input has 4"},
      {[](auto& b) { b.node("cut").axis = 2; },
       "node 9 'cut' (slice): input is Nx4x2, output is Nx3x2, they may differ along axis 2 only"},
  });
}

TEST_CASE("faults of linear layers") {
  check_faults({
      {[](auto& b) { b.node("fc1").inputs[0] = b.index("x"); },
       "node 1 'fc1' (linear): input is f32, must be u8 or s8"},
      {[](auto& b) {
         b.tensor("fc1.weight").shape = {8, 3};
       },
       "node 1 'fc1' (linear): weight is 8x3, input has 6 columns"},
      {[](auto& b) { b.tensor("fc1.weight").shape = {24}; },
       "node 1 'fc1' (linear): weight is s8 24, must be s8 of rank 2"},
      {[](auto& b) {
         b.tensor("h1").shape = {-1, 5};
       },
       "node 1 'fc1' (linear): weight is 4x6, input is Nx6, output is Nx5"},
      {[](auto& b) { b.node("fc1").inputs[0] = b.index("pixels"); },
       "node 1 'fc1' (linear): weight is 4x6, input has 3 columns"},
      {[](auto& b) { b.node("fc1").inputs[2] = b.index("norm.scale"); },
       "node 1 'fc1' (linear): weight_scale has 3 entries, weight has 4 rows"},
      {[](auto& b) { b.node("fc1").inputs[3] = b.index("fc2.bias"); },
       "node 1 'fc1' (linear): bias has 2 entries, weight has 4 rows"},
      {[](auto& b) { b.node("fc1").inputs[3] = b.index("fc1.scale"); },
       "node 1 'fc1' (linear): bias is f32 4, must be s32 of rank 1"},
      {[](auto& b) { b.set("fc1.scale", 2, 0.0f); },
       "node 1 'fc1' (linear): channel 2: weight_scale 0 is not a positive, normal number"},
      {[](auto& b) { b.set("fc1.scale", 2, kDenormal); },
       "node 1 'fc1' (linear): channel 2: weight_scale 1e-40 is not a positive, normal number"},
      {[](auto& b) { b.set("fc1.scale", 3, 2e-38f); },
       "node 1 'fc1' (linear): channel 3: input scale 0.0125 times weight_scale 2e-38 is 2.5e-40,"
       " not a normal number"},
      {[](auto& b) { b.tensor("h1").scale = kHuge; },
       "node 1 'fc1' (linear): channel 0: multiplier 0.0125 * 0.01 / 3e+38 is 4.16e-43, not a "
       "normal"
       " number"},
      {[](auto& b) { b.set("fc1.scale", 1, kHuge), b.tensor("h1").scale = 2e-38f; },
       "node 1 'fc1' (linear): channel 1: multiplier 0.0125 * 3e+38 / 2e-38 is inf, not a normal"
       " number"},
      {[](auto& b) {
         b.tensor("g1").shape = {-1, 2};
       },
       "node 14 'mix' (float_linear): weight is 3x2, input is Nx2, output is Nx2"},
      {[](auto& b) { b.node("mix").inputs[2] = b.index("fc1.scale"); },
       "node 14 'mix' (float_linear): bias has 4 entries, weight has 3 rows"},
      {[](auto& b) { b.node("mix").inputs[0] = b.index("h1"); },
       "node 14 'mix' (float_linear): input is u8, must be f32"},
  });
}

namespace {

// One linear of k weights `weight`, then 0s in a second channel.
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
}

TEST_CASE("an output may be an input, and may come twice") {
  GraphBuilder b;
  const auto x = b.f32("x", {-1});
  b.graph.inputs = {{x, false, {}}};
  b.graph.outputs = {x, x};
  CHECK(check(b.graph) == "nothing");
}

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
