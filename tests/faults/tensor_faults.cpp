// SPDX-License-Identifier: Apache-2.0
// What a tensor may not be, and what ties tensors to the ends of a graph.
#include <utility>

#include "tests/faults/malformed.h"

namespace octet::test {
namespace {

constexpr const char* kActivation =
    ": 1 to 8 extents, the first of them the batch, the others at least 1, at most 2^40 bytes per"
    " sample";

}  // namespace

MalformedFiles tensor_faults() {
  MalformedFiles files = of_graph(
      every_op_graph,
      {{"an unprintable name of a tensor",
        [](auto& b) { b.tensor("h1").name = std::string("a\nb"); },
        "tensor 6: its name is not UTF-8 without control characters"},
       {"a name of 1025 bytes", [](auto& b) { b.tensor("h1").name = std::string(1025, 'x'); },
        "tensor 6: its name has 1025 bytes, at most 1024 are allowed"},
       {"a dtype of the future", [](auto& b) { b.tensor("h1").dtype = static_cast<DType>(4); },
        "unsupported: net.octet: tensor 6 'h1': has dtype 4, this octet knows 0 to 3; update "
        "octet"},
       {"scale 0", [](auto& b) { b.tensor("h1").scale = 0; },
        "tensor 6 'h1': scale 0 is not a positive, normal number"},
       {"a negative scale", [](auto& b) { b.tensor("h1").scale = -0.5f; },
        "tensor 6 'h1': scale -0.5 is not a positive, normal number"},
       {"a denormal scale", [](auto& b) { b.tensor("h1").scale = kDenormal; },
        "tensor 6 'h1': scale 1e-40 is not a positive, normal number"},
       {"an infinite scale", [](auto& b) { b.tensor("h1").scale = kInfinity; },
        "tensor 6 'h1': scale inf is not a positive, normal number"},
       {"a NaN as scale", [](auto& b) { b.tensor("h1").scale = kNaN; },
        "tensor 6 'h1': scale nan is not a positive, normal number"},
       {"zero point -1 of u8", [](auto& b) { b.tensor("h1").zero_point = -1; },
        "tensor 6 'h1': zero point -1 is outside 0 to 255"},
       {"zero point 128 of s8", [](auto& b) { b.tensor("h2").zero_point = 128; },
        "tensor 7 'h2': zero point 128 is outside -128 to 127"},
       {"a scale of floats", [](auto& b) { b.tensor("x").scale = 1; },
        "tensor 1 'x': scale 1 and zero point 0 belong to 8-bit tensors only, here they must be"
        " 0"},
       {"a zero point of weights", [](auto& b) { b.tensor("fc1.weight").zero_point = 1; },
        "tensor 3 'fc1.weight': scale 0 and zero point 1 belong to 8-bit tensors only, here they"
        " must be 0"},
       {"an input of s32", [](auto& b) { b.tensor("x").dtype = DType::s32; },
        "tensor 1 'x': an input cannot be s32"},
       {"an activation without batch",
        [](auto& b) {
          b.tensor("x").shape = {2, 2};
        },
        "tensor 1 'x': an activation cannot have shape 2x2" + std::string(kActivation)},
       {"an activation with two batches",
        [](auto& b) {
          b.tensor("x").shape = {-1, -1};
        },
        "tensor 1 'x': an activation cannot have shape NxN" + std::string(kActivation)},
       {"a scalar", [](auto& b) { b.tensor("x").shape = {}; },
        "tensor 1 'x': an activation cannot have shape scalar" + std::string(kActivation)},
       {"an activation of rank 9",
        [](auto& b) { b.tensor("x").shape = {-1, 1, 1, 1, 1, 1, 1, 1, 2}; },
        "tensor 1 'x': its shape has 9 entries, at most 8 are allowed"},
       {"an activation of more than 2^40 bytes",
        [](auto& b) {
          b.tensor("x").shape = {-1, 2147483647, 2147483647, 2147483647};
        },
        "tensor 1 'x': an activation cannot have shape Nx2147483647x2147483647x2147483647" +
            std::string(kActivation)},
       {"a NaN as weight", [](auto& b) { b.set("mix.weight", 3, kNaN); },
        "tensor 22 'mix.weight': element 3 is NaN or infinite"},
       {"an infinite shift", [](auto& b) { b.set("norm.shift", 1, -kInfinity); },
        "tensor 18 'norm.shift': element 1 is NaN or infinite"},
       {"a constant with an extent of 0",
        [](auto& b) {
          b.tensor("fc1.bias").shape = {4, 0};
        },
        "tensor 5 'fc1.bias': a constant cannot have shape 4x0: 1 to 8 extents of at least 1, at "
        "most 2^40 bytes in all"},
       {"a constant with a batch",
        [](auto& b) {
          b.tensor("mix.weight").shape = {3, -1};
        },
        "tensor 22 'mix.weight': a constant cannot have shape 3xN: 1 to 8 extents of at least 1, "
        "at most 2^40 bytes in all"},
       {"a constant beyond the data", [](auto& b) { b.tensor("fc2.bias").shape = {3}; },
        "tensor 28 'fc2.bias': its 12 bytes of data begin at 832, the file has 840 bytes of data"},
       {"a constant that leaves data", [](auto& b) { b.tensor("fc2.bias").shape = {1}; },
        "has 840 bytes of data, its constants need 836"},
       {"a scale of sums", [](auto& b) { b.tensor("mix.bias").scale = 0.5f; },
        "tensor 23 'mix.bias': scale 0.5 and zero point 0 belong to 8-bit tensors only, here they "
        "must be 0"}});
  for (Malformed& file : of_graph(
           every_op_graph,
           {{"no input", [](auto& b) { b.graph.inputs.clear(); }, "has no input"},
            {"no output", [](auto& b) { b.graph.outputs.clear(); }, "has no output"},
            {"an input of the graph beyond the tensors",
             [](auto& b) { b.graph.inputs[1].tensor = 99; }, "input 1 is tensor 99, there are 30"},
            {"an input that is a constant",
             [](auto& b) { b.graph.inputs[1].tensor = b.index("fc1.bias"); },
             "tensor 5 'fc1.bias': a constant cannot be an input"},
            {"an input given twice", [](auto& b) { b.graph.inputs[1].tensor = 0; },
             "tensor 0 'pixels': is an input twice"},
            {"two inputs of one name", [](auto& b) { b.tensor("x").name = std::string("pixels"); },
             "input tensors 0 and 1 have the same name 'pixels'"},
            {"an input without a name", [](auto& b) { b.tensor("x").name.clear(); },
             "input tensor 1: has no name"},
            {"two outputs of one name",
             [](auto& b) { b.tensor("probabilities").name = std::string("logits"); },
             "output tensors 21 and 29 have the same name 'logits'"},
            {"an output of the graph beyond the tensors", [](auto& b) { b.graph.outputs[0] = 30; },
             "output 0 is tensor 30, there are 30"},
            {"an output that is a constant", [](auto& b) { b.graph.outputs[0] = 5; },
             "tensor 5 'fc1.bias': a constant cannot be an output"},
            {"a tensor that nothing writes",
             [](auto& b) {
               b.f32("lost", {-1, 2});
             },
             "tensor 30 'lost': is neither an input nor written by a node"},
            {"a normalization with std 0", [](auto& b) { b.graph.inputs[0].normalization.std = 0; },
             "tensor 0 'pixels': mean 0.25 and std 0 of its normalization must be finite, std "
             "positive"
             " and normal"},
            {"a normalization with mean NaN",
             [](auto& b) { b.graph.inputs[0].normalization.mean = kNaN; },
             "tensor 0 'pixels': mean nan and std 0.3125 of its normalization must be finite, std"
             " positive and normal"},
            {"a normalization of floats",
             [](auto& b) { b.graph.inputs[1].has_normalization = true; },
             "tensor 1 'x': is f32, only u8 pixels have a normalization"},
            {"a metadata key twice",
             [](auto& b) { b.graph.metadata[1].first = std::string("producer"); },
             "metadata has the key 'producer' twice"},
            {"a metadata key that is empty",
             [](auto& b) { b.graph.metadata[1].first = std::string(""); },
             "metadata 1: has no key"},
            {"a metadata value that is not printable",
             [](auto& b) { b.graph.metadata[0].second = std::string("\r"); },
             "metadata 0 'producer': its value is not UTF-8 without control characters"},
            {"a metadata key that is not printable",
             [](auto& b) { b.graph.metadata[0].first = std::string("\x1b[31m"); },
             "metadata 0: its name is not UTF-8 without control characters"},
            {"a metadata key of 1025 bytes",
             [](auto& b) { b.graph.metadata[0].first = std::string(1025, 'k'); },
             "metadata 0: its name has 1025 bytes, at most 1024 are allowed"}}))
    files.push_back(std::move(file));
  return files;
}

}  // namespace octet::test
