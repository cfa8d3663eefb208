// SPDX-License-Identifier: Apache-2.0
// How a run is divided between tasks. The result never depends on it.
#pragma once

#include <cstddef>

#include "engine/plan.h"

namespace octet::engine {

struct Schedule {
  std::size_t tasks;          // that work at the same time, at least 1
  std::size_t block_samples;  // of all blocks but the last
  std::size_t blocks;
  // False: tasks take blocks. True: blocks one after the other, tasks share each large step.
  bool divides_steps;
};

// batch >= 1; concurrency >= 1.
Schedule make_schedule(const Plan& plan, std::size_t batch, std::size_t concurrency) noexcept;

// Tasks that are worth waking for work of that cost.
std::size_t useful_tasks(const Plan& plan, std::uint64_t cost, std::size_t concurrency) noexcept;

}  // namespace octet::engine
