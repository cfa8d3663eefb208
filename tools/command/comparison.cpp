// SPDX-License-Identifier: Apache-2.0
// Both networks are run with all their activations as outputs; tensors of one name are compared.
#include "tools/command/comparison.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <span>
#include <unordered_map>
#include <utility>

#include "engine/errors.h"
#include "tools/command/calibration_source.h"
#include "tools/command/imitation.h"
#include "tools/command/network.h"
#include "tools/command/progress.h"
#include "tools/command/proof.h"
#include "tools/convert/codes.h"
#include "tools/convert/equalize.h"
#include "tools/convert/model_writer.h"

namespace octet::command {
namespace {

using engine::is_q8;

// A value that is wanted in 8 bits and in floats has a second tensor of this ending.
std::string float_name(std::string name) {
  constexpr std::string_view kEnding = "_quantized";
  if (name.ends_with(kEnding)) name.resize(name.size() - kEnding.size());
  return name;
}

// The model with every node's output as an output of its own name.
std::vector<std::byte> with_all_outputs(engine::Graph graph) {
  graph.outputs.clear();
  for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
    graph.tensors[graph.nodes[i].output].name = "node" + std::to_string(i);
    graph.outputs.push_back(graph.nodes[i].output);
  }
  for (std::size_t i = 0; i < graph.inputs.size(); ++i) {
    graph.tensors[graph.inputs[i].tensor].name = "input" + std::to_string(i);
  }
  return convert::write_model(graph);
}

convert::Encoding encoding_of(const engine::Tensor& tensor) {
  return {tensor.dtype, tensor.scale, tensor.zero_point, 0};
}

// What pixels mean beside scale * q: of the model's inputs and of views of them.
std::vector<float> offsets_of(const engine::Graph& graph) {
  std::vector<float> offsets(graph.tensors.size());
  for (const engine::GraphInput& input : graph.inputs) {
    if (!input.has_normalization) continue;
    offsets[input.tensor] = -input.normalization.mean / input.normalization.std;
  }
  for (const engine::Node& node : graph.nodes) {
    const bool moves = node.op == engine::OpType::reshape || node.op == engine::OpType::transpose ||
                       node.op == engine::OpType::slice || node.op == engine::OpType::clip;
    if (moves) offsets[node.output] = offsets[node.inputs[0]];
  }
  return offsets;
}

std::vector<float> floats_in(const std::vector<std::byte>& raw) {
  std::vector<float> values(raw.size() / sizeof(float));
  std::memcpy(values.data(), raw.data(), raw.size());
  return values;
}

// What the model's tensor holds, codes dequantized.
std::vector<float> as_floats(const std::vector<std::byte>& raw, const engine::Tensor& tensor,
                             float offset) {
  if (tensor.dtype == engine::DType::f32) return floats_in(raw);
  if (tensor.dtype == engine::DType::s32) {
    std::vector<std::int32_t> sums(raw.size() / sizeof(std::int32_t));
    std::memcpy(sums.data(), raw.data(), raw.size());
    return {sums.begin(), sums.end()};
  }
  std::vector<float> values;
  values.reserve(raw.size());
  for (const std::byte byte : raw) {
    const auto code =
        static_cast<float>(convert::code_of(std::to_integer<std::uint8_t>(byte), tensor.dtype));
    values.push_back(convert::to_real(code, encoding_of(tensor)) + offset);
  }
  return values;
}

// Throws for the first that is NaN or infinite.
void check_finite(std::span<const float> values, const std::string& name, std::size_t per_sample,
                  const std::string& path) {
  const auto bad = std::ranges::find_if_not(values, [](float x) { return std::isfinite(x); });
  if (bad == values.end()) return;
  engine::fail(Error::Code::argument, path, ": '", name, "': sample ",
               static_cast<std::size_t>(bad - values.begin()) / per_sample, " gives ", *bad,
               "; compare on data that the float network can process");
}

Histogram histogram(std::span<const float> values, double low, double high) {
  Histogram result;
  for (const float value : values) {
    low = std::min(low, static_cast<double>(value));
    high = std::max(high, static_cast<double>(value));
  }
  result.low = low;
  result.high = high > low ? high : low + 1;
  for (const float value : values) {
    const double at = (static_cast<double>(value) - result.low) / (result.high - result.low);
    const auto bin = static_cast<std::size_t>(at * Histogram::kBins);
    ++result.counts[std::min(bin, Histogram::kBins - 1)];
  }
  return result;
}

void compare_values(std::span<const float> got, std::span<const float> wanted,
                    NodeComparison& node) {
  double signal = 0;
  double noise = 0;
  double product = 0;
  double power = 0;
  for (std::size_t i = 0; i < got.size(); ++i) {
    const double g = got[i];
    const double w = wanted[i];
    signal += w * w;
    noise += (w - g) * (w - g);
    product += w * g;
    power += g * g;
  }
  node.sqnr_db =
      noise == 0 ? std::numeric_limits<double>::infinity() : 10 * std::log10(signal / noise);
  node.cosine = signal == 0 || power == 0 ? 1 : product / std::sqrt(signal * power);
}

void measure_codes(const engine::Tensor& tensor, float offset, const std::vector<std::byte>& raw,
                   std::span<const float> wanted, NodeComparison& node) {
  const double scale = tensor.scale;
  const int first = engine::lowest_code(tensor.dtype);
  const int last = engine::highest_code(tensor.dtype);
  node.lowest = scale * (first - tensor.zero_point) + static_cast<double>(offset);
  node.highest = scale * (last - tensor.zero_point) + static_cast<double>(offset);
  int least = last;
  int most = first;
  for (const std::byte byte : raw) {
    const int code = convert::code_of(std::to_integer<std::uint8_t>(byte), tensor.dtype);
    least = std::min(least, code);
    most = std::max(most, code);
  }
  node.used = raw.empty() ? 0 : (most - least + 1) / 256.0;
  std::size_t outside = 0;
  float low = 0;
  float high = 0;
  for (const float value : wanted) {
    outside += static_cast<double>(value) < node.lowest - scale / 2 ||
               static_cast<double>(value) > node.highest + scale / 2;
    low = std::min(low, value);
    high = std::max(high, value);
  }
  node.clipped = static_cast<double>(outside) / static_cast<double>(wanted.size());
  const double below = static_cast<double>(low) - node.lowest;
  const double above = node.highest - static_cast<double>(high);
  node.wasted = (std::max(below, 0.0) + std::max(above, 0.0)) / (node.highest - node.lowest);
}

void find_flips(std::span<const float> got, std::span<const float> wanted, std::size_t classes,
                const std::vector<std::uint32_t>& labels, Comparison& result) {
  for (std::size_t s = 0; s * classes < wanted.size(); ++s) {
    const auto row = wanted.subspan(s * classes, classes);
    const auto other = got.subspan(s * classes, classes);
    result.total.add(labels.empty() ? -1 : std::int64_t{labels[s]}, other, row);
    const std::size_t expected = convert::arg_max(row);
    const std::size_t answer = convert::arg_max(other);
    if (expected == answer) continue;
    double second = -std::numeric_limits<double>::infinity();
    for (std::size_t i = 0; i < classes; ++i) {
      if (i != expected) second = std::max(second, static_cast<double>(row[i]));
    }
    result.flips.push_back({s, labels.empty() ? 0 : labels[s], expected, answer,
                            static_cast<double>(row[expected]) - second});
  }
  std::ranges::stable_sort(result.flips, {}, &Flip::margin);
}

std::vector<std::vector<std::byte>> run_all(Network& network, const data::Dataset& dataset,
                                            const std::optional<Normalization>& normalization) {
  Progress progress(network.path(), dataset.samples());
  return run_dataset(network, dataset, normalization,
                     [&](std::size_t done) { progress.update(done); });
}

}  // namespace

Comparison compare_networks(const engine::Graph& graph, const std::string& model_path,
                            convert::Graph original, const data::Dataset& dataset,
                            const std::optional<Normalization>& normalization) {
  const bool equalized = std::ranges::any_of(
      graph.metadata, [](const auto& entry) { return entry.first == "equalized"; });
  if (equalized) convert::equalize(original);
  const auto model =
      octet_network(Model::parse(with_all_outputs(graph), model_path), model_path, 1);
  const auto got = run_all(*model, dataset, std::nullopt);

  // Every node's output, so that a node and its place among them have one number.
  convert::Graph probed = original;
  probed.outputs.clear();
  std::unordered_map<std::string, std::size_t> places;
  for (const convert::Node& node : original.nodes) {
    places[original.values[node.output].name] = probed.outputs.size();
    probed.outputs.push_back(node.output);
  }
  const auto reference = float_network(std::move(probed), original.source);
  const auto wanted = run_all(*reference, dataset, normalization);
  const std::string& output = original.values[original.outputs[0]].name;
  const auto last = places.find(output);
  const std::vector<float> expected =
      last != places.end() ? floats_in(wanted[last->second]) : std::vector<float>();

  CalibrationSource source(dataset, tensor_infos(original, original.inputs),
                           normalization.value_or(Normalization{}), original.source);
  Imitation imitation(original, source, expected);
  const std::vector<float> offsets = offsets_of(graph);
  Comparison result;
  result.has_labels = !dataset.labels.empty();
  for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
    const engine::Node& node = graph.nodes[i];
    const engine::Tensor& tensor = graph.tensors[node.output];
    const auto place = places.find(float_name(tensor.name));
    const std::size_t elements = engine::sample_elements(tensor);
    if (place == places.end() ||
        wanted[place->second].size() != dataset.samples() * elements * sizeof(float)) {
      result.unmatched.push_back(node.name);
      continue;
    }
    const convert::Node& maker = original.nodes[place->second];
    const float offset = offsets[node.output];
    const std::vector<float> mine = as_floats(got[i], tensor, offset);
    const std::vector<float> theirs = floats_in(wanted[place->second]);
    check_finite(theirs, place->first, elements, original.source);
    check_finite(mine, tensor.name, elements, model_path);
    NodeComparison entry;
    entry.name = node.name;
    entry.op = engine::op_name(node.op);
    entry.dtype = tensor.dtype;
    compare_values(mine, theirs, entry);
    if (is_q8(tensor.dtype)) {
      measure_codes(tensor, offset, got[i], theirs, entry);
      entry.values = histogram(theirs, entry.lowest, entry.highest);
    } else {
      entry.values = histogram(theirs, theirs[0], theirs[0]);
    }
    entry.accumulator = largest_accumulator(prove(graph, node));
    imitation.add(place->second, graph, node, offsets);
    if (!maker.weight.empty()) entry.weights = histogram(maker.weight, 0, 0);
    result.nodes.push_back(std::move(entry));
    if (node.output == graph.outputs[0] && place == last) {
      result.classes = elements;
      find_flips(mine, theirs, elements, dataset.labels, result);
    }
  }
  if (result.classes == 0) {
    engine::fail(Error::Code::argument, original.source, ": its first output '", output,
                 "' is not that of ", model_path,
                 "; give the float network that the model was made from");
  }
  Progress progress("measuring nodes one by one", result.nodes.size());
  for (std::size_t i = 0; i < result.nodes.size(); ++i) {
    result.nodes[i].alone = imitation.alone(i);
    result.nodes[i].left_out = imitation.without(i);
    progress.update(i + 1);
  }
  return result;
}

}  // namespace octet::command
