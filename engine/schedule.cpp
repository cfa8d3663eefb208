// SPDX-License-Identifier: Apache-2.0
// The cost model behind the division of work: integers only, no clock, so that a run can be
// repeated.
#include "engine/schedule.h"

#include <algorithm>
#include <limits>

namespace octet::engine {
namespace {

std::size_t divide_up(std::size_t x, std::size_t y) noexcept {
  return x / y + (x % y != 0);
}

constexpr std::uint64_t kMost = std::numeric_limits<std::uint64_t>::max();

std::uint64_t product(std::uint64_t a, std::uint64_t b) noexcept {
  std::uint64_t result = 0;
  return __builtin_mul_overflow(a, b, &result) ? kMost : result;
}

std::uint64_t sum(std::uint64_t a, std::uint64_t b) noexcept {
  std::uint64_t result = 0;
  return __builtin_add_overflow(a, b, &result) ? kMost : result;
}

// Equal blocks, as many for each task as for any other: two for each where that costs nothing,
// because tasks take them one by one and cores are not equally fast. It costs where blocks have
// fewer than eight tiles of rows (two of amx_int8, by which all weights pass anyway), and where
// each reads weights from far. The latter are whole tiles, unless a task has only one: the largest
// is what all wait for.
Schedule by_blocks(const Plan& plan, std::size_t batch, std::size_t tasks) noexcept {
  const bool is_near = plan.block_cost == 0;
  std::size_t blocks = divide_up(batch, plan.block_samples);
  const std::size_t least = (plan.tile_speed > 1 ? 2 : 8) * plan.row_tile;
  if (is_near && batch / (2 * tasks) >= least) blocks = std::max(blocks, 2 * tasks);
  blocks = kernels::round_up(blocks, tasks);
  const std::size_t equal = divide_up(batch, blocks);
  const std::size_t tiles = kernels::round_up(equal, plan.row_tile);
  const std::size_t samples =
      is_near || blocks == tasks ? equal : std::min(tiles, plan.block_samples);
  blocks = divide_up(batch, samples);
  return {std::min(tasks, blocks), samples, blocks, false};
}

}  // namespace

std::size_t useful_tasks(const Plan& plan, std::uint64_t cost, std::size_t concurrency) noexcept {
  return static_cast<std::size_t>(
      std::clamp<std::uint64_t>(cost / plan.task_cost, 1, std::max<std::size_t>(concurrency, 1)));
}

Schedule make_schedule(const Plan& plan, std::size_t batch, std::size_t concurrency) noexcept {
  const std::uint64_t saved = batch < plan.row_tile ? 0
                                                    : product(plan.tile_cost, batch) /
                                                          plan.tile_speed * (plan.tile_speed - 1);
  const std::uint64_t samples_cost = product(plan.cost, batch) - saved;
  // One block for one task, without the divisions below, which count in a run that small.
  if (batch <= plan.block_samples &&
      (concurrency == 1 || sum(samples_cost, plan.block_cost) / 2 < plan.task_cost)) {
    return {1, batch, 1, false};
  }
  const std::size_t blocks = divide_up(batch, plan.block_samples);
  const std::uint64_t blocks_cost = product(plan.block_cost, blocks);
  const std::uint64_t cost = sum(samples_cost, blocks_cost);
  const std::size_t wanted = useful_tasks(plan, cost, concurrency);
  const std::size_t by_rows = std::min(wanted, divide_up(batch, plan.row_tile));
  // Where rows are enough for all tasks, steps must be, too: a smaller one would not be divided.
  const std::uint64_t block_steps =
      sum(product(plan.divisible_cost, std::min(batch, plan.block_samples)), plan.block_cost);
  const std::uint64_t enough = product(plan.divisible_steps, product(wanted, plan.task_cost));
  if (wanted == 1 || (by_rows == wanted && block_steps < enough)) {
    return by_blocks(plan, batch, wanted);
  }

  // Few samples for the tasks, or weights from far, or blocks too large for cores that are not
  // equally fast: whoever is the last to end a block, or a half of its part of a step, is waited
  // for, half of that time on average. Dividing steps wakes the tasks once per large step and
  // block; but tasks that take rows read all weights each, where those of a task's columns may stay
  // near (measured with two tasks: more of them exchange their columns from run to run).
  const std::uint64_t wake = plan.task_cost / 2;
  const Schedule rows = by_blocks(plan, batch, by_rows);
  const std::uint64_t rows_cost = sum(samples_cost, product(plan.block_cost, rows.blocks));
  const std::uint64_t rows_time =
      sum(rows_cost / rows.tasks, rows.tasks == 1 ? 0 : sum(rows_cost / rows.blocks / 2, wake));
  const bool stays_near = plan.block_cost / wanted <= kFarByteCost * kNearBytes;
  const std::uint64_t divisible = product(plan.divisible_cost, batch) - saved;
  const std::uint64_t part = sum(divisible, stays_near ? 0 : blocks_cost) / wanted;
  const std::uint64_t wakes = product(plan.divisible_steps, product(blocks, wake));
  const std::uint64_t steps_time = sum(samples_cost - divisible, sum(sum(part, part / 4), wakes));
  if (steps_time >= rows_time) return rows;
  return {wanted, std::min(batch, plan.block_samples), blocks, true};
}

}  // namespace octet::engine
