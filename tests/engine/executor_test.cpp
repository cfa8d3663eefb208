// SPDX-License-Identifier: Apache-2.0
// Executors run each task once, also nested and from several threads; results do not depend on
// them.
#include "engine/executor.h"

#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <thread>

#include "tests/engine/executors.h"
#include "tests/engine/networks.h"
#include "tests/engine/run_graph.h"

namespace octet::test::executor_test {

using namespace engine;
using engine::Executor;

namespace {

template <class Function>
void run_on(Executor& executor, std::size_t tasks, Function f) {
  executor.run(
      tasks, [](void* context, std::size_t task) { (*static_cast<Function*>(context))(task); }, &f);
}

void check_each_once(Executor& executor, std::size_t tasks) {
  std::vector<std::atomic<int>> calls(tasks);
  run_on(executor, tasks, [&](std::size_t task) { ++calls[task]; });
  for (const auto& count : calls) CHECK(count == 1);
}

}  // namespace

TEST_CASE("executors run each task once") {
  for (const MakeExecutor make : executor_makers()) {
    for (std::size_t threads = 1; threads <= 5; ++threads) {
      const auto executor = make(threads);
      CHECK(executor->concurrency() == threads);
      for (int repeat = 0; repeat < 20; ++repeat) {
        for (std::size_t tasks = 0; tasks <= threads; ++tasks) check_each_once(*executor, tasks);
      }
    }
  }
}

TEST_CASE("executors run tasks at the same time, whether their threads slept or not") {
  for (const MakeExecutor make : executor_makers()) {
    const auto executor = make(3);
    for (int repeat = 0; repeat < 40; ++repeat) {
      // Longer than threads stay awake, every other time.
      if (repeat % 2 == 0) std::this_thread::sleep_for(std::chrono::milliseconds(1));
      std::atomic<int> arrived{0};
      run_on(*executor, 3, [&](std::size_t) {
        ++arrived;
        while (arrived < 3) std::this_thread::yield();
      });
      CHECK(arrived == 3);
    }
  }
}

TEST_CASE("a caller's thread takes the first task, so that parts stay with their core") {
  const auto executor = make_thread_executor(3);
  const auto caller = std::this_thread::get_id();
  int callers = 0;
  for (int repeat = 0; repeat < 100; ++repeat) {
    run_on(*executor, 3, [&](std::size_t task) {
      if (task == 0) callers += std::this_thread::get_id() == caller;
    });
  }
  CHECK(callers == 100);
}

TEST_CASE("a run ends with its last task, however long that takes") {
  for (const MakeExecutor make : executor_makers()) {
    const auto executor = make(2);
    for (int repeat = 0; repeat < 5; ++repeat) {
      std::atomic<int> arrived{0};
      std::atomic<int> ended{0};
      const auto caller = std::this_thread::get_id();
      run_on(*executor, 2, [&](std::size_t) {
        ++arrived;
        while (arrived < 2) std::this_thread::yield();
        if (std::this_thread::get_id() != caller) {
          std::this_thread::sleep_for(std::chrono::milliseconds(2));
        }
        ++ended;
      });
      CHECK(ended == 2);
    }
  }
}

TEST_CASE("executors may be used within their tasks and by several threads") {
  for (const MakeExecutor make : executor_makers()) {
    const auto executor = make(3);
    std::atomic<int> inner{0};
    run_on(*executor, 3, [&](std::size_t) { run_on(*executor, 3, [&](std::size_t) { ++inner; }); });
    CHECK(inner == 9);

    std::atomic<int> calls{0};
    std::vector<std::thread> threads;
    for (int i = 0; i < 3; ++i) {
      threads.emplace_back([&] {
        for (int repeat = 0; repeat < 100; ++repeat) {
          run_on(*executor, 3, [&](std::size_t) { ++calls; });
        }
      });
    }
    for (auto& thread : threads) thread.join();
    CHECK(calls == 900);
  }
}

TEST_CASE("the bytes of a run do not depend on executor, threads, batch or split") {
  struct Case {
    GraphBuilder network;
    std::size_t batch;
    bool divides_steps;
  };
  std::vector<Case> cases;
  cases.push_back({mlp({100, 70, 50, 10}), 50, false});  // blocks
  cases.push_back({mlp({150, 300, 170, 7}), 1, true});   // columns
  cases.push_back({mlp({30, 40, 20}, 64), 1, true});     // rows of a sample
  for (const Case& c : cases) {
    const auto inputs = random_inputs(c.network.graph, c.batch);
    const auto expected = evaluate(c.network.graph, inputs, c.batch);
    for (const auto* table : tables_here()) {
      CAPTURE(std::string(table->name));
      const auto model = make_eager(make_model(c.network.graph, *table));
      const Schedule schedule = make_schedule(model->plan, c.batch, 3);
      CHECK(schedule.tasks > 1);
      CHECK(schedule.divides_steps == c.divides_steps);
      for (const MakeExecutor make : executor_makers()) {
        for (std::size_t threads = 1; threads <= 5; ++threads) {
          const auto executor = make(threads);
          const octet_executor functions = handle(*executor);
          octet_session session(model, {&functions, nullptr, 0});
          CHECK(run(session, *model, inputs, c.batch) == expected);
          CHECK(run(session, *model, inputs, c.batch, 3) == expected);
        }
      }
    }
  }
}

TEST_CASE("an executor of the caller's may run tasks in any order; one does what none has begun") {
  const octet_executor backwards = {nullptr, [](void*) { return std::size_t{4}; },
                                    [](void*, std::size_t tasks, octet_task fn, void* context) {
                                      while (tasks-- > 0) fn(context, tasks);
                                    }};
  // Not allowed, but tells whether tasks wait for each other.
  const octet_executor second_only = {
      nullptr, [](void*) { return std::size_t{4}; },
      [](void*, std::size_t, octet_task fn, void* context) { fn(context, 1); }};
  struct Case {
    GraphBuilder network;
    std::size_t batch;
    bool divides_steps;
  };
  for (const Case& c :
       {Case{mlp({100, 70, 50, 10}), 50, false}, Case{mlp({150, 1200, 570, 7}), 1, true}}) {
    const auto model = make_eager(make_model(c.network.graph, *tables_here().front()));
    CHECK(make_schedule(model->plan, c.batch, 4).divides_steps == c.divides_steps);
    const auto inputs = random_inputs(c.network.graph, c.batch);
    const auto expected = evaluate(c.network.graph, inputs, c.batch);
    const std::size_t bytes = model->arena_bytes(4);
    const AlignedBuffer arena(bytes);
    for (const octet_executor* executor : {&backwards, &second_only}) {
      octet_session session(model, {executor, arena.data(), bytes});
      for (int repeat = 0; repeat < 3; ++repeat) {
        std::fill_n(arena.data(), bytes, std::byte{0xa5});
        CHECK(run(session, *model, inputs, c.batch) == expected);
      }
    }
  }
}

TEST_CASE("sessions of several threads share one executor") {
  const GraphBuilder b = mlp({100, 70, 50, 10});
  const auto model = make_eager(make_model(b.graph, *tables_here().front()));
  const auto inputs = random_inputs(b.graph, 50);
  const auto expected = evaluate(b.graph, inputs, 50);
  for (const MakeExecutor make : executor_makers()) {
    const auto executor = make(3);
    const octet_executor functions = handle(*executor);
    std::vector<std::vector<Bytes>> results(3);
    std::vector<std::thread> threads;
    for (auto& result : results) {
      threads.emplace_back([&] {
        octet_session session(model, {&functions, nullptr, 0});
        for (int repeat = 0; repeat < 5; ++repeat) {
          result = run(session, *model, inputs, 50);
        }
      });
    }
    for (auto& thread : threads) thread.join();
    for (const auto& result : results) CHECK(result == expected);
  }
}

}  // namespace octet::test::executor_test
