// SPDX-License-Identifier: Apache-2.0
// octet run: numpy arrays through a network.

#include "engine/errors.h"
#include "tools/command/command.h"
#include "tools/command/network.h"
#include "tools/command/output_file.h"
#include "tools/command/print.h"
#include "tools/command/progress.h"
#include "tools/data/npy.h"

namespace octet::command {
namespace {

// The path for each input or output, in their order; empty for one that no option means.
std::vector<std::string> assign(const std::vector<std::string>& options,
                                const std::vector<TensorInfo>& infos, const std::string& model,
                                const char* what) {
  std::vector<std::string> paths(infos.size());
  for (const std::string& option : options) {
    const std::size_t equals = option.find('=');
    std::size_t index = 0;
    if (equals != std::string::npos) {
      const std::string name = option.substr(0, equals);
      while (index < infos.size() && name != infos[index].name) ++index;
    } else {
      while (index < infos.size() && !paths[index].empty()) ++index;
    }
    if (index == infos.size() || !paths[index].empty()) {
      std::string names;
      for (const TensorInfo& info : infos) names += std::string(" ") + info.name;
      engine::fail(Error::Code::argument, model, ": --", what, " ", option, " belongs to no free ",
                   what, "; the network's are:", names);
    }
    paths[index] = option.substr(equals == std::string::npos ? 0 : equals + 1);
  }
  return paths;
}

void check_outputs(const std::vector<std::string>& options, const std::vector<std::string>& paths,
                   const std::vector<std::string>& inputs, const std::string& model) {
  // An empty path is an output that is not asked for, but also --output NAME=.
  for (const std::string& option : options) {
    if (option.empty() || option.back() == '=') check_output("", "--output", model, inputs);
  }
  for (std::size_t i = 0; i < paths.size(); ++i) {
    if (paths[i].empty()) continue;
    check_output(paths[i], "--output", model, inputs);
    for (std::size_t j = 0; j < i; ++j) {
      if (paths[j].empty() || !same_file(paths[i], paths[j])) continue;
      engine::fail(Error::Code::argument, paths[i],
                   ": is given for two outputs; give each --output its own name");
    }
  }
}

data::ArrayType array_type(const TensorInfo& info) {
  switch (info.dtype) {
    case OCTET_F32:
      return data::ArrayType::f32;
    case OCTET_U8:
      return data::ArrayType::u8;
    case OCTET_S8:
      return data::ArrayType::s8;
    case OCTET_S32:
      break;
  }
  return data::ArrayType::i32;
}

data::Dataset read_inputs(const std::vector<std::string>& paths, const Network& network) {
  data::Dataset dataset;
  dataset.paths = paths;
  for (std::size_t i = 0; i < paths.size(); ++i) {
    const TensorInfo& info = network.inputs()[i];
    if (paths[i].empty()) {
      engine::fail(Error::Code::argument, network.path(), ": input '", info.name, "' ",
                   shape_text(info), " is not given; add --input ", info.name, "=X.npy");
    }
    dataset.inputs.push_back(data::read_samples(paths[i]));
    if (dataset.inputs[i].rows() != dataset.samples()) {
      engine::fail(Error::Code::argument, paths[i], ": ", dataset.inputs[i].rows(),
                   " samples, but ", paths[0], " has ", dataset.samples());
    }
  }
  return dataset;
}

std::vector<std::vector<std::byte>> run_samples(Network& network, const data::Dataset& dataset) {
  Progress progress("running", dataset.samples());
  return run_dataset(network, dataset, std::nullopt,
                     [&](std::size_t done) { progress.update(done); });
}

}  // namespace

void run_run(const RunOptions& options) {
  const auto network = open_network(options.model);
  const auto in_paths = assign(options.inputs, network->inputs(), options.model, "input");
  const auto out_paths = assign(options.outputs, network->outputs(), options.model, "output");
  check_outputs(options.outputs, out_paths, in_paths, options.model);
  const data::Dataset dataset = read_inputs(in_paths, *network);
  const auto results = run_samples(*network, dataset);
  OutputFiles files;
  for (std::size_t i = 0; i < results.size(); ++i) {
    if (out_paths[i].empty()) continue;
    const TensorInfo& info = network->outputs()[i];
    std::vector<std::size_t> shape{dataset.samples()};
    for (std::uint32_t d = 1; d < info.rank; ++d) {
      shape.push_back(static_cast<std::size_t>(info.shape[d]));
    }
    files.add(out_paths[i], data::npy_file(array_type(info), shape, results[i]));
    std::printf("%s: '%s', %s x %s\n", out_paths[i].c_str(), info.name,
                data::shape_text(shape).c_str(), dtype_text(info.dtype).data());
  }
  files.commit();
}

}  // namespace octet::command
