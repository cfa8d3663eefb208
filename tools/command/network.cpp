// SPDX-License-Identifier: Apache-2.0
// The two networks, and running one over a data set.
#include "tools/command/network.h"

#include <algorithm>
#include <cstring>
#include <thread>
#include <utility>

#include "engine/errors.h"
#include "tools/convert/float_executor.h"
#include "tools/convert/onnx_import.h"
#include "tools/convert/simplify.h"

namespace octet::command {
namespace {

// Samples per call: enough for every thread of a large machine, small beside any data set.
constexpr std::size_t kChunk = 512;

class OctetNetwork final : public Network {
 public:
  OctetNetwork(Model model, const std::string& path, std::size_t threads)
      : Network(path),
        model_(std::move(model)),
        executor_(make_executor(threads)),
        session_(executor_ ? Session(model_, *executor_) : Session(model_)) {
    for (std::size_t i = 0; i < model_.inputs(); ++i) inputs_.push_back(model_.input(i));
    for (std::size_t i = 0; i < model_.outputs(); ++i) outputs_.push_back(model_.output(i));
  }

  std::string arithmetic() const override { return model_.isa(); }

  void run(std::span<const Input> inputs, std::span<const Output> outputs,
           std::size_t batch) override {
    const octet_status status = session_.run(inputs, outputs, batch);
    if (status != OCTET_OK) {
      engine::fail(static_cast<Error::Code>(status), path_, ": a run of ", batch,
                   " samples failed: ", octet_status_name(status));
    }
  }

 private:
  Model model_;
  std::optional<Executor> executor_;
  Session session_;
};

class FloatNetwork final : public Network {
 public:
  FloatNetwork(convert::Graph graph, const std::string& path)
      : Network(path), graph_(std::move(graph)), executor_(graph_) {
    inputs_ = tensor_infos(graph_, graph_.inputs);
    outputs_ = tensor_infos(graph_, graph_.outputs);
  }

  std::string arithmetic() const override { return "float32"; }

  void run(std::span<const Input> inputs, std::span<const Output> outputs,
           std::size_t batch) override {
    std::vector<std::span<const float>> spans;
    for (const Input& in : inputs) {
      spans.emplace_back(static_cast<const float*>(in.data), in.bytes / sizeof(float));
    }
    const auto results = executor_.run(spans, batch);
    for (std::size_t i = 0; i < outputs.size(); ++i) {
      std::memcpy(outputs[i].data, results[i].data(), outputs[i].bytes);
    }
  }

 private:
  convert::Graph graph_;
  convert::FloatExecutor executor_;
};

}  // namespace

bool is_onnx(const std::string& path) {
  return path.ends_with(".onnx");
}

std::unique_ptr<Network> octet_network(Model model, const std::string& path, std::size_t threads) {
  return std::make_unique<OctetNetwork>(std::move(model), path, threads);
}

std::unique_ptr<Network> float_network(convert::Graph graph, const std::string& path) {
  return std::make_unique<FloatNetwork>(std::move(graph), path);
}

std::unique_ptr<Network> open_network(const std::string& path, std::size_t threads) {
  if (!is_onnx(path)) return octet_network(Model::load(path), path, threads);
  convert::Graph graph = convert::import_onnx(path);
  convert::simplify(graph);
  for (const auto* ends : {&graph.inputs, &graph.outputs}) {
    for (const convert::ValueId id : *ends) {
      if (graph.values[id].dtype == engine::DType::f32) continue;
      engine::fail(Error::Code::unsupported, path, ": '", graph.values[id].name, "' holds ",
                   engine::dtype_name(graph.values[id].dtype),
                   ", an ONNX file is run in float; run octet convert on it first");
    }
  }
  return float_network(std::move(graph), path);
}

std::vector<TensorInfo> tensor_infos(const convert::Graph& graph,
                                     const std::vector<convert::ValueId>& values) {
  std::vector<TensorInfo> infos;
  for (const convert::ValueId id : values) {
    const convert::Value& value = graph.values[id];
    if (value.shape.size() > OCTET_MAX_RANK) {
      engine::fail(Error::Code::limit, graph.source, ": '", value.name, "' has rank ",
                   value.shape.size(), ", the limit is ", OCTET_MAX_RANK);
    }
    TensorInfo info{};
    info.name = value.name.c_str();
    info.dtype = OCTET_F32;
    info.rank = static_cast<std::uint32_t>(value.shape.size());
    std::copy(value.shape.begin(), value.shape.end(), info.shape);
    info.sample_bytes = convert::sample_elements(value.shape) * sizeof(float);
    infos.push_back(info);
  }
  return infos;
}

std::optional<Executor> make_executor(std::size_t threads) {
  if (threads <= 1) return std::nullopt;
  // oneTBB gives no more threads than there are CPUs, and complains on stderr.
  if (threads > std::thread::hardware_concurrency()) return Executor::threads(threads);
  try {
    return Executor::tbb(threads);
  } catch (const Error& error) {
    if (error.code() != Error::Code::unsupported) throw;
    return Executor::threads(threads);
  }
}

std::vector<std::vector<std::byte>> run_dataset(Network& network, const data::Dataset& dataset,
                                                const std::optional<Normalization>& normalization,
                                                const std::function<void(std::size_t)>& progress) {
  const auto& inputs = network.inputs();
  std::vector<Normalization> pixels;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    check_feed(dataset.inputs[i], dataset.paths[i], inputs[i], network.path());
    pixels.push_back(pixel_meaning(inputs[i], network.path(), normalization));
  }
  std::vector<std::vector<std::byte>> results;
  for (const TensorInfo& output : network.outputs()) {
    results.emplace_back(dataset.samples() * output.sample_bytes);
  }
  std::vector<std::vector<std::byte>> buffers(inputs.size());
  std::vector<Input> ins(inputs.size());
  std::vector<Output> outs(results.size());
  for (std::size_t begin = 0; begin < dataset.samples(); begin += kChunk) {
    const std::size_t rows = std::min(kChunk, dataset.samples() - begin);
    for (std::size_t i = 0; i < ins.size(); ++i) {
      ins[i] = feed(dataset.inputs[i], begin, rows, inputs[i], pixels[i], buffers[i]);
    }
    for (std::size_t i = 0; i < outs.size(); ++i) {
      const std::size_t bytes = network.outputs()[i].sample_bytes;
      outs[i] = {results[i].data() + begin * bytes, rows * bytes};
    }
    network.run(ins, outs, rows);
    if (progress) progress(begin + rows);
  }
  return results;
}

Logits compute_logits(Network& network, const data::Dataset& dataset,
                      const std::optional<Normalization>& normalization,
                      const std::function<void(std::size_t)>& progress) {
  const TensorInfo& output = network.outputs()[0];
  if (output.dtype == OCTET_S32) {
    engine::fail(Error::Code::unsupported, network.path(), ": output '", output.name,
                 "' is int32; only float32 and 8-bit outputs can be evaluated");
  }
  const auto results = run_dataset(network, dataset, normalization, progress);
  const std::vector<std::byte>& raw = results[0];
  Logits logits;
  if (output.dtype == OCTET_F32) {
    logits.values.resize(raw.size() / sizeof(float));
    std::memcpy(logits.values.data(), raw.data(), raw.size());
  } else {
    logits.values.resize(raw.size());
    std::transform(raw.begin(), raw.end(), logits.values.begin(), [&](std::byte byte) {
      const int code =
          output.dtype == OCTET_U8 ? std::to_integer<int>(byte) : static_cast<std::int8_t>(byte);
      return output.scale * static_cast<float>(code - output.zero_point);
    });
  }
  logits.classes = logits.values.size() / dataset.samples();
  return logits;
}

convert::Evaluation evaluate(const Logits& result, const Logits* reference,
                             std::span<const std::uint32_t> labels) {
  convert::Evaluation evaluation;
  const std::size_t classes = result.classes;
  for (std::size_t i = 0; i * classes < result.values.size(); ++i) {
    const auto row = [&](const Logits& logits) {
      return std::span(logits.values).subspan(i * classes, classes);
    };
    evaluation.add(labels.empty() ? -1 : std::int64_t{labels[i]}, row(result),
                   reference != nullptr ? row(*reference) : std::span<const float>{});
  }
  return evaluation;
}

}  // namespace octet::command
