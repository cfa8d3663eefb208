// SPDX-License-Identifier: Apache-2.0
// A look inside a loaded model for the command line tool: what each node became. Not part of the
// ABI.
#pragma once

#include <octet/octet_c.h>

#include <string>
#include <vector>

#include "engine/graph.h"
#include "engine/mapped_file.h"

namespace octet::engine {

struct StepInfo {
  std::size_t node;             // index into the graph's nodes
  std::string kernel;           // "gemm_q8 avx512vnni 6x64", "view", ...
  std::uint64_t multiply_adds;  // per sample
  std::size_t parameter_bytes;  // packed, in memory
};

struct ModelInfo {
  std::vector<StepInfo> steps;
  std::size_t block_rows;   // samples per block of the plan
  std::size_t arena_bytes;  // per task
};

ModelInfo inspect(const octet_model* model);

// Reads and checks a model file and gives its graph, whose data lies in file, without planning it.
struct LoadedGraph {
  Graph graph;
  MappedFile file;
  std::uint32_t arithmetic_version;
  std::uint32_t reader_version;
};
LoadedGraph read_graph(const std::string& path, const Limits& limits = {});

}  // namespace octet::engine
