// SPDX-License-Identifier: Apache-2.0
// octet size: what a network takes in memory, by the usual rule of thumb and to the byte.
#include <cmath>
#include <string>

#include "engine/errors.h"
#include "engine/inspect.h"
#include "tools/command/command.h"
#include "tools/command/network.h"
#include "tools/command/print.h"
#include "tools/convert/onnx_import.h"
#include "tools/convert/simplify.h"

namespace octet::command {
namespace {

// "336 GB", of 1e9 bytes, as models' sizes are told.
std::string rounded(double bytes) {
  constexpr const char* kUnits[] = {"bytes", "KB", "MB", "GB", "TB", "PB"};
  std::size_t unit = 0;
  while (bytes >= 1000 && unit + 1 < std::size(kUnits)) {
    bytes /= 1000;
    ++unit;
  }
  return format("%.4g %s", bytes, kUnits[unit]);
}

std::string whole(double bytes) {
  return grouped(static_cast<std::uint64_t>(std::ceil(bytes)));
}

// M = P * 4 bytes / (32 / Q) * overhead
void print_formula(double parameters, double bits, double overhead) {
  const double bytes = parameters * 4 / (32 / bits) * overhead;
  std::printf("memory   M = P * 4 bytes / (32 / Q) * overhead\n");
  std::printf("           = %s * 4 / (32 / %g) * %g = %s\n", whole(parameters).c_str(), bits,
              overhead, rounded(bytes).c_str());
}

void print_row(const char* what, double bytes, const std::string& how) {
  std::printf("%-8s %20s bytes  %s\n", what, whole(bytes).c_str(), how.c_str());
}

void print_parameters(const SizeOptions& options, double parameters) {
  const auto bits = static_cast<double>(options.bits);
  print_formula(parameters, bits, options.overhead);
  const double weights = parameters * bits / 8;
  print_row("weights", weights, format("%g bits each", bits));
  double scales = 0;
  if (options.group_size != 0) {
    scales = std::ceil(parameters / static_cast<double>(options.group_size)) * 4;
    print_row("scales", scales, format("a float for every %zu weights", options.group_size));
  }
  print_row("exactly", weights + scales,
            format("%.3g bits per weight, without overhead", (weights + scales) * 8 / parameters));
}

// Weights of linear layers in a float network.
double count_weights(const std::string& path) {
  convert::Graph graph = convert::import_onnx(path);
  convert::simplify(graph);
  double weights = 0;
  for (const convert::Node& node : graph.nodes) weights += static_cast<double>(node.weight.size());
  if (weights == 0) {
    engine::fail(Error::Code::argument, path, ": has no linear layer, so no weights to count");
  }
  return weights;
}

void print_model(const SizeOptions& options) {
  const engine::LoadedGraph loaded = engine::read_graph(options.model);
  const Model model = Model::load(options.model);
  const engine::ModelInfo info = engine::inspect(model.handle());
  double weights = 0;
  double parameters = 0;
  double scales = 0;
  double others = 0;
  for (const engine::Node& node : loaded.graph.nodes) {
    const bool grouped_weights = node.op == engine::OpType::group_linear;
    const bool linear = grouped_weights || node.op == engine::OpType::linear ||
                        node.op == engine::OpType::dynamic_linear ||
                        node.op == engine::OpType::float_linear;
    const bool scaled = linear && node.op != engine::OpType::float_linear;
    for (std::size_t i = 0; i < node.inputs.size(); ++i) {
      const engine::Tensor& tensor = loaded.graph.tensors[node.inputs[i]];
      const auto bytes = static_cast<double>(tensor.data.size());
      if (!tensor.is_constant) continue;
      if (linear && i == 1) {
        weights += bytes;
        const auto k = static_cast<double>(loaded.graph.tensors[node.inputs[0]].shape.back());
        parameters += static_cast<double>(tensor.shape[0]) * k;
      } else if (scaled && i == 2) {
        scales += bytes;
      } else {
        others += bytes;
      }
    }
  }
  const double bits = parameters == 0 ? 0 : weights * 8 / parameters;
  if (parameters != 0) print_formula(parameters, bits, options.overhead);
  print_row("weights", weights,
            format("%s of %.3g bits",
                   count(static_cast<std::uint64_t>(parameters), "weight").c_str(), bits));
  print_row("scales", scales, "of weights");
  print_row("biases", others, "tables and other constants with them");
  double packed = 0;
  for (const auto& step : info.steps) packed += static_cast<double>(step.parameter_bytes);
  print_row("packed", packed, "all of these in memory, for " + std::string(model.isa()));
  print_row("arena", static_cast<double>(info.arena_bytes), "per task of a session");
}

}  // namespace

void run_size(const SizeOptions& options) {
  if (options.parameters) {
    print_parameters(options, *options.parameters);
  } else if (is_onnx(options.model)) {
    print_parameters(options, count_weights(options.model));
  } else {
    print_model(options);
  }
}

}  // namespace octet::command
