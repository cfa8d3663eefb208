// SPDX-License-Identifier: Apache-2.0
// What linear, float_linear, group_linear and dynamic_linear ask: shapes, scales, and the proof
// that no accumulator can overflow.
#include <utility>

#include "tests/faults/malformed.h"

namespace octet::test {
namespace {

// Weights of a linear that reach a sum of 127 * k.
GraphBuilder wide_linear() {
  constexpr std::int64_t kColumns = 70000;
  GraphBuilder b;
  const auto x = b.q8("x", DType::u8, {-1, kColumns}, 1, 0);
  const auto w =
      b.constant("w", DType::s8, {1, kColumns}, std::vector<std::int8_t>(kColumns, -127));
  const auto s = b.constant<float>("s", DType::f32, {1}, {1});
  const auto bias = b.constant<std::int32_t>("b", DType::s32, {1}, {-100});
  const auto y = b.f32("y", {-1, 1});
  b.node(OpType::linear, "fc", {x, w, s, bias}, y);
  b.graph.inputs = {{x, false, {}}};
  b.graph.outputs = {y};
  return b;
}

}  // namespace

MalformedFiles linear_faults() {
  MalformedFiles files = of_graph(
      every_op_graph,
      {{"linear of floats", [](auto& b) { b.node("fc1").inputs[0] = b.index("x"); },
        "node 1 'fc1' (linear): input is f32, must be u8 or s8"},
       {"linear with other columns",
        [](auto& b) {
          b.tensor("fc1.weight").shape = {8, 3};
        },
        "node 1 'fc1' (linear): weight is 8x3, input has 6 columns"},
       {"linear with a flat weight", [](auto& b) { b.tensor("fc1.weight").shape = {24}; },
        "node 1 'fc1' (linear): weight is s8 24, must be s8 of rank 2"},
       {"linear to another width",
        [](auto& b) {
          b.tensor("h1").shape = {-1, 5};
        },
        "node 1 'fc1' (linear): weight is 4x6, input is Nx6, output is Nx5"},
       {"linear of another input", [](auto& b) { b.node("fc1").inputs[0] = b.index("pixels"); },
        "node 1 'fc1' (linear): weight is 4x6, input has 3 columns"},
       {"linear with another number of scales",
        [](auto& b) { b.node("fc1").inputs[2] = b.index("norm.scale"); },
        "node 1 'fc1' (linear): weight_scale has 3 entries, weight has 4 rows"},
       {"linear with another number of biases",
        [](auto& b) { b.node("fc1").inputs[3] = b.index("fc2.bias"); },
        "node 1 'fc1' (linear): bias has 2 entries, weight has 4 rows"},
       {"linear with float biases", [](auto& b) { b.node("fc1").inputs[3] = b.index("fc1.scale"); },
        "node 1 'fc1' (linear): bias is f32 4, must be s32 of rank 1"},
       {"linear with scale 0", [](auto& b) { b.set("fc1.scale", 2, 0.0f); },
        "node 1 'fc1' (linear): channel 2: weight_scale 0 is not a positive, normal number"},
       {"linear with a denormal scale", [](auto& b) { b.set("fc1.scale", 2, kDenormal); },
        "node 1 'fc1' (linear): channel 2: weight_scale 1e-40 is not a positive, normal number"},
       {"linear whose scales multiply to a denormal",
        [](auto& b) { b.set("fc1.scale", 3, 2e-38f); },
        "node 1 'fc1' (linear): channel 3: input scale 0.0125 times weight_scale 2e-38 is 2.5e-40,"
        " not a normal number"},
       {"linear with a denormal multiplier", [](auto& b) { b.tensor("h1").scale = kHuge; },
        "node 1 'fc1' (linear): channel 0: multiplier 0.0125 * 0.01 / 3e+38 is 4.16e-43, not a "
        "normal"
        " number"},
       {"linear with an infinite multiplier",
        [](auto& b) { b.set("fc1.scale", 1, kHuge), b.tensor("h1").scale = 2e-38f; },
        "node 1 'fc1' (linear): channel 1: multiplier 0.0125 * 3e+38 / 2e-38 is inf, not a normal"
        " number"},
       {"float_linear to another width",
        [](auto& b) {
          b.tensor("g1").shape = {-1, 2};
        },
        "node 14 'mix' (float_linear): weight is 3x2, input is Nx2, output is Nx2"},
       {"float_linear with another number of biases",
        [](auto& b) { b.node("mix").inputs[2] = b.index("fc1.scale"); },
        "node 14 'mix' (float_linear): bias has 4 entries, weight has 3 rows"},
       {"float_linear of codes", [](auto& b) { b.node("mix").inputs[0] = b.index("h1"); },
        "node 14 'mix' (float_linear): input is u8, must be f32"}});
  const auto add = [&](GraphBuilder (*valid)(), const std::vector<GraphFault>& faults) {
    for (Malformed& file : of_graph(valid, faults)) files.push_back(std::move(file));
  };
  add(wide_linear,
      {{"linear whose accumulator overflows", [](auto&) {},
        "node 0 'fc' (linear): channel 0: its accumulator could reach 2266950100 (|bias| 100 + "
        "8890000 * 255), the limit is 2147483647; split the layer or use a larger weight scale"},
       {"dynamic_linear whose accumulator overflows",
        [](auto& b) {
          b.tensor("x").dtype = DType::f32;
          b.tensor("x").scale = 0;
          b.tensor("b").dtype = DType::f32;
          b.template set<float>("b", 0, 0);
          b.node("fc").op = OpType::dynamic_linear;
          b.node("fc").axis = 1;
        },
        "node 0 'fc' (dynamic_linear): channel 0: its accumulator could reach 2266950000 (|bias| 0 "
        "+ 8890000 * 255), the limit is 2147483647; split the layer or use a larger weight "
        "scale"}});
  add(version_2_graph,
      {
          {"group_linear without a group", [](auto& b) { b.node("wide").group = 0; },
           "node 0 'wide' (group_linear): has no group"},
          {"group_linear with scales for another group", [](auto& b) { b.node("wide").group = 5; },
           "node 0 'wide' (group_linear): scale is 4x2, must be 4x1, a scale for every 5 of the 5 "
           "inputs"},
          {"group_linear with other columns",
           [](auto& b) {
             b.tensor("x").shape = {-1, 7};
           },
           "node 0 'wide' (group_linear): weight is 4x3, input has 7 columns"},
          {"group_linear with float weights",
           [](auto& b) { b.node("wide").inputs[1] = b.index("wide.scale"); },
           "node 0 'wide' (group_linear): weight is f32 4x2, must be u8 of rank 2"},
          {"group_linear with biases of rank 2",
           [](auto& b) { b.node("wide").inputs[3] = b.index("wide.scale"); },
           "node 0 'wide' (group_linear): bias is f32 4x2, must be f32 of rank 1"},
          {"group_linear with another number of biases",
           [](auto& b) { b.node("wide").inputs[3] = b.index("narrow.bias"); },
           "node 0 'wide' (group_linear): bias has 2 entries, weight has 4 rows"},
      });
  add(version_3_graph,
      {
          {"dynamic_linear along the batch", [](auto& b) { b.node("rows").axis = 0; },
           "node 0 'rows' (dynamic_linear): axis 0 is outside 1 to 2, the dimensions of Nx2x3 "
           "without the batch"},
          {"dynamic_linear beyond the last axis", [](auto& b) { b.node("rows").axis = 3; },
           "node 0 'rows' (dynamic_linear): axis 3 is outside 1 to 2, the dimensions of Nx2x3 "
           "without the batch"},
          {"dynamic_linear with other columns",
           [](auto& b) {
             b.tensor("x").shape = {-1, 2, 4};
           },
           "node 0 'rows' (dynamic_linear): weight is 4x3, input has 4 columns"},
          {"dynamic_linear of a vector",
           [](auto& b) { b.node("rows").inputs[0] = b.index("x"), b.tensor("x").shape = {-1}; },
           "node 0 'rows' (dynamic_linear): axis 2 is outside 1 to 0, the dimensions of N without "
           "the batch"},
          {"linear of a vector", [](auto& b) { b.node("sum").inputs[0] = b.index("zero_point"); },
           "node 5 'sum' (linear): input is N, needs columns beside the batch"},
          {"dynamic_linear with another number of scales",
           [](auto& b) { b.node("rows").inputs[2] = b.index("all.bias"); },
           "node 0 'rows' (dynamic_linear): weight_scale has 2 entries, weight has 4 rows"},
          {"dynamic_linear with another number of biases",
           [](auto& b) { b.node("rows").inputs[3] = b.index("all.bias"); },
           "node 0 'rows' (dynamic_linear): bias has 2 entries, weight has 4 rows"},
          {"dynamic_linear with scale 0",
           [](auto& b) { b.template set<float>("rows.scale", 1, 0); },
           "node 0 'rows' (dynamic_linear): channel 1: weight_scale 0 is not a positive, normal "
           "number"},
          {"dynamic_linear with float weights",
           [](auto& b) { b.node("rows").inputs[1] = b.index("rows.bias"); },
           "node 0 'rows' (dynamic_linear): weight is f32 4, must be s8 of rank 2"},
          {"sums with bounds", [](auto& b) { b.node("sum").clip_min = 0; },
           "node 5 'sum' (linear): output is s32, it cannot have bounds"},
      });
  return files;
}

}  // namespace octet::test
