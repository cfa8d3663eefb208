// SPDX-License-Identifier: Apache-2.0
// Where each tensor of a network lives: in a buffer of the caller's or in the arena, sharing memory
// with its views and with the ops that run in place.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "engine/arena.h"
#include "engine/graph.h"
#include "engine/ops/op.h"
#include "engine/step.h"
#include "kernels/kernels.h"

namespace octet::engine {

class Placement {
 public:
  Placement(const Graph& graph, const kernels::Table& table);

  // The place of an activation for blocks of that many samples.
  Place place(std::uint32_t tensor, std::size_t block_samples) const;
  // The caller's own buffer of an input or output.
  Place input(std::size_t i) const;
  Place output(std::size_t i) const;

  // Whether the caller's codes are not in the table's sign.
  bool is_flipped(std::uint32_t tensor) const;
  // Whether a step must bring an input into the arena, or an output out to the caller.
  bool is_input_flipped(std::size_t i) const;
  bool is_input_read(std::size_t i) const { return group(graph_.inputs[i].tensor).last > 0; }
  bool is_output_copied(std::size_t i) const { return copied_[i]; }

  // Arena bytes per sample; offsets into it are multiplied by the block's samples.
  std::size_t sample_bytes() const noexcept { return layout_.bytes; }
  // Where a block of an input or output is copied if the caller's buffer is misaligned; per sample.
  std::size_t aligned_input(std::size_t i) const { return layout_.offsets[aligned_inputs_[i]]; }
  std::size_t aligned_output(std::size_t i) const { return layout_.offsets[aligned_outputs_[i]]; }

 private:
  enum class Home : std::uint8_t { arena, input, output };
  // The memory of tensors that share it. Times: 0 before the first node, i + 1 node i, end_ after
  // the last.
  struct Group {
    Home home = Home::arena;
    std::size_t index = 0;  // of the input or output, later of the lifetime
    std::size_t bytes = 0;  // per sample
    std::size_t first = 0;
    std::size_t last = 0;
  };

  std::uint32_t find(std::uint32_t tensor) const;
  Group& group(std::uint32_t tensor) { return groups_[find(tensor)]; }
  const Group& group(std::uint32_t tensor) const { return groups_[find(tensor)]; }
  void join_views();
  void find_lifetimes();
  void place_outputs();
  void join_in_place();
  void lay_out();

  const Graph& graph_;
  const kernels::Sign sign_;
  const std::size_t end_;
  mutable std::vector<std::uint32_t> leader_;  // per tensor, a union-find forest
  std::vector<Group> groups_;                  // per tensor, valid for leaders
  std::vector<bool> copied_;                   // per output
  std::vector<std::size_t> aligned_inputs_;    // lifetimes, of the floats among them
  std::vector<std::size_t> aligned_outputs_;
  Layout layout_;
};

}  // namespace octet::engine
