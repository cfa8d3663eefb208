// SPDX-License-Identifier: Apache-2.0
// Checks what it was given, plans, lowers, and has the result proved by the engine's own check.
#include "tools/convert/quantize.h"

#include <algorithm>
#include <cmath>

#include "engine/errors.h"
#include "tools/convert/lowering.h"
#include "tools/convert/quantize_plan.h"

namespace octet::convert {
namespace {

using engine::fail;

bool all_finite(const std::vector<float>& values) {
  return std::all_of(values.begin(), values.end(), [](float x) { return std::isfinite(x); });
}

void check_numbers(const Graph& graph, const std::vector<Range>& ranges) {
  if (ranges.size() != graph.values.size()) {
    fail(Error::Code::argument, graph.source, ": has ", graph.values.size(), " values, was given ",
         ranges.size(), " ranges");
  }
  for (std::size_t i = 0; i < ranges.size(); ++i) {
    if (!std::isfinite(ranges[i].min) || !std::isfinite(ranges[i].max) ||
        ranges[i].min > ranges[i].max) {
      fail(Error::Code::argument, graph.source, ": value '", graph.values[i].name, "': its range [",
           ranges[i].min, ", ", ranges[i].max, "] is none");
    }
  }
  for (const Node& node : graph.nodes) {
    if (!all_finite(node.weight) || !all_finite(node.bias) || !all_finite(node.scale) ||
        !all_finite(node.shift)) {
      fail(Error::Code::unsupported, graph.source, ": node '", node.name, "' (", op_name(node),
           "): has a parameter that is NaN or infinite; train it again");
    }
  }
}

void check_kept(const Graph& graph, const std::vector<std::string>& names) {
  for (const std::string& name : names) {
    std::string linears;
    for (const Node& node : graph.nodes) {
      if (node.op == Op::linear) linears += (linears.empty() ? "'" : ", '") + node.name + "'";
    }
    const bool found = std::ranges::any_of(
        graph.nodes, [&](const Node& node) { return node.op == Op::linear && node.name == name; });
    if (found) continue;
    fail(Error::Code::argument, graph.source, ": has no linear node '", name,
         "' to keep in float; its linear nodes are ", linears);
  }
}

}  // namespace

// Written so that NaN fails.
void check_pixels(const Graph& graph, const engine::Normalization& pixels) {
  if (!(pixels.mean >= 0 && pixels.mean <= 1)) {
    fail(Error::Code::argument, graph.source, ": the pixels' mean ", pixels.mean,
         " is outside [0, 1]; give it for pixels of 0 to 1, as p / 255");
  }
  // So that every scale and real value is a normal number with room for its products.
  if (!(pixels.std >= 1e-6f && pixels.std <= 1e6f)) {
    fail(Error::Code::argument, graph.source, ": the pixels' standard deviation ", pixels.std,
         " is outside [1e-6, 1e6]; give it for pixels of 0 to 1, as p / 255");
  }
}

QuantizedGraph quantize(const Graph& graph, const std::vector<Range>& ranges,
                        const QuantizeOptions& options) {
  check_numbers(graph, ranges);
  check_kept(graph, options.keep_float);
  if (options.pixels) check_pixels(graph, *options.pixels);
  const std::vector<ValuePlan> plan = plan_quantization(graph, ranges, options);
  QuantizedGraph result = Lowering(graph, plan, options).run();
  engine::check_graph(result.graph, graph.source, engine::Limits{});
  return result;
}

}  // namespace octet::convert
