// SPDX-License-Identifier: Apache-2.0
// What each op asks of its tensors and attributes.
#include "tests/engine/graph_faults.h"

namespace octet::test::check_ops_test {

using namespace engine;

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
       "node 4 'sum' (add): the constant has no scale"},
      {[](auto& b) {
         b.node("sum").inputs[1] = b.index("fc1.weight");
         b.tensor("fc1.weight").scale = 0.5f;
       },
       "node 4 'sum' (add): the constant is 4x6, must be one sample of Nx4"},
      {[](auto& b) {
         b.node("sum").inputs = {b.index("fc1.weight"), b.index("fc2.weight")};
       },
       "node 4 'sum' (add): both inputs are constants"},
      {[](auto& b) {
         Node& sum = b.node("sum");
         sum.inputs = {b.index("x"), b.index("mix.bias")};
         sum.output = b.index("g1");
       },
       "node 4 'sum' (add): the constant is f32, must be u8 or s8"},
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
