// SPDX-License-Identifier: Apache-2.0
// One fault at a time in a graph with every op, and the message that must name it.
#pragma once

#include <doctest/doctest.h>

#include <functional>
#include <limits>
#include <string>
#include <vector>

#include "engine/graph.h"
#include "tests/engine/graph_builder.h"
#include "tests/engine/test_error.h"

namespace octet::test {

inline constexpr float kInfinity = std::numeric_limits<float>::infinity();
inline constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();
inline constexpr float kDenormal = 1e-40f;
inline constexpr float kHuge = 3e38f;

struct Fault {
  std::function<void(GraphBuilder&)> make;
  std::string message;
};

inline std::string check(const Graph& graph, const engine::Limits& limits = {}) {
  return error_of([&] { engine::check_graph(graph, "net.octet", limits); });
}

// The messages are of code "format" unless they say otherwise, and begin with the file.
inline void check_faults(const std::vector<Fault>& faults) {
  for (const Fault& fault : faults) {
    GraphBuilder b = every_op_graph();
    fault.make(b);
    const bool has_code = fault.message.starts_with("unsupported: ");
    CHECK(check(b.graph) == (has_code ? "" : "format: net.octet: ") + fault.message);
  }
}

}  // namespace octet::test
