// SPDX-License-Identifier: Apache-2.0
// Runs a quantized ONNX model as a user would: imported, simplified, lowered, on the best table.
#pragma once

#include <cstring>
#include <string>
#include <vector>

#include "kernels/dispatch.h"
#include "tests/engine/run_graph.h"
#include "tests/tools/onnx_builder.h"
#include "tools/convert/lower_quantized.h"
#include "tools/convert/simplify.h"

namespace octet::test {

struct LoweredOnnx {
  convert::Graph graph;  // simplified
  convert::QuantizedGraph lowered;

  bool notes(const std::string& text) const {
    const auto contains = [&](const std::string& note) {
      return note.find(text) != std::string::npos;
    };
    return std::ranges::any_of(graph.notes, contains) ||
           std::ranges::any_of(lowered.notes, contains);
  }
  std::vector<engine::OpType> ops() const {
    std::vector<engine::OpType> result;
    for (const engine::Node& node : lowered.graph.nodes) result.push_back(node.op);
    return result;
  }
};

inline LoweredOnnx lower_onnx(const OnnxBuilder& builder) {
  LoweredOnnx result{builder.import(), {}};
  convert::simplify(result.graph);
  REQUIRE(convert::is_quantized(result.graph));
  result.lowered = convert::lower_quantized(result.graph, std::nullopt);
  return result;
}

// All outputs of samples whose bytes are given for each input.
inline std::vector<Bytes> run_lowered(const engine::Graph& graph, const std::vector<Bytes>& inputs,
                                      std::size_t batch) {
  return run(make_model(graph, kernels::best_table(kernels::detect_cpu())), inputs, batch);
}

template <class T>
Bytes bytes_of(const std::vector<T>& values) {
  Bytes bytes(values.size() * sizeof(T));
  std::memcpy(bytes.data(), values.data(), bytes.size());
  return bytes;
}

template <class T>
std::vector<T> values_of(const Bytes& bytes) {
  std::vector<T> values(bytes.size() / sizeof(T));
  std::memcpy(values.data(), bytes.data(), bytes.size());
  return values;
}

}  // namespace octet::test
