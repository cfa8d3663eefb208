// SPDX-License-Identifier: Apache-2.0
// Sessions: sizes that do not fit, arenas of the caller, models shared between threads, limits.
#include "engine/session.h"

#include <doctest/doctest.h>

#include <thread>

#include "engine/inspect.h"
#include "engine/schedule.h"
#include "tests/engine/networks.h"
#include "tests/engine/run_graph.h"
#include "tests/engine/test_error.h"

namespace octet::test::session_test {

using namespace engine;
using engine::Model;

namespace {

// Every byte of a run with `change` applied to its arguments must stay.
template <class Change>
octet_status run_changed(Change change) {
  const GraphBuilder b = every_op_graph();
  const auto model = make_model(b.graph, *tables_here().front());
  octet_session session(model, {});
  const std::size_t batch = 3;
  std::vector<Bytes> in;
  std::vector<Bytes> out;
  for (const auto& info : model->inputs) in.emplace_back(batch * info.sample_bytes, std::byte{1});
  for (const auto& info : model->outputs) out.emplace_back(batch * info.sample_bytes, std::byte{2});
  std::vector<octet_input> inputs;
  std::vector<octet_output> outputs;
  for (const Bytes& bytes : in) inputs.push_back({bytes.data(), bytes.size()});
  for (Bytes& bytes : out) outputs.push_back({bytes.data(), bytes.size()});
  std::size_t given_batch = batch;
  change(inputs, outputs, given_batch);
  const octet_status status = session.run(inputs, outputs, given_batch);
  if (status != OCTET_OK || given_batch == 0) {
    for (const Bytes& bytes : out) {
      for (const std::byte byte : bytes) REQUIRE(byte == std::byte{2});
    }
  }
  return status;
}

using Inputs = std::vector<octet_input>;
using Outputs = std::vector<octet_output>;

}  // namespace

TEST_CASE("session: wrong counts and sizes are refused and touch nothing") {
  CHECK(run_changed([](Inputs&, Outputs&, std::size_t&) {}) == OCTET_OK);
  const auto refused = [](auto change) { CHECK(run_changed(change) == OCTET_ARGUMENT); };
  refused([](Inputs& in, Outputs&, std::size_t&) { in.pop_back(); });
  refused([](Inputs& in, Outputs&, std::size_t&) { in.push_back(in[0]); });
  refused([](Inputs&, Outputs& out, std::size_t&) { out.pop_back(); });
  refused([](Inputs& in, Outputs&, std::size_t&) { --in[1].bytes; });
  refused([](Inputs& in, Outputs&, std::size_t&) { ++in[0].bytes; });
  refused([](Inputs&, Outputs& out, std::size_t&) { out[3].bytes += 4; });
  refused([](Inputs&, Outputs& out, std::size_t&) { out[2].bytes = 0; });
  refused([](Inputs& in, Outputs&, std::size_t&) { in[0].data = nullptr; });
  refused([](Inputs&, Outputs& out, std::size_t&) { out[0].data = nullptr; });
  refused([](Inputs&, Outputs&, std::size_t& batch) { batch = 2; });
  refused([](Inputs&, Outputs&, std::size_t& batch) { batch = 0; });
  // 2^62 samples of 8 bytes are 0 bytes modulo 2^64.
  refused([](Inputs& in, Outputs& out, std::size_t& batch) {
    batch = std::size_t{1} << 62;
    for (auto& buffer : in) buffer.bytes = 0;
    for (auto& buffer : out) buffer.bytes = 0;
  });
}

TEST_CASE("session: a batch of 0 is nothing to do") {
  CHECK(run_changed([](Inputs& in, Outputs& out, std::size_t& batch) {
          batch = 0;
          for (auto& buffer : in) buffer = {nullptr, 0};
          for (auto& buffer : out) buffer = {nullptr, 0};
        }) == OCTET_OK);
}

TEST_CASE("session: runs in an arena of the caller and not beside it") {
  const GraphBuilder b = every_op_graph();
  for (const auto* table : tables_here()) {
    const auto model = make_model(b.graph, *table);
    const std::size_t bytes = model->arena_bytes(1);
    AlignedBuffer memory(bytes + kAlignment);
    std::fill_n(memory.data(), bytes + kAlignment, std::byte{0xff});
    octet_session session(model, {nullptr, memory.data(), bytes});
    const std::size_t batch = model->plan.block_samples + 1;
    const auto inputs = random_inputs(b.graph, batch);
    CHECK(run(session, *model, inputs, batch) == evaluate(b.graph, inputs, batch));
    for (std::size_t i = 0; i < kAlignment; ++i) {
      REQUIRE(memory.data()[bytes + i] == std::byte{0xff});
    }
  }
}

TEST_CASE("session: arenas and executors that cannot be used") {
  const auto model = make_model(every_op_graph().graph, *tables_here().front());
  const std::size_t bytes = model->arena_bytes(1);
  AlignedBuffer memory(bytes + kAlignment);
  CHECK(error_of([&] {
          octet_session(model, {nullptr, memory.data(), bytes - 1});
        }) == "argument: the arena has " + std::to_string(bytes - 1) + " bytes, 1 tasks need " +
                  std::to_string(bytes));
  CHECK(error_of([&] {
          octet_session(model, {nullptr, memory.data() + 32, bytes});
        }) == "argument: the arena is not aligned to 64 bytes");
  const octet_executor empty{};
  CHECK(error_of([&] {
          octet_session(model, {&empty, nullptr, 0});
        }) == "argument: the executor has a null function");
}

TEST_CASE("session: the arena does not grow with the batch, and grows with the tasks") {
  const auto model = make_model(mlp({784, 100, 100, 10}).graph, *tables_here().front());
  CHECK(model->arena_bytes(0) == model->arena_bytes(1));
  CHECK(model->arena_bytes(7) == 7 * model->arena_bytes(1));
  CHECK(model->arena_bytes(std::size_t{1} << 60) == ~std::size_t{0});
  CHECK(model->arena_bytes(1) < 512 * 1024);
}

TEST_CASE("session: weights that a second-level cache does not hold cost each block") {
  const octet::kernels::Table& table = *tables_here().front();
  const auto near = make_model(mlp({1024, 1024, 512}).graph, table);
  CHECK(near->plan.block_cost == 0);
  const auto far = make_model(mlp({1024, 1024, 1024}).graph, table);
  CHECK(far->plan.block_cost > std::uint64_t{4} * 2 * 1024 * 1024);
  CHECK(far->plan.block_cost < std::uint64_t{4} * 3 * 1024 * 1024);  // of one form of the weights
  CHECK(far->plan.tile_speed == table.tile_speed);
  CHECK(far->plan.tile_cost == (table.tile_speed > 1 ? std::uint64_t{2} * 1024 * 1024 : 0));
  std::uint64_t sum = 0;
  for (const auto& step : far->plan.steps) sum += step.block_cost;
  CHECK(sum == far->plan.block_cost);
  // One sample is too little to divide, with its weights it is not.
  CHECK(make_schedule(near->plan, 1, 2).tasks == 1);
  const GraphBuilder wide = mlp({768, 3072});
  const auto model = make_model(wide.graph, table);
  CHECK(make_schedule(model->plan, 1, 2).divides_steps);
  // The session hands the layer to both tasks.
  std::size_t handed = 0;
  const octet_executor both{&handed, [](void*) { return std::size_t{2}; },
                            [](void* self, std::size_t tasks, octet_task fn, void* context) {
                              *static_cast<std::size_t*>(self) += tasks;
                              for (std::size_t i = 0; i < tasks; ++i) fn(context, i);
                            }};
  octet_session session(model, {&both, nullptr, 0});
  const auto inputs = random_inputs(wide.graph, 1);
  CHECK(run(session, *model, inputs, 1) == evaluate(wide.graph, inputs, 1));
  CHECK(handed == 2);
}

TEST_CASE("session: a limit on the arena makes blocks smaller, down to one sample") {
  const GraphBuilder b = mlp({200, 30, 5});
  const octet::kernels::Table& table = *tables_here().front();
  const auto inputs = random_inputs(b.graph, 40);
  const auto expected = evaluate(b.graph, inputs, 40);
  Limits limits;
  limits.arena_bytes = 16384;
  const auto model = create_model(b.graph, "test", table, limits);
  CHECK(model->plan.task_bytes <= 16384);
  CHECK(model->plan.block_samples < make_model(b.graph, table)->plan.block_samples);
  CHECK(run(model, inputs, 40) == expected);
  CHECK(run(model, inputs, 40, 1) == expected);

  limits.arena_bytes = 1000;
  const std::string error = error_of([&] { create_model(b.graph, "net", table, limits); });
  CHECK(error.starts_with("limit: net: one sample needs "));
  CHECK(error.ends_with(" bytes of arena, the limit arena_bytes is 1000; raise it"));
}

TEST_CASE("session: weights from far make blocks larger, near ones leave them in the cache") {
  const octet::kernels::Table& table = *tables_here().front();
  const auto samples = [&](std::int64_t n) {
    return make_model(mlp({1000, n}).graph, table)->plan.block_samples;
  };
  const std::size_t near = samples(2000);
  const std::size_t far = samples(2200);
  CHECK(near * 3000 <= 256 << 10);
  CHECK(far > 3 * near);
  CHECK(far * 3200 <= 1000 * 2200 / 2 + (32 << 10));  // half of the weights, and of their scales
  CHECK(samples(8000) * 9000 <= 2 << 20);
}

TEST_CASE("session: threads share a model, each with its own session; the model's handle may go") {
  const GraphBuilder b = every_op_graph();
  auto model = make_model(b.graph, *tables_here().front());
  const std::size_t batch = 70;
  const auto inputs = random_inputs(b.graph, batch);
  const auto expected = evaluate(b.graph, inputs, batch);
  std::vector<std::unique_ptr<octet_session>> sessions;
  for (int i = 0; i < 3; ++i) {
    sessions.push_back(std::make_unique<octet_session>(model, octet_session_options{}));
  }
  const Model& shared = *model;
  model.reset();
  std::vector<std::vector<Bytes>> results(sessions.size());
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < sessions.size(); ++i) {
    threads.emplace_back([&, i] {
      for (int repeat = 0; repeat < 3; ++repeat) {
        results[i] = octet::test::run(*sessions[i], shared, inputs, batch, i);
      }
    });
  }
  for (auto& thread : threads) thread.join();
  for (const auto& result : results) CHECK(result == expected);
}

TEST_CASE("inspect: one entry per node") {
  const GraphBuilder b = mlp({784, 100, 10});
  for (const auto* table : tables_here()) {
    const octet_model handle{make_model(b.graph, *table)};
    const ModelInfo info = inspect(&handle);
    REQUIRE(info.steps.size() == 3);
    CHECK(info.steps[0].kernel == std::string("quantize ") + table->name);
    CHECK(info.steps[1].kernel.starts_with(std::string("gemm_q8 ") + table->name));
    CHECK(info.steps[2].kernel.starts_with(std::string("gemm_f32 ") + table->name));
    CHECK(info.steps[1].multiply_adds == 78400);
    CHECK(info.steps[1].parameter_bytes >= 78400 + 100 * 8);
    CHECK(info.steps[2].node == 2);
    CHECK(info.block_rows >= 1);
    CHECK(info.arena_bytes == handle.model->arena_bytes(1));
  }
}

}  // namespace octet::test::session_test
