// SPDX-License-Identifier: Apache-2.0
// Graph -> steps: sizes the block, compiles each node's op, and writes the steps with their places.
#include "engine/plan.h"

#include <algorithm>

#include "engine/ops/op.h"
#include "engine/placement.h"

namespace octet::engine {
namespace {

// Activations of a block, buffers of the caller included: a quarter of a common second-level cache,
// because the weights pass through it too. Weights that it does not hold come anew to each block:
// then fewer blocks, half as large as the weights, save more than activations cost that leave the
// cache. Beyond 2 MB little is gained for what it adds to an app's memory.
constexpr std::size_t kBlockBytes = std::size_t{256} << 10;
constexpr std::size_t kMostBlockBytes = std::size_t{2} << 20;
// More samples than this per block save nothing and divide worse between tasks.
constexpr std::size_t kMaxBlockSamples = 512;
// Multiply-adds that take about as long as moving a byte (an int8 tile does some 100 per ns).
constexpr std::uint64_t kByteCost = 16;

class Planner {
 public:
  Planner(const Graph& graph, const std::string& source, const kernels::Table& table,
          const Limits& limits, Storage& storage)
      : graph_(graph),
        source_(source),
        table_(table),
        limits_(limits),
        storage_(storage),
        placement_(graph, table) {}

  Plan run() {
    plan_.row_tile = std::max<std::size_t>(table_.tile.mr, 1);
    plan_.tile_speed = table_.tile_speed;
    add_needs();
    size_block();  // may throw: before any parameter is packed
    compile_nodes();
    describe_buffers();
    write_steps();
    return std::move(plan_);
  }

 private:
  OpContext context(const Node& node) const { return {graph_, node, table_, storage_}; }

  void add_needs() {
    for (const Node& node : graph_.nodes) {
      const Op& op = find_op(node.op);
      if (op.needs == nullptr) continue;
      const Needs needs = op.needs(context(node));
      rows_ = std::max(rows_, needs.rows);
      scratch_bytes_ = std::max(scratch_bytes_, needs.scratch_bytes);
    }
  }

  void compile_nodes() {
    for (std::size_t i = 0; i < graph_.nodes.size(); ++i) {
      const Node& node = graph_.nodes[i];
      const Op& op = find_op(node.op);
      Compiled compiled;
      if (op.compile == nullptr) {
        compiled.kernel = "view";
      } else {
        compiled = op.compile(context(node));
      }
      plan_.nodes.push_back({i, compiled.kernel, compiled.multiply_adds, compiled.parameter_bytes});
      read_bytes_ += compiled.parameter_bytes - compiled.unread_bytes;
      compiled_.push_back(std::move(compiled));
    }
  }

  void size_block() {
    // Bases, and behind them a byte for each of a task's two parts of a step.
    const std::size_t taken = (1 + graph_.inputs.size() + graph_.outputs.size()) * sizeof(void*);
    const std::size_t bases_bytes = kernels::round_up(taken + 2, kAlignment);
    const std::size_t scratch_bytes = kernels::round_up(scratch_bytes_, kAlignment);
    // Row pointers are rounded up to whole cache lines once per block.
    const std::size_t fixed = bases_bytes + scratch_bytes + kAlignment;
    const std::size_t per_sample = placement_.sample_bytes() + rows_ * sizeof(void*);
    if (fixed > limits_.arena_bytes || per_sample > limits_.arena_bytes - fixed) {
      fail(Error::Code::limit, source_, ": one sample needs ", fixed + per_sample,
           " bytes of arena, the limit arena_bytes is ", limits_.arena_bytes, "; raise it");
    }
    const auto largest = static_cast<std::size_t>((limits_.arena_bytes - fixed) /
                                                  std::max<std::size_t>(per_sample, 1));
    std::size_t samples = block_bytes() / std::max<std::size_t>(touched_bytes(), 1);
    samples = std::min({std::max<std::size_t>(samples, 1), kMaxBlockSamples, largest});
    if (samples > plan_.row_tile) samples -= samples % plan_.row_tile;
    plan_.block_samples = samples;
    plan_.bases_offset = placement_.sample_bytes() * samples;
    plan_.taken_offset = plan_.bases_offset + taken;
    plan_.rows_offset = plan_.bases_offset + bases_bytes;
    plan_.scratch_offset =
        plan_.rows_offset + kernels::round_up(samples * rows_ * sizeof(void*), kAlignment);
    plan_.task_bytes = plan_.scratch_offset + scratch_bytes;
  }

  // By the graph's constants: nothing is packed yet, for what exceeds a limit never is.
  std::size_t block_bytes() const {
    std::size_t constants = 0;
    for (const Tensor& tensor : graph_.tensors) constants += tensor.data.size();
    return constants <= kNearBytes ? kBlockBytes : std::min(constants / 2, kMostBlockBytes);
  }

  // Bytes per sample that a block's steps read and write, apart from weights. The room that the
  // arena has for aligned copies stands for the caller's floats.
  std::size_t touched_bytes() const {
    std::size_t bytes = placement_.sample_bytes();
    for (std::size_t i = 0; i < graph_.inputs.size(); ++i) {
      if (alignment_of(graph_.inputs[i].tensor) == 1) bytes += placement_.input(i).stride;
    }
    for (std::size_t i = 0; i < graph_.outputs.size(); ++i) {
      if (alignment_of(graph_.outputs[i]) == 1) bytes += placement_.output(i).stride;
    }
    return bytes;
  }

  void describe_buffers() {
    for (std::size_t i = 0; i < graph_.inputs.size(); ++i) {
      // What nothing reads has no place in the arena.
      const std::size_t alignment =
          placement_.is_input_read(i) ? alignment_of(graph_.inputs[i].tensor) : 1;
      plan_.inputs.push_back({placement_.input(i).stride, alignment,
                              placement_.aligned_input(i) * plan_.block_samples});
    }
    for (std::size_t i = 0; i < graph_.outputs.size(); ++i) {
      plan_.outputs.push_back({placement_.output(i).stride, alignment_of(graph_.outputs[i]),
                               placement_.aligned_output(i) * plan_.block_samples});
    }
  }

  std::size_t alignment_of(std::uint32_t tensor) const {
    return dtype_bytes(graph_.tensors[tensor].dtype);
  }

  void write_steps() {
    std::size_t count = graph_.inputs.size() + graph_.outputs.size();
    for (const Node& node : graph_.nodes) count += node.inputs.size();
    next_in_ = storage_.array<Place>(count);

    for (std::size_t i = 0; i < graph_.inputs.size(); ++i) {
      if (!placement_.is_input_flipped(i)) continue;
      const Place from = placement_.input(i);
      add_step(compile_flip(from.stride, table_, storage_), {&from, 1},
               place(graph_.inputs[i].tensor));
    }
    for (std::size_t i = 0; i < graph_.nodes.size(); ++i) {
      const Node& node = graph_.nodes[i];
      if (compiled_[i].run == nullptr) continue;
      std::vector<Place> in;
      for (const std::uint32_t input : node.inputs) {
        if (!graph_.tensors[input].is_constant) in.push_back(place(input));
      }
      add_step(compiled_[i], in, place(node.output));
    }
    for (std::size_t i = 0; i < graph_.outputs.size(); ++i) {
      if (!placement_.is_output_copied(i)) continue;
      const std::uint32_t tensor = graph_.outputs[i];
      const Place from = place(tensor);
      const Place to = placement_.output(i);
      add_step(placement_.is_flipped(tensor) ? compile_flip(to.stride, table_, storage_)
                                             : compile_copy(to.stride, storage_),
               {&from, 1}, to);
    }
  }

  Place place(std::uint32_t tensor) const { return placement_.place(tensor, plan_.block_samples); }

  void add_step(const Compiled& compiled, std::span<const Place> in, const Place& out) {
    std::uint64_t bytes = out.stride;
    for (const Place& from : in) bytes += from.stride;
    const std::uint64_t cost = compiled.multiply_adds + kByteCost * bytes;
    const std::uint64_t block_cost =
        compiled.divisible && read_bytes_ > kNearBytes
            ? kFarByteCost * (compiled.parameter_bytes - compiled.unread_bytes)
            : 0;
    plan_.steps.push_back(
        {compiled.run, compiled.params, next_in_, out, cost, block_cost, compiled.divisible});
    next_in_ = std::copy(in.begin(), in.end(), next_in_);
    plan_.cost += cost;
    plan_.block_cost += block_cost;
    if (compiled.has_tiles) plan_.tile_cost += compiled.multiply_adds;
    if (compiled.divisible) {
      plan_.divisible_cost += cost;
      ++plan_.divisible_steps;
    }
  }

  const Graph& graph_;
  const std::string& source_;
  const kernels::Table& table_;
  const Limits& limits_;
  Storage& storage_;
  const Placement placement_;
  std::vector<Compiled> compiled_;  // per node
  std::size_t rows_ = 0;            // the most of any step
  std::size_t scratch_bytes_ = 0;
  std::size_t read_bytes_ = 0;  // parameters of all nodes
  Place* next_in_ = nullptr;
  Plan plan_;
};

}  // namespace

Plan make_plan(const Graph& graph, const std::string& source, const kernels::Table& table,
               const Limits& limits, Storage& storage) {
  return Planner(graph, source, table, limits, storage).run();
}

}  // namespace octet::engine
