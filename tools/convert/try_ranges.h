// SPDX-License-Identifier: Apache-2.0
// What a range does to the network, measured: one value at a time goes through its codes, all
// others stay float.
#pragma once

#include <cstdint>
#include <vector>

#include "tools/convert/calibrate.h"
#include "tools/convert/graph.h"

namespace octet::convert {

// What each value is tried with; none: it is not tried.
using Candidates = std::vector<std::vector<Range>>;
// For each candidate of each value what it changed at the graph's outputs.
using Errors = std::vector<std::vector<std::uint64_t>>;

// Adds to errors the squared errors of all samples, each output over the largest of its observed
// range, in units of 2^-32 and at most 2^40 per sample: sums of whole numbers, so that neither
// batches nor order matter.
void try_ranges(const Graph& graph, const std::vector<Range>& observed, BatchSource& data,
                const Candidates& candidates, bool symmetric, Errors& errors);

}  // namespace octet::convert
