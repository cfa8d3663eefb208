// SPDX-License-Identifier: Apache-2.0
// Views join their input's memory, outputs take the caller's, ops in place take a dying input's;
// the rest is laid out by lifetime.
#include "engine/placement.h"

#include <algorithm>
#include <numeric>

#include "engine/ops/codes.h"

namespace octet::engine {

Placement::Placement(const Graph& graph, const kernels::Table& table)
    : graph_(graph),
      sign_(table.sign),
      end_(graph.nodes.size() + 1),
      leader_(graph.tensors.size()),
      groups_(graph.tensors.size()),
      copied_(graph.outputs.size()) {
  std::iota(leader_.begin(), leader_.end(), 0u);
  for (std::size_t i = 0; i < groups_.size(); ++i) {
    const Tensor& tensor = graph.tensors[i];
    if (!tensor.is_constant) groups_[i].bytes = sample_elements(tensor) * dtype_bytes(tensor.dtype);
  }
  join_views();
  find_lifetimes();
  place_outputs();
  join_in_place();
  lay_out();
}

std::uint32_t Placement::find(std::uint32_t tensor) const {
  while (leader_[tensor] != tensor) {
    leader_[tensor] = leader_[leader_[tensor]];
    tensor = leader_[tensor];
  }
  return tensor;
}

bool Placement::is_flipped(std::uint32_t tensor) const {
  const DType dtype = graph_.tensors[tensor].dtype;
  return is_q8(dtype) && code_shift(dtype, sign_) != 0;
}

bool Placement::is_input_flipped(std::size_t i) const {
  return is_flipped(graph_.inputs[i].tensor) && is_input_read(i);
}

void Placement::join_views() {
  for (const Node& node : graph_.nodes) {
    if (find_op(node.op).compile == nullptr) leader_[node.output] = find(node.inputs[0]);
  }
}

void Placement::find_lifetimes() {
  for (std::size_t i = 0; i < graph_.inputs.size(); ++i) {
    const std::uint32_t tensor = graph_.inputs[i].tensor;
    if (is_flipped(tensor)) continue;
    group(tensor).home = Home::input;
    group(tensor).index = i;
  }
  for (std::size_t i = 0; i < graph_.nodes.size(); ++i) {
    const Node& node = graph_.nodes[i];
    if (find_op(node.op).compile == nullptr) continue;
    group(node.output).first = group(node.output).last = i + 1;
    for (const std::uint32_t input : node.inputs) group(input).last = i + 1;
  }
}

void Placement::place_outputs() {
  for (std::size_t i = 0; i < graph_.outputs.size(); ++i) {
    Group& home = group(graph_.outputs[i]);
    copied_[i] = is_flipped(graph_.outputs[i]) || home.home != Home::arena;
    if (copied_[i]) {
      home.last = end_;
    } else {
      home.home = Home::output;
      home.index = i;
    }
  }
}

void Placement::join_in_place() {
  for (std::size_t i = 0; i < graph_.nodes.size(); ++i) {
    const Node& node = graph_.nodes[i];
    if (!find_op(node.op).in_place || group(node.output).home != Home::arena) continue;
    for (const std::uint32_t input : node.inputs) {
      if (graph_.tensors[input].is_constant) continue;
      Group& from = group(input);
      const Group& to = group(node.output);
      if (from.home != Home::arena || from.last != i + 1 || from.bytes != to.bytes) continue;
      from.last = to.last;
      leader_[find(node.output)] = find(input);
      break;
    }
  }
}

void Placement::lay_out() {
  std::vector<Lifetime> lifetimes;
  const auto add = [&](std::size_t bytes, std::size_t first, std::size_t last) {
    lifetimes.push_back({kernels::round_up(bytes, kAlignment), first, last});
    return lifetimes.size() - 1;
  };
  for (std::uint32_t i = 0; i < groups_.size(); ++i) {
    Group& home = groups_[i];
    if (home.bytes == 0 || leader_[i] != i || home.home != Home::arena || home.last == 0) continue;
    home.index = add(home.bytes, home.first, home.last);
  }
  // Buffers of the caller that need no copy get an empty lifetime, which takes no room.
  for (const GraphInput& input : graph_.inputs) {
    const Group& home = group(input.tensor);
    const bool is_float = !is_q8(graph_.tensors[input.tensor].dtype) && home.last > 0;
    aligned_inputs_.push_back(add(is_float ? home.bytes : 0, 0, home.last));
  }
  for (std::size_t i = 0; i < graph_.outputs.size(); ++i) {
    const Group& home = group(graph_.outputs[i]);
    const bool is_float = !is_q8(graph_.tensors[graph_.outputs[i]].dtype);
    aligned_outputs_.push_back(
        add(is_float ? home.bytes : 0, copied_[i] ? end_ : home.first, end_));
  }
  layout_ = place_buffers(lifetimes);
}

Place Placement::input(std::size_t i) const {
  return {static_cast<std::uint32_t>(1 + i), 0, groups_[graph_.inputs[i].tensor].bytes};
}

Place Placement::output(std::size_t i) const {
  return {static_cast<std::uint32_t>(1 + graph_.inputs.size() + i), 0,
          groups_[graph_.outputs[i]].bytes};
}

Place Placement::place(std::uint32_t tensor, std::size_t block_samples) const {
  const Group& home = group(tensor);
  switch (home.home) {
    case Home::input:
      return input(home.index);
    case Home::output:
      return output(home.index);
    case Home::arena:
      break;
  }
  return {0, layout_.offsets[home.index] * block_samples,
          kernels::round_up(home.bytes, kAlignment)};
}

}  // namespace octet::engine
