// SPDX-License-Identifier: Apache-2.0
// What check_graph() says of a graph.
#pragma once

#include <doctest/doctest.h>

#include <string>

#include "engine/graph.h"
#include "tests/engine/graph_builder.h"
#include "tests/engine/test_error.h"

namespace octet::test {

inline std::string check(const Graph& graph, const engine::Limits& limits = {}) {
  return error_of([&] { engine::check_graph(graph, "net.octet", limits); });
}

}  // namespace octet::test
