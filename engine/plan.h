// SPDX-License-Identifier: Apache-2.0
// The plan of a network: a flat array of steps over a block of samples whose activations stay in
// the cache from layer to layer, and the arena that a task needs for one block.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "engine/graph.h"
#include "engine/inspect.h"
#include "engine/step.h"
#include "engine/storage.h"
#include "kernels/kernels.h"

namespace octet::engine {

// An input or output of the network. Kernels want floats aligned: where the caller's buffer is not,
// a block of it is copied to or from the arena at `aligned`.
struct CallerBuffer {
  std::size_t sample_bytes = 0;
  std::size_t alignment = 1;
  std::size_t aligned = 0;
};

// Multiply-adds that a task must have to be worth another thread. One that sleeps takes its task
// some 25 to 30 us late on Linux, in which an AVX-512 VNNI tile does 2^23; one that has just run is
// awake.
inline constexpr std::uint64_t kTaskCost = std::uint64_t{1} << 22;

// A second-level cache holds no more weights, to which every block comes anew.
inline constexpr std::size_t kNearBytes = std::size_t{2} << 20;
// Multiply-adds that take as long as reading one of their bytes from a third-level cache: 3 to 12.
inline constexpr std::uint64_t kFarByteCost = 4;

struct Plan {
  std::vector<Step> steps;
  std::vector<CallerBuffer> inputs;
  std::vector<CallerBuffer> outputs;
  std::size_t block_samples = 1;  // at most; a multiple of row_tile or less than one
  std::size_t row_tile = 1;       // rows that a matrix product takes at a time
  std::uint64_t cost = 0;         // of all steps, per sample
  std::uint64_t tile_cost = 0;    // of these, what row_tile samples and more divide by tile_speed
  std::size_t tile_speed = 1;
  std::uint64_t divisible_cost = 0;
  std::uint64_t block_cost = 0;  // of divisible steps, per block: weights that come from far
  std::size_t divisible_steps = 0;
  std::uint64_t task_cost = kTaskCost;

  // A task's part of the arena: tensors of a block, Block::bases, whether its parts of a step are
  // taken, Block::rows, Block::scratch.
  std::size_t bases_offset = 0;
  std::size_t taken_offset = 0;
  std::size_t rows_offset = 0;
  std::size_t scratch_offset = 0;
  std::size_t task_bytes = 0;

  std::vector<StepInfo> nodes;  // what each node of the graph became
};

// The graph must have been checked. What steps point to goes to storage. Throws octet::Error
// (limit) where a task's arena for one sample exceeds limits.arena_bytes.
Plan make_plan(const Graph& graph, const std::string& source, const kernels::Table& table,
               const Limits& limits, Storage& storage);

}  // namespace octet::engine
