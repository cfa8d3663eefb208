// SPDX-License-Identifier: Apache-2.0
// A random small ONNX model through the whole converter: imported, simplified (which must not
// change what it computes), quantized in the mode that the input says, written, loaded, run.
#include <octet/octet.h>

#include <cmath>

#include "tests/fuzz/memory_file.h"
#include "tests/fuzz/model_bytes.h"
#include "tests/fuzz/random_onnx.h"
#include "tools/convert/float_executor.h"
#include "tools/convert/lower_quantized.h"
#include "tools/convert/model_writer.h"
#include "tools/convert/onnx_import.h"
#include "tools/convert/quantize.h"
#include "tools/convert/simplify.h"

using namespace octet::fuzz;
namespace convert = octet::convert;
using convert::Op;

namespace {

constexpr std::size_t kBatch = 2;
constexpr std::size_t kMaxElements = 1024;  // of a value worth computing

bool is_small(const convert::Graph& graph) {
  return std::ranges::all_of(graph.values, [](const convert::Value& value) {
    return convert::sample_elements(value.shape) <= kMaxElements;
  });
}

// Outputs of one run, the ranges of all values, and the largest magnitude that it met.
struct FloatRun {
  std::vector<std::vector<float>> outputs;
  std::vector<convert::Range> ranges;
  float largest = 0;
  bool finite = true;
};

FloatRun run_float(const convert::Graph& graph, std::uint64_t seed) {
  std::vector<std::vector<float>> memory;
  std::vector<std::span<const float>> inputs;
  octet::data::SplitMix64 random(seed);
  for (const convert::ValueId input : graph.inputs) {
    const bool codes = graph.values[input].dtype != octet::engine::DType::f32;
    std::vector<float>& values =
        memory.emplace_back(kBatch * convert::sample_elements(graph.values[input].shape));
    for (float& value : values) {
      const auto code = static_cast<float>(random.next() >> 57);
      value = codes ? code : code / 32 - 2;
    }
    inputs.emplace_back(values);
  }
  FloatRun run;
  run.ranges.resize(graph.values.size());
  convert::FloatExecutor executor(graph);
  const auto outputs =
      executor.run(inputs, kBatch, [&](convert::ValueId value, std::span<const float> data) {
        convert::Range& range = run.ranges[value];
        for (const float x : data) {
          run.finite = run.finite && std::isfinite(x);
          range = {std::min(range.min, x), std::max(range.max, x)};
        }
        run.largest = std::max({run.largest, range.max, -range.min});
      });
  for (const std::span<const float> output : outputs) {
    run.outputs.emplace_back(output.begin(), output.end());
  }
  return run;
}

// Rewritten products of weights round anew, relative to what flows through the network.
void expect_close(const FloatRun& a, const FloatRun& b) {
  if (!a.finite || !b.finite) return;
  const float tolerance = 1e-3f * std::max({1e-3f, a.largest, b.largest});
  expect(a.outputs.size() == b.outputs.size(), "simplify changes the number of outputs");
  for (std::size_t i = 0; i < a.outputs.size(); ++i) {
    expect(a.outputs[i].size() == b.outputs[i].size(), "simplify changes an output's size");
    for (std::size_t j = 0; j < a.outputs[i].size(); ++j) {
      expect(std::abs(a.outputs[i][j] - b.outputs[i][j]) <= tolerance,
             "simplify changes what the network computes");
    }
  }
}

// Rounding to codes makes steps of small differences, and bounds that clip codes are rounded.
bool has_codes(const convert::Graph& graph) {
  return std::ranges::any_of(graph.nodes, [&](const convert::Node& node) {
    return node.op == Op::quantize || node.op == Op::dynamic_quantize || node.dynamic ||
           node.op == Op::dynamic_scale || node.op == Op::dynamic_zero_point ||
           (node.op == Op::clip && graph.values[node.inputs[0]].dtype != octet::engine::DType::f32);
  });
}

convert::QuantizeOptions draw_options(unsigned how) {
  convert::QuantizeOptions options;
  options.per_channel = (how & 1) != 0;
  options.symmetric = (how & 2) != 0;
  options.clip_weights = (how & 4) != 0;
  if (how / 8 % 4 == 1) options.dynamic = true;
  if (how / 8 % 4 == 2) options.weight_only = {how & 32 ? 4u : 8u, how / 64 % 4 * 3};
  return options;
}

convert::QuantizedGraph quantize(const convert::Graph& graph, const FloatRun& run, unsigned how) {
  if (convert::is_quantized(graph)) return convert::lower_quantized(graph, std::nullopt);
  return convert::quantize(graph, run.ranges, draw_options(how));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static Count inputs("inputs");
  static Count imported("imported");
  static Count converted("converted");
  static Count ran("ran");
  static const MemoryFile file;
  ++inputs;
  const Input input(data, size);
  const RandomOnnx made(input);
  const std::string bytes = made.model().SerializeAsString();
  file.write({reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()});
  try {
    convert::Graph graph = convert::import_onnx(file.path());
    ++imported;
    if (!is_small(graph)) return 0;
    const std::uint64_t seed = seed_of(input);
    const FloatRun before = run_float(graph, seed);
    convert::simplify(graph);
    const FloatRun after = run_float(graph, seed);
    if (!has_codes(graph)) expect_close(before, after);
    if (!after.finite) return 0;  // calibration refuses it
    const convert::QuantizedGraph quantized =
        quantize(graph, after, static_cast<unsigned>(seed >> 56));
    ++converted;
    const std::vector<std::byte> written = convert::write_model(quantized.graph);
    const Input model(reinterpret_cast<const std::uint8_t*>(written.data()), written.size());
    const octet_status status = load_model(model).status;
    expect(status == OCTET_OK || status == OCTET_LIMIT, "a converted model does not load");
    if (run_model(model)) ++ran;
  } catch (const octet::Error& error) {
    expect(*error.what() != '\0', "an error without a message");
  }
  return 0;
}
