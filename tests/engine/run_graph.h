// SPDX-License-Identifier: Apache-2.0
// Running hand-made graphs in tests: random inputs, sessions on every kernel table, comparison of
// all output bytes with evaluate().
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "engine/executor.h"
#include "engine/model.h"
#include "engine/session.h"
#include "tests/engine/evaluate.h"
#include "tests/engine/graph_builder.h"
#include "tests/kernels/tables_here.h"

namespace octet::test {

using kernels::tables_here;

// Checks the graph, then plans it.
std::shared_ptr<const engine::Model> make_model(const engine::Graph& graph,
                                                const kernels::Table& table);

// Wakes tasks for a thousandth of the usual work, so that small networks are shared.
std::shared_ptr<const engine::Model> make_eager(std::shared_ptr<const engine::Model> model);

// Dense samples for each input: all kinds of codes; floats of a few magnitudes, never NaN.
std::vector<Bytes> random_inputs(const engine::Graph& graph, std::size_t batch,
                                 std::uint32_t seed = 1);

// The first samples of inputs or outputs that hold `batch` of them.
std::vector<Bytes> first_samples(const std::vector<Bytes>& buffers, std::size_t batch,
                                 std::size_t samples);

// An Executor as sessions see it; must outlive them.
octet_executor handle(engine::Executor& executor);

// One run with the buffers `misalignment` bytes off their alignment. Outputs are filled with a
// pattern first and the bytes around them are checked afterwards.
std::vector<Bytes> run(octet_session& session, const engine::Model& model,
                       const std::vector<Bytes>& inputs, std::size_t batch,
                       std::size_t misalignment = 0);
// The same, in a session of its own on the calling thread.
std::vector<Bytes> run(const std::shared_ptr<const engine::Model>& model,
                       const std::vector<Bytes>& inputs, std::size_t batch,
                       std::size_t misalignment = 0);

// Runs the graph on every table with batches around its block, aligned and not, and compares with
// evaluate(). inputs may hold special values for the first samples.
void check_runs(const engine::Graph& graph, std::vector<Bytes> inputs = {});

}  // namespace octet::test
