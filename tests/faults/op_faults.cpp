// SPDX-License-Identifier: Apache-2.0
// What each op that is no matrix product asks of its tensors and attributes.
#include <utility>

#include "tests/faults/malformed.h"

namespace octet::test {
MalformedFiles op_faults() {
  MalformedFiles files = of_graph(
      every_op_graph,
      {{"quantize to another shape",
        [](auto& b) {
          b.tensor("g2").shape = {-1, 4};
        },
        "node 15 'to_codes' (quantize): output is Nx4, must be Nx3 as the input"},
       {"quantize of codes", [](auto& b) { b.node("to_codes").inputs[0] = b.index("h1"); },
        "node 15 'to_codes' (quantize): input is u8, must be f32"},
       {"dequantize of floats", [](auto& b) { b.node("to_float").inputs[0] = b.index("x"); },
        "node 10 'to_float' (dequantize): input is f32, must be u8 or s8"},
       {"requantize of floats", [](auto& b) { b.node("rescale").inputs[0] = b.index("x"); },
        "node 2 'rescale' (requantize): input is f32, must be u8 or s8"},
       {"clip to another scale", [](auto& b) { b.tensor("h5").scale = 0.25f; },
        "node 5 'bound' (clip): input has scale 0.125 and zero point 100, output 0.25 and 100, must"
        " be the same; insert a requantize"},
       {"clip to another shape",
        [](auto& b) {
          b.tensor("h5").shape = {-1, 5};
        },
        "node 5 'bound' (clip): output is Nx5, must be Nx4 as the input"},
       {"add of codes and floats", [](auto& b) { b.node("sum").inputs[1] = b.index("x"); },
        "node 4 'sum' (add): inputs are s8 and f32, output is u8, must be all 8-bit or all f32"},
       {"add of two shapes", [](auto& b) { b.node("sum").inputs[1] = b.index("flat"); },
        "node 4 'sum' (add): inputs are Nx4 and Nx6, must be the same"},
       {"add of a constant without scale",
        [](auto& b) { b.node("sum").inputs[1] = b.index("fc1.weight"); },
        "node 4 'sum' (add): the constant has no scale"},
       {"add of a constant of another shape",
        [](auto& b) {
          b.node("sum").inputs[1] = b.index("fc1.weight");
          b.tensor("fc1.weight").scale = 0.5f;
        },
        "node 4 'sum' (add): the constant is 4x6, must be one sample of Nx4"},
       {"add of two constants",
        [](auto& b) {
          b.node("sum").inputs = {b.index("fc1.weight"), b.index("fc2.weight")};
        },
        "node 4 'sum' (add): both inputs are constants"},
       {"add of a float constant",
        [](auto& b) {
          Node& sum = b.node("sum");
          sum.inputs = {b.index("x"), b.index("mix.bias")};
          sum.output = b.index("g1");
        },
        "node 4 'sum' (add): the constant is f32, must be u8 or s8"},
       {"add with an infinite multiplier", [](auto& b) { b.tensor("h3").scale = kHuge; },
        "node 4 'sum' (add): input 0: multiplier 3e+38 / 0.125 is inf, not a normal number"},
       {"add with a denormal multiplier", [](auto& b) { b.tensor("h4").scale = kHuge; },
        "node 4 'sum' (add): input 0: multiplier 0.0625 / 3e+38 is 2.08334e-40, not a normal "
        "number"},
       {"add whose products are not finite", [](auto& b) { b.tensor("h3").scale = 1e36f; },
        "node 4 'sum' (add): multipliers 1e+36 / 0.125 and 0.25 / 0.125 are too large: their"
        " products with codes are not finite"},
       {"lookup in a matrix", [](auto& b) { b.node("curve").inputs[1] = b.index("fc1.weight"); },
        "node 3 'curve' (lookup): table is s8 4x6, must be s8 of rank 1"},
       {"lookup in a table of another dtype",
        [](auto& b) { b.tensor("curve.table").dtype = DType::u8; },
        "node 3 'curve' (lookup): table is u8 256, must be s8 of rank 1"},
       {"lookup in 255 entries",
        [](auto& b) {
          b.tensor("curve.table").shape = {255};
          b.tensor("curve.table").data = b.tensor("curve.table").data.first(255);
        },
        "node 3 'curve' (lookup): table has 255 entries, must have 256"},
       {"affine whose period does not divide", [](auto& b) { b.node("norm").inner = 4; },
        "node 11 'norm' (affine): inner 4 times 3 channels does not divide the 6 elements of a"
        " sample"},
       {"affine with inner 0", [](auto& b) { b.node("norm").inner = 0; },
        "node 11 'norm' (affine): inner 0 times 3 channels does not divide the 6 elements of a"
        " sample"},
       {"affine with fewer shifts than scales",
        [](auto& b) { b.node("norm").inputs[2] = b.index("fc1.scale"); },
        "node 11 'norm' (affine): scale has 3 entries, shift has 4"},
       {"affine with a computed scale", [](auto& b) { b.node("norm").inputs[1] = b.index("f1"); },
        "node 11 'norm' (affine): scale must be a constant"},
       {"softmax along the batch", [](auto& b) { b.node("soft").axis = 0; },
        "node 12 'soft' (softmax): axis 0 is outside 1 to 2, the dimensions of Nx3x2 without the"
        " batch"},
       {"log_softmax beyond the last axis", [](auto& b) { b.node("log_soft").axis = 3; },
        "node 13 'log_soft' (log_softmax): axis 3 is outside 1 to 2, the dimensions of Nx3x2 "
        "without"
        " the batch"},
       {"reshape to fewer elements",
        [](auto& b) {
          b.tensor("flat").shape = {-1, 5};
        },
        "node 0 'flatten' (reshape): input Nx2x3 has 6 elements per sample, output Nx5 has 5"},
       {"reshape to another dtype", [](auto& b) { b.tensor("flat").dtype = DType::s8; },
        "node 0 'flatten' (reshape): input is u8, output is s8, must be the same"},
       {"transpose with a short perm",
        [](auto& b) {
          b.node("turn").perm = {0, 2};
        },
        "node 8 'turn' (transpose): perm has 2 entries, input has rank 3"},
       {"transpose of an axis twice",
        [](auto& b) {
          b.node("turn").perm = {0, 1, 1};
        },
        "node 8 'turn' (transpose): perm is no permutation of 0 to 2: it has 1 twice"},
       {"transpose of an axis beyond the rank",
        [](auto& b) {
          b.node("turn").perm = {0, 1, 3};
        },
        "node 8 'turn' (transpose): perm is no permutation of 0 to 2: it has 3"},
       {"transpose of the batch",
        [](auto& b) {
          b.node("turn").perm = {1, 0, 2};
        },
        "node 8 'turn' (transpose): perm moves the batch: it begins with 1, must be 0"},
       {"transpose to another shape",
        [](auto& b) {
          b.node("turn").perm = {0, 1, 2};
        },
        "node 8 'turn' (transpose): input is Nx2x4, output is Nx4x2, which perm does not give"},
       {"concat beyond the last axis", [](auto& b) { b.node("join").axis = 2; },
        "node 6 'join' (concat): axis 2 is outside 1 to 1, the dimensions of Nx8 without the "
        "batch"},
       {"concat to more than its inputs",
        [](auto& b) {
          b.tensor("h6").shape = {-1, 9};
        },
        "node 6 'join' (concat): inputs have 8 along axis 1, output has 9"},
       {"concat to another rank",
        [](auto& b) {
          b.tensor("h6").shape = {-1, 8, 1};
        },
        "node 6 'join' (concat): input 0 is Nx4, output is Nx8x1, they may differ along axis 1 "
        "only"},
       {"concat of two scales", [](auto& b) { b.node("join").inputs[1] = b.index("h1"); },
        "node 6 'join' (concat): input has scale 0.25 and zero point 3, output 0.125 and 100, must "
        "be"
        " the same; insert a requantize"},
       {"slice beyond the end", [](auto& b) { b.node("cut").start = 2; },
        "node 9 'cut' (slice): takes 2 to 5 along axis 1, input has 4"},
       {"slice from 2^32 - 1", [](auto& b) { b.node("cut").start = 4294967295u; },
        "node 9 'cut' (slice): takes 4294967295 to 4294967298 along axis 1, input has 4"},
       {"slice of another axis", [](auto& b) { b.node("cut").axis = 2; },
        "node 9 'cut' (slice): input is Nx4x2, output is Nx3x2, they may differ along axis 2 "
        "only"}});
  for (Malformed& file : of_graph(
           version_3_graph,
           {
               {"dynamic_quantize to a scale of its own",
                [](auto& b) { b.tensor("codes").scale = 2; },
                "node 2 'quantize' (dynamic_quantize): output has scale 2 and zero point 0, must "
                "have 1 and 0: its own are found as it runs"},
               {"dynamic_scale per element",
                [](auto& b) {
                  b.tensor("scale").shape = {-1, 1};
                },
                "node 3 'quantize_scale' (dynamic_scale): output is f32 Nx1, must be f32 N"},
               {"dynamic_zero_point of s8",
                [](auto& b) { b.tensor("zero_point").dtype = DType::s8; },
                "node 4 'quantize_zero_point' (dynamic_zero_point): output is s8 N, must be u8 N"},
               {"clip of sums",
                [](auto& b) {
                  b.node(OpType::clip, "clip", {b.index("sums")}, b.s32("clipped", {-1, 2, 1}));
                },
                "node 6 'clip' (clip): input is s32, must be f32, u8 or s8"},
               {"add of floats to sums",
                [](auto& b) {
                  b.node(OpType::add, "add", {b.index("h2"), b.index("h2")},
                         b.s32("added", {-1, 2, 2}));
                },
                "node 6 'add' (add): inputs are f32 and f32, output is s32, must be all 8-bit or "
                "all f32"},
           }))
    files.push_back(std::move(file));
  return files;
}

}  // namespace octet::test
