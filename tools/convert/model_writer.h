// SPDX-License-Identifier: Apache-2.0
// Engine graph -> .octet bytes. The same graph gives the same bytes.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "engine/graph.h"

namespace octet::convert {

// The graph must pass engine::check_graph.
std::vector<std::byte> write_model(const engine::Graph& graph);

// Writes to a temporary name in the same folder, flushes, renames. Throws octet::Error (io); no
// partial file is left.
void write_file(const std::string& path, const void* data, std::size_t bytes);

}  // namespace octet::convert
