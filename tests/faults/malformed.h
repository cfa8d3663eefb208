// SPDX-License-Identifier: Apache-2.0
// Files that are wrong in one way each, made from valid ones in memory, and what reading one must
// say.
#pragma once

#include <octet/octet_c.h>

#include <functional>
#include <limits>
#include <span>
#include <string>
#include <vector>

#include "tests/engine/graph_builder.h"

namespace octet::test {

inline constexpr float kInfinity = std::numeric_limits<float>::infinity();
inline constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();
inline constexpr float kDenormal = 1e-40f;
inline constexpr float kHuge = 3e38f;

struct Malformed {
  // "concat of two scales"; faults of one class, which share a message, are called CLASS/FAULT.
  std::string name;
  std::function<std::string()> read;  // what reading it says: "format: net.octet: ...", or "ok"
  std::string message;                // what it must say, all of it
};
using MalformedFiles = std::vector<Malformed>;

// One list for each of the files *_faults.cpp.
MalformedFiles header_faults();
MalformedFiles metadata_faults();
MalformedFiles tensor_faults();
MalformedFiles node_faults();
MalformedFiles op_faults();
MalformedFiles linear_faults();
MalformedFiles limit_faults();
MalformedFiles file_faults();
MalformedFiles npy_faults();
MalformedFiles idx_faults();

// What the C API says of a model file in memory that is called net.octet.
std::string parse(std::span<const std::byte> file, const octet_limits& limits = {});

// The fault that `make` puts into a valid graph, written to a file.
struct GraphFault {
  std::string name;
  std::function<void(GraphBuilder&)> make;
  std::string message;  // after "format: net.octet: ", or with its own status
};
MalformedFiles of_graph(GraphBuilder (*valid)(), const std::vector<GraphFault>& faults);

}  // namespace octet::test
