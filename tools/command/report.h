// SPDX-License-Identifier: Apache-2.0
// A comparison as one HTML page that needs nothing else: no script, no network, drawings as SVG.
#pragma once

#include <string>

#include "engine/graph.h"
#include "tools/command/command.h"
#include "tools/command/comparison.h"

namespace octet::command {

std::string html_report(const Comparison& comparison, const engine::Graph& graph,
                        const CompareOptions& options);

}  // namespace octet::command
