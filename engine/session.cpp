// SPDX-License-Identifier: Apache-2.0
// run(): checks sizes, divides the batch into blocks, and takes each block through the plan's
// steps.
#include "engine/session.h"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <limits>

#include "engine/errors.h"
#include "engine/fp_env.h"

using octet::Error;
using octet::engine::Block;
using octet::engine::CallerBuffer;
using octet::engine::FloatEnvironment;
using octet::engine::kAlignment;
using octet::engine::make_schedule;
using octet::engine::Plan;
using octet::engine::Schedule;
using octet::engine::Step;
using octet::engine::useful_tasks;

namespace {

// alignment: a power of two.
bool is_aligned(const void* data, std::size_t alignment) noexcept {
  return (reinterpret_cast<std::uintptr_t>(data) & (alignment - 1)) == 0;
}

bool has_size(const void* data, std::size_t bytes, std::size_t batch,
              std::size_t sample_bytes) noexcept {
  std::size_t expected;
  if (__builtin_mul_overflow(batch, sample_bytes, &expected) || bytes != expected) return false;
  return data != nullptr || bytes == 0;
}

}  // namespace

octet_session::octet_session(std::shared_ptr<const octet::engine::Model> model,
                             const octet_session_options& options)
    : model_(std::move(model)) {
  using octet::engine::fail;
  if (options.executor != nullptr) {
    executor_ = *options.executor;
    if (executor_.concurrency == nullptr || executor_.run == nullptr) {
      fail(Error::Code::argument, "the executor has a null function");
    }
    concurrency_ = std::max<std::size_t>(executor_.concurrency(executor_.self), 1);
  }
  const std::size_t needed = model_->arena_bytes(concurrency_);
  if (options.arena == nullptr) {
    if (needed == std::numeric_limits<std::size_t>::max()) throw std::bad_alloc();
    own_arena_ = octet::engine::AlignedBuffer(needed);
    arena_ = own_arena_.data();
    return;
  }
  if (!is_aligned(options.arena, kAlignment)) {
    fail(Error::Code::argument, "the arena is not aligned to ", kAlignment, " bytes");
  }
  if (options.arena_bytes < needed) {
    fail(Error::Code::argument, "the arena has ", options.arena_bytes, " bytes, ", concurrency_,
         " tasks need ", needed);
  }
  arena_ = static_cast<std::byte*>(options.arena);
}

// One call of run(), shared by its tasks.
struct octet_session::Run {
  const octet_session& session;
  const Plan& plan;
  std::span<const octet_input> inputs;
  std::span<const octet_output> outputs;
  std::size_t batch;
  Schedule schedule;
  std::atomic<std::size_t> next{0};  // block
  // The step and block that tasks share.
  const Step* step = nullptr;
  const Block* block = nullptr;
  std::size_t parts = 1;

  // GCC clears an aggregate before it fills it, by an instruction slower than its stores.
  Run(const octet_session& of, std::span<const octet_input> in, std::span<const octet_output> out,
      std::size_t samples) noexcept
      : session(of),
        plan(of.model_->plan),
        inputs(in),
        outputs(out),
        batch(samples),
        schedule(make_schedule(plan, batch, of.concurrency_)) {}

  // The block's memory in the part of the arena that is this task's.
  Block open(std::size_t task) const noexcept {
    std::byte* arena = session.arena_ + task * plan.task_bytes;
    return {reinterpret_cast<std::byte**>(arena + plan.bases_offset), 0,
            reinterpret_cast<const void**>(arena + plan.rows_offset), arena + plan.scratch_offset};
  }

  // Points a task's bases to block `index`; misaligned inputs are copied to the arena.
  void bind(std::size_t task, std::size_t index, Block& block_out) const noexcept {
    std::byte* arena = session.arena_ + task * plan.task_bytes;
    auto** bases = reinterpret_cast<std::byte**>(arena + plan.bases_offset);
    const std::size_t first = index * schedule.block_samples;
    block_out.samples = std::min(schedule.block_samples, batch - first);
    *bases++ = arena;
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      const CallerBuffer& buffer = plan.inputs[i];
      const auto* data =
          static_cast<const std::byte*>(inputs[i].data) + first * buffer.sample_bytes;
      // No step writes to an input.
      *bases = const_cast<std::byte*>(data);
      if (!is_aligned(data, buffer.alignment)) {
        *bases = arena + buffer.aligned;
        std::memcpy(*bases, data, block_out.samples * buffer.sample_bytes);
      }
      ++bases;
    }
    for (std::size_t i = 0; i < outputs.size(); ++i) {
      const CallerBuffer& buffer = plan.outputs[i];
      auto* data = static_cast<std::byte*>(outputs[i].data) + first * buffer.sample_bytes;
      *bases++ = is_aligned(data, buffer.alignment) ? data : arena + buffer.aligned;
    }
  }

  // Copies outputs that were computed in the arena to the caller's misaligned buffers.
  void finish(std::size_t index, const Block& done) const noexcept {
    const std::size_t first = index * schedule.block_samples;
    for (std::size_t i = 0; i < outputs.size(); ++i) {
      const CallerBuffer& buffer = plan.outputs[i];
      auto* data = static_cast<std::byte*>(outputs[i].data) + first * buffer.sample_bytes;
      if (is_aligned(data, buffer.alignment)) continue;
      std::memcpy(data, done.bases[1 + inputs.size() + i], done.samples * buffer.sample_bytes);
    }
  }

  void take_block(std::size_t task, std::size_t index, Block& mine) const noexcept {
    bind(task, index, mine);
    for (const Step& s : plan.steps) s.run(s, mine, {0, 1});
    finish(index, mine);
  }

  // All blocks, on this thread.
  void run_alone() const noexcept {
    const FloatEnvironment environment;
    Block mine = open(0);
    for (std::size_t i = 0; i < schedule.blocks; ++i) take_block(0, i, mine);
  }

  void take_blocks(std::size_t task) noexcept {
    const FloatEnvironment environment;
    Block mine = open(task);
    for (std::size_t i; (i = next.fetch_add(1, std::memory_order_relaxed)) < schedule.blocks;) {
      take_block(task, i, mine);
    }
  }

  // Whether a task's two parts of the step are taken.
  std::byte* taken(std::size_t task) const noexcept {
    return session.arena_ + task * plan.task_bytes + plan.taken_offset;
  }

  // The task's own parts, whose weights its core may still have, then what slower or later tasks
  // have left of theirs.
  void take_parts(std::size_t task) noexcept {
    const FloatEnvironment environment;
    Block mine = open(task);
    mine.bases = block->bases;
    mine.samples = block->samples;
    for (std::size_t i = 0, part = 2 * task; i < parts; ++i) {
      std::atomic_ref is_taken(taken(part / 2)[part % 2]);
      if (is_taken.load(std::memory_order_relaxed) == std::byte{0} &&
          is_taken.exchange(std::byte{1}, std::memory_order_relaxed) == std::byte{0}) {
        step->run(*step, mine, {part, parts});
      }
      if (++part == parts) part = 0;
    }
  }

  void divide_step(const Step& s, const Block& mine, std::size_t tasks) noexcept {
    step = &s;
    block = &mine;
    parts = 2 * tasks;
    for (std::size_t task = 0; task < tasks; ++task) std::memset(taken(task), 0, 2);
    session.executor_.run(
        session.executor_.self, tasks,
        [](void* run, std::size_t task) { static_cast<Run*>(run)->take_parts(task); }, this);
  }

  // All blocks on this thread, with help for their large steps.
  void share_steps() noexcept {
    const FloatEnvironment environment;
    Block mine = open(0);
    for (std::size_t i = 0; i < schedule.blocks; ++i) {
      bind(0, i, mine);
      for (const Step& s : plan.steps) {
        const std::uint64_t cost = s.cost * mine.samples + s.block_cost;
        const std::size_t tasks = s.divisible ? useful_tasks(plan, cost, schedule.tasks) : 1;
        if (tasks > 1) {
          divide_step(s, mine, tasks);
        } else {
          s.run(s, mine, {0, 1});
        }
      }
      finish(i, mine);
    }
  }

  void share_blocks() noexcept {
    session.executor_.run(
        session.executor_.self, schedule.tasks,
        [](void* run, std::size_t task) { static_cast<Run*>(run)->take_blocks(task); }, this);
  }
};

bool octet_session::is_valid(std::span<const octet_input> inputs,
                             std::span<const octet_output> outputs,
                             std::size_t batch) const noexcept {
  const Plan& plan = model_->plan;
  if (inputs.size() != plan.inputs.size() || outputs.size() != plan.outputs.size()) return false;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    if (!has_size(inputs[i].data, inputs[i].bytes, batch, plan.inputs[i].sample_bytes))
      return false;
  }
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    if (!has_size(outputs[i].data, outputs[i].bytes, batch, plan.outputs[i].sample_bytes)) {
      return false;
    }
  }
  return true;
}

octet_status octet_session::run(std::span<const octet_input> inputs,
                                std::span<const octet_output> outputs, std::size_t batch) noexcept {
  if (!is_valid(inputs, outputs, batch)) return OCTET_ARGUMENT;
  if (batch == 0) return OCTET_OK;
  Run run(*this, inputs, outputs, batch);
  if (run.schedule.tasks == 1) {
    run.run_alone();
  } else if (run.schedule.divides_steps) {
    run.share_steps();
  } else {
    run.share_blocks();
  }
  return OCTET_OK;
}
