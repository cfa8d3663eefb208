// SPDX-License-Identifier: Apache-2.0
// Engine graph -> .octet bytes. The same graph gives the same bytes.
#pragma once

#include <cstddef>
#include <vector>

#include "engine/graph.h"

namespace octet::convert {

// The graph must pass engine::check_graph.
std::vector<std::byte> write_model(const engine::Graph& graph);

}  // namespace octet::convert
