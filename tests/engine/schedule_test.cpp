// SPDX-License-Identifier: Apache-2.0
// The division of work: every sample once, no more tasks than there are or than the work is worth.
#include "engine/schedule.h"

#include <doctest/doctest.h>

#include <algorithm>

namespace octet::test::schedule_test {

using namespace engine;

namespace {

Plan plan_of(std::uint64_t cost, std::uint64_t divisible_cost, std::size_t block) {
  Plan plan;
  plan.block_samples = block;
  plan.row_tile = 6;
  plan.cost = cost;
  plan.divisible_cost = divisible_cost;
  plan.divisible_steps = 2;
  return plan;
}

}  // namespace

TEST_CASE("schedule: blocks cover the batch, within all bounds") {
  for (const std::size_t block : {1u, 5u, 6u, 60u}) {
    for (const std::uint64_t cost : {1000u, 1000000u, 100000000u}) {
      const Plan plan = plan_of(cost, cost / 10 * 9, block);
      for (const std::size_t concurrency : {1u, 2u, 5u, 16u}) {
        for (const std::size_t batch : {1u, 2u, 5u, 6u, 7u, 59u, 60u, 61u, 100u, 1000u}) {
          const Schedule s = make_schedule(plan, batch, concurrency);
          CHECK(s.tasks >= 1);
          CHECK(s.tasks <= concurrency);
          CHECK((s.divides_steps || s.tasks <= s.blocks));
          CHECK(s.block_samples >= 1);
          CHECK(s.block_samples <= block);
          CHECK(s.blocks == (batch + s.block_samples - 1) / s.block_samples);
        }
      }
    }
  }
}

TEST_CASE("schedule: small work stays on the calling thread") {
  const Plan plan = plan_of(1000, 900, 64);
  CHECK(make_schedule(plan, 1, 8).tasks == 1);
  CHECK(make_schedule(plan, 100, 8).tasks == 1);
  CHECK(make_schedule(plan, 1000000, 8).tasks == 8);
}

TEST_CASE("schedule: a large batch is divided into equal blocks for all tasks") {
  const Schedule s = make_schedule(plan_of(100000, 90000, 60), 960, 4);
  CHECK(s.tasks == 4);
  CHECK_FALSE(s.divides_steps);
  CHECK(s.blocks % 4 == 0);
  CHECK(s.blocks * s.block_samples == 960);
}

TEST_CASE("schedule: where each task has one block, none waits for a larger one") {
  const Plan plan = plan_of(1000000, 900000, 60);
  CHECK(make_schedule(plan, 64, 2).block_samples == 32);  // not 36 and 28: six tiles of rows each
  CHECK(make_schedule(plan, 16, 2).block_samples == 8);
  CHECK(make_schedule(plan, 100, 3).block_samples == 34);
  CHECK(make_schedule(plan, 300, 2).block_samples == 50);
}

TEST_CASE("schedule: each task has two blocks where they are large and weights are near") {
  Plan plan = plan_of(1000000, 900000, 600);
  plan.divisible_steps = 1000;  // too small to be divided
  CHECK(make_schedule(plan, 240, 2).blocks == 4);
  CHECK(make_schedule(plan, 192, 2).blocks == 4);  // of eight tiles
  CHECK(make_schedule(plan, 191, 2).blocks == 2);
  CHECK(make_schedule(plan, 2000, 2).blocks == 4);
  CHECK(make_schedule(plan, 2000, 3).blocks == 6);
  plan.block_cost = 1;
  CHECK(make_schedule(plan, 240, 2).blocks == 2);
  plan.block_samples = 60;
  CHECK(make_schedule(plan, 300, 2).block_samples == 54);  // weights are read for whole tiles
  CHECK(make_schedule(plan, 64, 2).block_samples == 32);
}

TEST_CASE("schedule: few samples of a large network divide its steps") {
  const Plan plan = plan_of(50000000, 49000000, 60);
  CHECK(make_schedule(plan, 1, 4).divides_steps);
  CHECK(make_schedule(plan, 6, 4).tasks == 4);
  CHECK_FALSE(make_schedule(plan, 1, 1).divides_steps);
  CHECK_FALSE(make_schedule(plan, 600, 4).divides_steps);
  // Where little can be divided, one task does it all.
  CHECK_FALSE(make_schedule(plan_of(50000000, 100000, 60), 1, 4).divides_steps);
}

TEST_CASE("schedule: weights that come from far are worth dividing, whatever the samples") {
  Plan plan = plan_of(3000000, 3000000, 60);
  plan.divisible_steps = 1;
  CHECK(make_schedule(plan, 1, 2).tasks == 1);
  plan.block_cost = 4 * 3000000;
  CHECK(make_schedule(plan, 1, 2).divides_steps);
  CHECK_FALSE(make_schedule(plan, 1, 1).divides_steps);
  // Two tasks by rows would read all of them twice.
  CHECK(make_schedule(plan, 7, 4).divides_steps);
  CHECK_FALSE(make_schedule(plan, 600, 2).divides_steps);
  // Samples for all tasks, but half of the weights stays near where all of them do not.
  CHECK(make_schedule(plan, 60, 2).divides_steps);
  CHECK(make_schedule(plan, 120, 2).divides_steps);
  // Weights of which no task's columns stay near are read once by two tasks, not twice.
  plan.block_cost = 4 * 6000000;
  CHECK(make_schedule(plan, 60, 2).divides_steps);
  CHECK_FALSE(make_schedule(plan, 240, 2).divides_steps);
  plan = plan_of(100000, 100000, 60);
  plan.divisible_steps = 1;
  plan.block_cost = 4 * 2000000;
  CHECK(make_schedule(plan, 120, 2).divides_steps);
  CHECK_FALSE(make_schedule(plan, 120, 1).divides_steps);
  // Tasks that share steps wake in each of four blocks, by rows each task reads all weights twice.
  plan = plan_of(8000000 / 60, 8000000 / 60, 60);
  plan.divisible_steps = 1;
  plan.block_cost = 2600000;
  CHECK(make_schedule(plan, 240, 2).divides_steps);
  plan.block_cost = 2400000;
  CHECK_FALSE(make_schedule(plan, 240, 2).divides_steps);
  // Steps too small to be divided between the tasks that rows would serve.
  constexpr std::uint64_t kWeights = 820 * 820;
  plan = plan_of(6 * kWeights, 6 * kWeights, 60);
  plan.divisible_steps = 6;
  plan.block_cost = 4 * 6 * kWeights;
  CHECK(make_schedule(plan, 8, 2).tasks == 2);
  CHECK_FALSE(make_schedule(plan, 8, 2).divides_steps);
  // As many wake-ups as layers, which are too small to be worth one each.
  plan = plan_of(3000000, 3000000, 60);
  plan.divisible_steps = 12;
  plan.block_cost = 4 * 3000000;
  CHECK(make_schedule(plan, 1, 2).tasks == 1);
  plan.block_cost = std::uint64_t{1} << 63;
  CHECK(make_schedule(plan, 600, 2).tasks == 2);  // beyond 64 bits, ten blocks
}

TEST_CASE("schedule: a task of one block shares steps, for the last to end it is waited for") {
  Plan plan = plan_of(3000000, 3000000, 600);
  CHECK(make_schedule(plan, 191, 2).divides_steps);
  CHECK_FALSE(make_schedule(plan, 192, 2).divides_steps);  // two for each task
  CHECK(make_schedule(plan, 192, 2).blocks == 4);
  // Wake-ups beyond that of the first step, which by rows is needed, too: worth a quarter of a
  // part.
  plan = plan_of(kTaskCost, kTaskCost, 60);
  plan.divisible_steps = 4;
  CHECK_FALSE(make_schedule(plan, 12, 2).divides_steps);
  CHECK(make_schedule(plan, 13, 2).divides_steps);
  // Nobody waits for one task alone.
  plan = plan_of(2 * kTaskCost, 2 * kTaskCost, 60);
  plan.divisible_steps = 2;
  CHECK(make_schedule(plan, 1, 2).tasks == 1);
}

TEST_CASE("schedule: work beyond 64 bits is much, not little") {
  const Plan plan = plan_of(std::uint64_t{1} << 60, std::uint64_t{1} << 59, 60);
  CHECK(make_schedule(plan, 16, 2).tasks == 2);  // 2^64 multiply-adds
  Plan far = plan_of(1, 1, 60);
  far.block_cost = std::uint64_t{1} << 63;
  CHECK(make_schedule(far, 600, 2).tasks == 2);
}

TEST_CASE("useful_tasks grows with the cost up to the concurrency") {
  const Plan plan;
  CHECK(useful_tasks(plan, 0, 8) == 1);
  CHECK(useful_tasks(plan, 2 * kTaskCost - 1, 8) == 1);
  CHECK(useful_tasks(plan, 2 * kTaskCost, 8) == 2);
  CHECK(useful_tasks(plan, std::uint64_t{1} << 60, 8) == 8);
  std::size_t last = 1;
  for (std::uint64_t cost = 1; cost < std::uint64_t{1} << 40; cost *= 2) {
    CHECK(useful_tasks(plan, cost, 8) >= last);
    last = useful_tasks(plan, cost, 8);
  }
}

TEST_CASE("schedule: whole tiles of rows may be faster than single rows") {
  Plan plan = plan_of(kTaskCost / 8, kTaskCost / 8, 60);
  CHECK(make_schedule(plan, 16, 2).tasks == 2);
  plan.row_tile = 16;
  plan.tile_cost = plan.cost;
  plan.tile_speed = 4;
  CHECK(make_schedule(plan, 15, 2).tasks == 1);  // one task by rows, less than two by cost
  CHECK(make_schedule(plan, 32, 2).tasks == 1);
  CHECK(make_schedule(plan, 63, 2).tasks == 1);
  CHECK(make_schedule(plan, 64, 2).tasks == 2);
  plan.block_samples = 512;
  CHECK(make_schedule(plan, 127, 2).blocks == 2);
  CHECK(make_schedule(plan, 128, 2).blocks == 4);  // of two tiles of rows each
  plan.block_samples = 60;
  plan.tile_cost = 0;  // of layers that have no tiles
  CHECK(make_schedule(plan, 32, 2).tasks == 2);
  // Steps are divided where that is worth waking for: 16 samples of 8 tasks.
  plan = plan_of(kTaskCost * 2, kTaskCost * 2, 60);
  plan.row_tile = 16;
  CHECK(make_schedule(plan, 16, 8).divides_steps);
  CHECK(make_schedule(plan, 16, 8).tasks == 8);
  plan.tile_cost = plan.cost;
  plan.tile_speed = 8;
  CHECK(make_schedule(plan, 16, 8).tasks == 4);
}

}  // namespace octet::test::schedule_test
