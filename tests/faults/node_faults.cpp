// SPDX-License-Identifier: Apache-2.0
// What a node may not be, whatever its op.
#include <utility>

#include "tests/faults/malformed.h"

namespace octet::test {
MalformedFiles node_faults() {
  return of_graph(
      every_op_graph,
      {{"an unprintable name of a node", [](auto& b) { b.node("fc1").name = std::string("\x7F"); },
        "node 1: its name is not UTF-8 without control characters"},
       {"an op of the future", [](auto& b) { b.node("fc1").op = static_cast<OpType>(20); },
        "unsupported: net.octet: node 1 'fc1': op number 20 is unknown, this octet knows 0 to 19; "
        "update octet"},
       {"an input too few", [](auto& b) { b.node("fc1").inputs.pop_back(); },
        "node 1 'fc1' (linear): has 3 inputs, needs 4"},
       {"an input too many", [](auto& b) { b.node("flatten").inputs.push_back(0); },
        "node 0 'flatten' (reshape): has 2 inputs, needs 1"},
       {"a concat of one", [](auto& b) { b.node("join").inputs.pop_back(); },
        "node 6 'join' (concat): has 1 inputs, needs 2 or more"},
       {"a node that reads beyond the tensors", [](auto& b) { b.node("fc1").inputs[0] = 30; },
        "node 1 'fc1' (linear): reads tensor 30, there are 30"},
       {"a node that reads its own output",
        [](auto& b) { b.node("fc1").inputs[0] = b.index("h1"); },
        "node 1 'fc1' (linear): reads tensor 6 'h1', which no node before it writes"},
       {"nodes in the wrong order", [](auto& b) { std::swap(b.graph.nodes[0], b.graph.nodes[1]); },
        "node 0 'fc1' (linear): reads tensor 2 'flat', which no node before it writes"},
       {"a node that writes a constant",
        [](auto& b) { b.node("fc1").output = b.index("fc1.bias"); },
        "node 1 'fc1' (linear): writes tensor 5 'fc1.bias', which is a constant"},
       {"a node that writes an input", [](auto& b) { b.node("fc1").output = 0; },
        "node 1 'fc1' (linear): writes tensor 0 'pixels', which is an input or written by a node"
        " before it"},
       {"two nodes that write one tensor",
        [](auto& b) { b.node("rescale").output = b.index("h1"); },
        "node 2 'rescale' (requantize): writes tensor 6 'h1', which is an input or written by a "
        "node"
        " before it"},
       {"a constant as activation",
        [](auto& b) { b.node("fc1").inputs[0] = b.index("fc1.weight"); },
        "node 1 'fc1' (linear): input 0 is a constant, must be an activation"},
       {"bounds that are swapped", [](auto& b) { b.node("fc1").clip_min = 7; },
        "node 1 'fc1' (linear): its bounds 7 and 6 are not an interval"},
       {"a bound that is NaN", [](auto& b) { b.node("fc1").clip_max = kNaN; },
        "node 1 'fc1' (linear): its bounds 0 and nan are not an interval"},
       {"bounds that are both infinite", [](auto& b) { b.node("mix").clip_min = kInfinity; },
        "node 14 'mix' (float_linear): its bounds inf and inf are not an interval"},
       {"bounds of a reshape", [](auto& b) { b.node("flatten").clip_min = 0; },
        "node 0 'flatten' (reshape): this op has no bounds to clip to"},
       {"a NaN as bound of a slice", [](auto& b) { b.node("cut").clip_max = kNaN; },
        "node 9 'cut' (slice): this op has no bounds to clip to"},
       {"an axis of a linear", [](auto& b) { b.node("fc1").axis = 1; },
        "node 1 'fc1' (linear): this op has no axis, has 1"},
       {"a start of a concat", [](auto& b) { b.node("join").start = 2; },
        "node 6 'join' (concat): this op has no start, has 2"},
       {"an inner of a softmax", [](auto& b) { b.node("soft").inner = 2; },
        "node 12 'soft' (softmax): this op has no inner, has 2"},
       {"a perm of a reshape",
        [](auto& b) {
          b.node("fold").perm = {0, 1};
        },
        "node 7 'fold' (reshape): this op has no perm"},
       {"a group of a linear", [](auto& b) { b.node("fc1").group = 5; },
        "node 1 'fc1' (linear): this op has no group, has 5"},
       {"a perm of 9 axes", [](auto& b) { b.node("turn").perm = {0, 1, 2, 3, 4, 5, 6, 7, 8}; },
        "node 8 'turn': its perm has 9 entries, at most 8 are allowed"}});
}

}  // namespace octet::test
