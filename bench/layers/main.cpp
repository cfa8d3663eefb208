// SPDX-License-Identifier: Apache-2.0
// octet_bench_layers: one linear layer through sessions, several threads and one in turns.
#include <octet/octet.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <cstring>
#include <limits>
#include <stdexcept>
#include <vector>

#include "bench/shapes.h"
#include "engine/graph.h"
#include "tools/convert/model_writer.h"
#include "tools/measure/gemm.h"
#include "tools/measure/interleave.h"

namespace octet::bench {
namespace {

using measure::GemmData;

struct Options {
  std::vector<std::size_t> m{1, 4, 16, 64, 256, 1024};
  std::size_t threads = 2;
  int rounds = 71;
  double milliseconds = 2;
  bool std_threads = false;
  bool dynamic = false;
};

std::int64_t extent(std::size_t n) {
  return static_cast<std::int64_t>(n);
}

// The layer with ReLU, u8 to u8, or floats to floats whose rows are quantized as they come.
Model layer(const GemmData& data, bool dynamic) {
  using engine::DType;
  using engine::Tensor;
  const float one = 1;
  const std::vector<float> bias(data.bias.begin(), data.bias.end());
  const auto activation = [&](const char* name, std::size_t columns, float scale) {
    return Tensor{name,
                  dynamic ? DType::f32 : DType::u8,
                  {-1, extent(columns)},
                  dynamic ? 0 : scale,
                  0,
                  false,
                  {}};
  };
  const auto constant = [](const char* name, DType dtype, std::vector<std::int64_t> shape,
                           auto values) {
    return Tensor{name, dtype, std::move(shape), 0, 0, true, std::as_bytes(values)};
  };
  engine::Graph graph;
  graph.tensors = {activation("x", data.k, data.mult),
                   constant("w", DType::s8, {extent(data.n), extent(data.k)}, std::span(data.w)),
                   constant("scale", DType::f32, {1}, std::span(&one, 1)),
                   dynamic ? constant("bias", DType::f32, {extent(data.n)}, std::span(bias))
                           : constant("bias", DType::s32, {extent(data.n)}, std::span(data.bias)),
                   activation("y", data.n, 1)};
  engine::Node& node = graph.nodes.emplace_back();
  node.name = "layer";
  node.op = dynamic ? engine::OpType::dynamic_linear : engine::OpType::linear;
  node.inputs = {0, 1, 2, 3};
  node.output = 4;
  node.axis = dynamic ? 1 : 0;
  node.clip_min = 0;
  graph.inputs = {{0, false, {}}};
  graph.outputs = {4};
  engine::check_graph(graph, "layer", {});
  return Model::parse(convert::write_model(graph));
}

// How much faster the executor's threads are than one. X, Y: elements of the layer's input and
// output.
template <class X, class Y>
double measure_shape(const GemmData& data, const Executor& executor, const Options& options) {
  // On the same weights, rows and codes: where these lie in memory changes times by a tenth.
  const Model model = layer(data, options.dynamic);
  Session one(model);
  Session many(model, executor);
  const std::vector<X> rows(data.a.begin(), data.a.end());
  std::vector<Y> codes(data.m * data.n);
  const auto runs = [&](Session& session) {
    return [&, input = octet::input(rows), output = octet::output(codes)](std::size_t calls) {
      for (std::size_t i = 0; i < calls; ++i) {
        if (session.run({&input, 1}, {&output, 1}, data.m) != OCTET_OK)
          throw std::runtime_error("a run failed");
      }
    };
  };
  const measure::Repeat repeats[] = {runs(one), runs(many)};
  repeats[0](1);
  const std::vector<Y> expected = codes;
  std::memset(codes.data(), 0xa5, codes.size() * sizeof(Y));
  repeats[1](1);
  if (codes != expected) throw std::runtime_error("the sessions' outputs differ");
  const auto seconds = measure::interleaved_medians(
      repeats, options.rounds, options.milliseconds * 1e-3, measure::wall_seconds);
  const double ratio = seconds[0] / seconds[1];
  std::printf("%4zux%-4zu %5zu %10.2f %10.2f %8.2f\n", data.k, data.n, data.m, 1e6 * seconds[0],
              1e6 * seconds[1], ratio);
  std::fflush(stdout);
  return ratio;
}

int main_of(int argc, char** argv) {
  CLI::App app("One layer through sessions, several threads beside one; see bench/README.md",
               "octet_bench_layers");
  Options options;
  app.add_option("--m", options.m, "Rows, for example 1,16,256")
      ->delimiter(',')
      ->check(CLI::Range(std::size_t{1}, std::size_t{16384}));
  app.add_option("--threads", options.threads, "Threads beside one")
      ->check(CLI::Range(std::size_t{1}, std::size_t{1024}));
  app.add_option("--rounds", options.rounds, "Rounds, at most; of long calls at least 7")
      ->check(CLI::Range(measure::kLeastRounds, 1000));
  app.add_flag("--dynamic", options.dynamic, "Floats, quantized row by row as they come");
  app.add_flag("--std", options.std_threads, "Threads of std::thread instead of oneTBB");
  CLI11_PARSE(app, argc, argv);

  const Executor executor =
      options.std_threads ? Executor::threads(options.threads) : Executor::tbb(options.threads);
  std::printf("wall time, medians of up to %d rounds, one thread and %zu\n%9s %5s %10s %10s %8s\n",
              options.rounds, options.threads, "K x N", "m", "us, one", "us", "ratio");
  double least = std::numeric_limits<double>::infinity();
  for (const Shape shape : kShapes) {
    for (const std::size_t m : options.m) {
      const GemmData data(m, shape.n, shape.k);
      const auto measure =
          options.dynamic ? measure_shape<float, float> : measure_shape<std::uint8_t, std::uint8_t>;
      least = std::min(least, measure(data, executor, options));
    }
  }
  std::printf("the least ratio is %.2f\n", least);
  return 0;
}

}  // namespace
}  // namespace octet::bench

int main(int argc, char** argv) {
  try {
    return octet::bench::main_of(argc, argv);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "octet_bench_layers: %s\n", error.what());
    return 1;
  }
}
