// SPDX-License-Identifier: Apache-2.0
// Graphs of random ops, shapes and outputs: every table, number of threads, split and alignment
// gives the bytes of evaluate(). What no test of a single op meets: lifetimes, views, ops in place
// and outputs that alias, all at once.
#include <doctest/doctest.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <random>
#include <string_view>
#include <utility>

#include "tests/engine/random_graph.h"
#include "tests/engine/run_graph.h"

namespace octet::test::random_graphs_test {

using namespace engine;
using engine::Model;

namespace {

// Floats that arithmetic treats apart, among the others.
void add_special_floats(const Graph& graph, std::vector<Bytes>& inputs, std::uint32_t seed) {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  constexpr float kSpecial[] = {0.0f,      -0.0f,      1e-42f,
                                -1e-42f,   3e38f,      -3e38f,
                                kInfinity, -kInfinity, std::numeric_limits<float>::quiet_NaN()};
  std::mt19937 random(seed);
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    if (is_q8(graph.tensors[graph.inputs[i].tensor].dtype)) continue;
    for (std::size_t at = 0; at < inputs[i].size(); at += sizeof(float)) {
      if (random() % 16 != 0) continue;
      std::memcpy(inputs[i].data() + at, &kSpecial[random() % std::size(kSpecial)], sizeof(float));
    }
  }
}

std::vector<Bytes> samples(const std::vector<Bytes>& buffers, std::size_t batch, std::size_t first,
                           std::size_t count) {
  std::vector<Bytes> result;
  for (const Bytes& buffer : buffers) {
    const std::size_t bytes = buffer.size() / batch;
    const auto begin = buffer.begin() + static_cast<std::ptrdiff_t>(first * bytes);
    result.emplace_back(begin, begin + static_cast<std::ptrdiff_t>(count * bytes));
  }
  return result;
}

void check_graph_of(std::uint32_t seed) {
  CAPTURE(seed);
  const RandomGraph made(seed);
  const Graph& graph = made.graph();
  std::mt19937 random(seed);
  const std::size_t batch = 1 + random() % 40;
  std::vector<Bytes> inputs = random_inputs(graph, batch, seed);
  if (seed % 2 != 0) add_special_floats(graph, inputs, seed);
  const std::vector<Bytes> expected = evaluate(graph, inputs, batch);
  for (const octet::kernels::Table* table : tables_here()) {
    CAPTURE(std::string(table->name));
    const auto model = make_eager(make_model(graph, *table));
    std::const_pointer_cast<Model>(model)->plan.task_cost = 100;
    for (std::size_t threads = 1; threads <= 3; ++threads) {
      CAPTURE(threads);
      const auto executor = make_thread_executor(threads);
      const octet_executor functions = handle(*executor);
      octet_session session(model, {&functions, nullptr, 0});
      for (std::size_t first = 0, count; first < batch; first += count) {
        count = 1 + random() % (batch - first);
        CAPTURE(first);
        CAPTURE(count);
        const auto outputs =
            run(session, *model, samples(inputs, batch, first, count), count, random() % 5);
        REQUIRE(outputs == samples(expected, batch, first, count));
      }
    }
  }
}

}  // namespace

// OCTET_TEST_SMALL=graphs: a sixth of them, where another run of the tests takes all.
TEST_CASE("random graphs give the same bytes however they are run") {
  const char* small = std::getenv("OCTET_TEST_SMALL");
  const bool few =
      small != nullptr && std::string_view(small).find("graphs") != std::string_view::npos;
  for (std::uint32_t seed = 1; seed <= (few ? 25U : 150U); ++seed) check_graph_of(seed);
}

}  // namespace octet::test::random_graphs_test
