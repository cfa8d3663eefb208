// SPDX-License-Identifier: Apache-2.0
// The meaning of a graph, written as plainly as possible: one sample at a time, one element at a
// time, from the formulas of the design, in the file's own codes. Shares nothing with the engine.
#pragma once

#include <cstddef>
#include <vector>

#include "engine/graph.h"

namespace octet::test {

using Bytes = std::vector<std::byte>;

// inputs[i]: batch dense samples of the graph's input i. Gives the outputs alike.
std::vector<Bytes> evaluate(const engine::Graph& graph, const std::vector<Bytes>& inputs,
                            std::size_t batch);

}  // namespace octet::test
