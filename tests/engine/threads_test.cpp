// SPDX-License-Identifier: Apache-2.0
// Many threads: every count of them gives one result, run after run; models are loaded and freed
// while others run; a process that forks goes on.
#include <doctest/doctest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <thread>

#include "tests/engine/executors.h"
#include "tests/engine/model_bytes.h"
#include "tests/engine/networks.h"
#include "tests/engine/run_graph.h"

namespace octet::test::threads_test {

using engine::Schedule;

namespace {

// All outputs of a run, whose right answer is known.
struct Work {
  GraphBuilder network;
  std::size_t batch;
  std::vector<Bytes> inputs;
  std::vector<Bytes> expected;

  Work(GraphBuilder b, std::size_t samples)
      : network(std::move(b)),
        batch(samples),
        inputs(random_inputs(network.graph, batch)),
        expected(evaluate(network.graph, inputs, batch)) {}

  // Without doctest, which is no help in other threads and processes.
  bool is_right(octet_session& session) const {
    std::vector<Bytes> outputs;
    std::vector<octet_input> in;
    std::vector<octet_output> out;
    for (const Bytes& bytes : inputs) in.push_back({bytes.data(), bytes.size()});
    for (const Bytes& bytes : expected) outputs.emplace_back(bytes.size(), std::byte{0xa5});
    for (Bytes& bytes : outputs) out.push_back({bytes.data(), bytes.size()});
    return session.run(in, out, batch) == OCTET_OK && outputs == expected;
  }
};

// The child's exit status is what wrong() returns there.
template <class Wrong>
void check_child(Wrong wrong) {
  const pid_t child = ::fork();
  if (child == 0) ::_exit(wrong());
  int status = -1;
  REQUIRE(::waitpid(child, &status, 0) == child);
  REQUIRE(WIFEXITED(status));
  CHECK(WEXITSTATUS(status) == 0);
}

}  // namespace

TEST_CASE("a hundred runs on each number of threads give one result") {
  const Work works[] = {{mlp({100, 70, 50, 10}), 50},   // divided by blocks
                        {mlp({150, 300, 170, 7}), 1}};  // by columns
  for (const Work& work : works) {
    const auto model = make_eager(make_model(work.network.graph, *tables_here().front()));
    for (const MakeExecutor make : executor_makers()) {
      for (const std::size_t threads : {1u, 2u, 3u, 5u, 8u, 16u}) {
        CAPTURE(threads);
        const auto executor = make(threads);
        const octet_executor functions = handle(*executor);
        octet_session session(model, {&functions, nullptr, 0});
        CHECK((threads == 1) == (make_schedule(model->plan, work.batch, threads).tasks == 1));
        int right = 0;
        for (int i = 0; i < 100; ++i) right += work.is_right(session);
        CHECK(right == 100);
      }
    }
  }
}

TEST_CASE("models are loaded, run and freed while other threads run theirs") {
  const Work golden(every_op_graph(), 5);
  const ModelBytes file;
  octet_model* shared = nullptr;
  REQUIRE(octet_model_load(kGolden.c_str(), nullptr, &shared, nullptr) == OCTET_OK);
  std::vector<std::unique_ptr<octet_session>> sessions;
  for (int i = 0; i < 3; ++i) {
    sessions.push_back(std::make_unique<octet_session>(shared->model, octet_session_options{}));
  }
  std::atomic<int> loaders{3};
  std::atomic<int> wrong{0};
  std::atomic<int> runs{0};
  std::vector<std::thread> threads;
  for (auto& session : sessions) {
    threads.emplace_back([&] {
      do {
        wrong += !golden.is_right(*session);
        ++runs;
      } while (loaders > 0);
    });
  }
  for (int i = 0; i < 3; ++i) {
    threads.emplace_back([&, i] {
      for (int repeat = 0; repeat < 30; ++repeat) {
        octet_model* model = nullptr;
        octet_session* session = nullptr;
        octet_load_options options{};
        options.copy = i;
        const octet_status loaded =
            i == 2 ? octet_model_parse(file.bytes.data(), file.bytes.size(), "golden", nullptr,
                                       &model, nullptr)
                   : octet_model_load(kGolden.c_str(), &options, &model, nullptr);
        if (loaded != OCTET_OK ||
            octet_session_create(model, nullptr, &session, nullptr) != OCTET_OK) {
          ++wrong;
          break;
        }
        octet_model_free(model);
        wrong += !golden.is_right(*session);
        octet_session_free(session);
      }
      --loaders;
    });
  }
  octet_model_free(shared);  // while its sessions run
  for (auto& thread : threads) thread.join();
  CHECK(wrong == 0);
  CHECK(runs >= 3);
}

TEST_CASE("after a fork, parent and child go on with a session, and the child may have threads") {
  const Work work(mlp({100, 70, 50, 10}), 50);
  const auto model = make_eager(make_model(work.network.graph, *tables_here().front()));
  octet_session session(model, {});
  REQUIRE(work.is_right(session));
  check_child([&] {
    const auto executor = engine::make_thread_executor(3);
    const octet_executor functions = handle(*executor);
    octet_session parallel(model, {&functions, nullptr, 0});
    return !work.is_right(session) + 2 * !work.is_right(parallel);
  });
  CHECK(work.is_right(session));
}

TEST_CASE("after a fork, the child runs without the pool's threads, and frees it") {
  const Work work(mlp({100, 70, 50, 10}), 50);
  const auto model = make_eager(make_model(work.network.graph, *tables_here().front()));
  auto executor = engine::make_thread_executor(8);
  const octet_executor functions = handle(*executor);
  octet_session session(model, {&functions, nullptr, 0});
  REQUIRE(work.is_right(session));
  check_child([&] {
    const bool right = work.is_right(session);
    executor.reset();
    return !right;
  });
  CHECK(work.is_right(session));
}

}  // namespace octet::test::threads_test
