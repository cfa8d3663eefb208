// SPDX-License-Identifier: Apache-2.0
// One face for the two kinds of network that the command runs: an .octet model by a Session, an
// ONNX graph in float32 by the converter's executor.
#pragma once

#include <octet/octet.h>

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "tools/command/feed.h"
#include "tools/convert/graph.h"
#include "tools/convert/metrics.h"
#include "tools/data/dataset.h"

namespace octet::command {

class Network {
 public:
  virtual ~Network() = default;
  const std::string& path() const noexcept { return path_; }
  const std::vector<TensorInfo>& inputs() const noexcept { return inputs_; }
  const std::vector<TensorInfo>& outputs() const noexcept { return outputs_; }
  // "avx2", or "float32" for an ONNX graph.
  virtual std::string arithmetic() const = 0;
  // Sizes must be batch * sample_bytes. Throws octet::Error.
  virtual void run(std::span<const Input> inputs, std::span<const Output> outputs,
                   std::size_t batch) = 0;

 protected:
  explicit Network(std::string path) : path_(std::move(path)) {}
  std::string path_;
  std::vector<TensorInfo> inputs_;
  std::vector<TensorInfo> outputs_;
};

bool is_onnx(const std::string& path);  // by its ending

// threads: for a .octet model. Throws octet::Error.
std::unique_ptr<Network> open_network(const std::string& path, std::size_t threads = 1);
std::unique_ptr<Network> octet_network(Model model, const std::string& path, std::size_t threads);
// A simplified float graph; path stands for it in messages.
std::unique_ptr<Network> float_network(convert::Graph graph, const std::string& path);

// The float graph's inputs or outputs in the API's terms; the names live as long as the graph.
std::vector<TensorInfo> tensor_infos(const convert::Graph& graph,
                                     const std::vector<convert::ValueId>& values);

// oneTBB's executor where this build has it and there are as many CPUs, else octet's threads; none
// for one thread.
std::optional<Executor> make_executor(std::size_t threads);

// Every output for every sample, [samples] * sample_bytes each. progress is told the samples done.
// Throws octet::Error, also if the data set does not fit the inputs.
std::vector<std::vector<std::byte>> run_dataset(Network& network, const data::Dataset& dataset,
                                                const std::optional<Normalization>& normalization,
                                                const std::function<void(std::size_t)>& progress);

// The first output for every sample as floats, [samples][classes]: 8-bit codes are dequantized.
struct Logits {
  std::size_t classes = 0;
  std::vector<float> values;
};
Logits compute_logits(Network& network, const data::Dataset& dataset,
                      const std::optional<Normalization>& normalization,
                      const std::function<void(std::size_t)>& progress);

// Compares logits with labels, if there are any, and with those of a float network, if there is
// one.
convert::Evaluation evaluate(const Logits& result, const Logits* reference,
                             std::span<const std::uint32_t> labels);

}  // namespace octet::command
