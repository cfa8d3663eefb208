// SPDX-License-Identifier: Apache-2.0
// A float graph taken through the whole converter for the tests of the quantizer, with its data,
// and the runtime held against a naive evaluation.
#pragma once

#include <doctest/doctest.h>
#include <octet/octet.h>

#include <algorithm>
#include <cstring>
#include <span>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "tests/tools/float_graph.h"
#include "tests/tools/naive_graph.h"
#include "tools/convert/metrics.h"
#include "tools/convert/model_writer.h"
#include "tools/convert/quantize.h"
#include "tools/convert/simplify.h"

namespace octet::test {

using convert::QuantizedGraph;
using convert::QuantizeOptions;
using engine::DType;
using engine::Normalization;

using Reals = std::vector<float>;
using Texts = std::vector<std::string>;

inline constexpr std::size_t kSamples = 64;

// A float graph with data for its inputs, simplified, calibrated on the data and quantized. With
// pixels the data are pixels / 255, normalized.
struct Network {
  convert::Graph graph;
  std::vector<Reals> data;
  std::vector<NaiveTensor> fed;  // the data as the quantized graph takes them
  QuantizedGraph quantized;

  explicit Network(const FloatGraph& source, const QuantizeOptions& options = {})
      : graph(source.graph) {
    convert::simplify(graph);
    Random random(99);
    for (const ValueId input : graph.inputs) {
      const std::size_t size = kSamples * sample_elements(graph.values[input].shape);
      NaiveTensor tensor;
      Reals reals = random.uniform(size, -1, 1);
      if (options.pixels) {
        for (float& x : reals) {
          tensor.codes.push_back(static_cast<std::int32_t>((x + 1) * 127.5f));
          x = static_cast<float>((tensor.codes.back() / 255.0 - double{options.pixels->mean}) /
                                 double{options.pixels->std});
        }
      } else {
        tensor.reals = reals;
      }
      data.push_back(std::move(reals));
      fed.push_back(std::move(tensor));
    }
    MemorySource samples(graph, data, kSamples, 10);
    quantized = convert::quantize(graph, convert::calibrate(graph, samples, {}), options);
  }

  std::vector<NaiveTensor> naive() const { return NaiveGraph(quantized.graph).run(fed, kSamples); }

  // Of one output against the float graph's.
  double sqnr_db(std::size_t output = 0) const {
    convert::Evaluation evaluation;
    evaluation.add(0, naive()[output].reals, run_float(graph, data, kSamples)[output]);
    return evaluation.sqnr_db();
  }

  // "linear -> u8"
  Texts ops() const {
    Texts result;
    for (const engine::Node& node : quantized.graph.nodes) {
      result.push_back(std::string(op_name(node.op)) + " -> " +
                       std::string(dtype_name(quantized.graph.tensors[node.output].dtype)));
    }
    return result;
  }

  const engine::Tensor& tensor(const std::string& name) const {
    for (const engine::Tensor& t : quantized.graph.tensors) {
      if (t.name == name) return t;
    }
    throw std::logic_error("no tensor " + name);
  }
};

// The runtime on every batch split gives what the naive evaluation gives.
inline void check_runtime(const Network& network) {
  const engine::Graph& graph = network.quantized.graph;
  const Model model = Model::parse(convert::write_model(graph), "net.octet");
  Session session(model);
  const auto expected = network.naive();
  for (const std::size_t step : {kSamples, std::size_t{1}, std::size_t{13}}) {
    std::vector<Reals> got(graph.outputs.size());
    for (std::size_t begin = 0; begin < kSamples; begin += step) {
      const std::size_t n = std::min(step, kSamples - begin);
      std::vector<std::vector<std::uint8_t>> bytes;
      for (std::size_t i = 0; i < graph.inputs.size(); ++i) {
        const std::size_t size = sample_elements(graph.tensors[graph.inputs[i].tensor]);
        std::vector<std::uint8_t>& out = bytes.emplace_back();
        if (graph.inputs[i].has_normalization) {
          const auto& codes = network.fed[i].codes;
          for (std::size_t j = begin * size; j < (begin + n) * size; ++j) {
            out.push_back(static_cast<std::uint8_t>(codes[j]));
          }
        } else {
          out.resize(n * size * sizeof(float));
          std::memcpy(out.data(), network.fed[i].reals.data() + begin * size, out.size());
        }
      }
      std::vector<Reals> parts;
      std::vector<Input> inputs;
      std::vector<Output> outputs;
      for (const auto& in : bytes) inputs.push_back(octet::input(in));
      for (const std::uint32_t out : graph.outputs) {
        parts.emplace_back(n * sample_elements(graph.tensors[out]));
      }
      for (Reals& part : parts) outputs.push_back(octet::output(part));
      REQUIRE(session.run(inputs, outputs, n) == OCTET_OK);
      for (std::size_t i = 0; i < parts.size(); ++i) {
        got[i].insert(got[i].end(), parts[i].begin(), parts[i].end());
      }
    }
    for (std::size_t i = 0; i < got.size(); ++i) CHECK(got[i] == expected[i].reals);
  }
}

inline QuantizeOptions with_pixels(float mean, float std) {
  QuantizeOptions options;
  options.pixels = Normalization{mean, std};
  return options;
}

}  // namespace octet::test
