// SPDX-License-Identifier: Apache-2.0
// scale * x + shift disappears into the weights beside it. Which scale meets which weight is found
// by following every element through the views in between; products and sums are made in double.
#include <algorithm>
#include <limits>
#include <numeric>
#include <optional>
#include <utility>

#include "tools/convert/rewrite.h"
#include "tools/convert/view_map.h"

namespace octet::convert {
namespace {

constexpr std::size_t kNoChannel = static_cast<std::size_t>(-1);

// The affine's channel of each of a linear's rows or columns; kNoChannel where none reaches it.
using Channels = std::vector<std::size_t>;
// For each element of a value's sample, its index in another value's sample.
using Elements = std::vector<std::size_t>;

Elements same_elements(const Graph& graph, ValueId value) {
  Elements elements(sample_elements(graph.values[value].shape));
  std::iota(elements.begin(), elements.end(), std::size_t{0});
  return elements;
}

std::size_t channel_of(const Node& affine, std::size_t element) {
  return element / affine.inner % affine.scale.size();
}

// False if a row or column would need two channels.
bool assign(Channels& channels, std::size_t index, std::size_t channel) {
  if (channels[index] != kNoChannel) return channels[index] == channel;
  channels[index] = channel;
  return true;
}

// Weights of a quantized graph stay as they are: only a shift can go into such a layer.
bool keeps_codes(const Node& linear, const Node& affine) {
  if (linear.bare_integers) return false;
  return linear.weight_codes.empty() ||
         std::ranges::all_of(affine.scale, [](float scale) { return scale == 1; });
}

struct Target {
  std::size_t node;
  Channels channels;
};

// The linear whose rows make the affine's elements.
std::optional<Target> linear_before(const Graph& graph, const Links& links, const Node& affine) {
  ValueId value = affine.inputs[0];
  Elements source = same_elements(graph, value);
  for (;;) {
    const std::size_t index = links.producer(value);
    if (index == kNoNode || !links.is_private(value)) return {};
    const Node& node = graph.nodes[index];
    if (node.op == Op::linear) {
      const bool clips = node.clip_min > -std::numeric_limits<float>::infinity() ||
                         node.clip_max < std::numeric_limits<float>::infinity();
      if (clips || !keeps_codes(node, affine)) return {};
      const auto rows = static_cast<std::size_t>(graph.values[value].shape.back());
      Channels channels(rows, kNoChannel);
      for (std::size_t i = 0; i < source.size(); ++i) {
        if (!assign(channels, source[i] % rows, channel_of(affine, i))) return {};
      }
      return Target{index, std::move(channels)};
    }
    if (!is_view(node)) return {};
    const Elements map = view_map(graph, node);
    for (std::size_t& element : source) element = map[element];
    value = node.inputs[0];
  }
}

// Collects the linears that take value, whose elements are those of the affine's output by source.
// False if somebody else sees the value.
bool linears_after(const Graph& graph, const Links& links, const Node& affine, ValueId value,
                   const Elements& source, std::vector<Target>& targets) {
  if (links.is_output(value)) return false;
  for (const std::size_t index : links.users(value)) {
    const Node& node = graph.nodes[index];
    if (node.op == Op::linear && node.weight_codes.empty()) {
      const auto columns = static_cast<std::size_t>(graph.values[value].shape.back());
      Channels channels(columns, kNoChannel);
      for (std::size_t i = 0; i < source.size(); ++i) {
        if (!assign(channels, i % columns, channel_of(affine, source[i]))) return false;
      }
      targets.push_back({index, std::move(channels)});
    } else if (is_view(node)) {
      Elements moved = view_map(graph, node);
      for (std::size_t& element : moved) element = source[element];
      if (!linears_after(graph, links, affine, node.output, moved, targets)) return false;
    } else {
      return false;
    }
  }
  return true;
}

// y = scale * (w x + b) + shift
void fold_into_rows(const Node& affine, Node& linear, const Channels& channels) {
  const std::size_t k = linear.weight.size() / channels.size();
  linear.bias.resize(channels.size());
  linear.bias_codes.clear();
  for (std::size_t m = 0; m < channels.size(); ++m) {
    if (channels[m] == kNoChannel) continue;
    const double scale = affine.scale[channels[m]];
    const double shift = affine.shift[channels[m]];
    linear.bias[m] = static_cast<float>(double{linear.bias[m]} * scale + shift);
    for (std::size_t i = m * k; i < (m + 1) * k; ++i) {
      linear.weight[i] = static_cast<float>(double{linear.weight[i]} * scale);
    }
  }
}

// y = w (scale * x + shift) + b
void fold_into_columns(const Node& affine, Node& linear, const Channels& channels) {
  const std::size_t k = channels.size();
  linear.bias.resize(linear.weight.size() / k);
  for (std::size_t m = 0; m < linear.bias.size(); ++m) {
    double bias = linear.bias[m];
    for (std::size_t i = 0; i < k; ++i) {
      float& weight = linear.weight[m * k + i];
      bias += double{weight} * double{affine.shift[channels[i]]};
      weight = static_cast<float>(double{weight} * double{affine.scale[channels[i]]});
    }
    linear.bias[m] = static_cast<float>(bias);
  }
}

// The affine that alone feeds this one, reshapes between; kNoNode if there is none.
std::size_t affine_before(const Graph& graph, const Links& links, const Node& affine) {
  ValueId value = affine.inputs[0];
  for (;;) {
    const std::size_t index = links.producer(value);
    if (index == kNoNode || !links.is_private(value)) return kNoNode;
    const Node& node = graph.nodes[index];
    if (node.op == Op::affine) return index;
    if (node.op != Op::reshape) return kNoNode;
    value = node.inputs[0];
  }
}

// Whether both have the same channels, or one has a single one.
bool can_merge(const Node& first, const Node& second) {
  return first.scale.size() == 1 || second.scale.size() == 1 ||
         (first.scale.size() == second.scale.size() && first.inner == second.inner);
}

void merge(Node& first, const Node& second) {
  if (first.scale.size() == 1) {
    first.scale.resize(second.scale.size(), first.scale[0]);
    first.shift.resize(second.scale.size(), first.shift[0]);
    first.inner = second.inner;
  }
  for (std::size_t i = 0; i < first.scale.size(); ++i) {
    const std::size_t channel = second.scale.size() == 1 ? 0 : i;
    const double scale = second.scale[channel];
    first.shift[i] =
        static_cast<float>(double{first.shift[i]} * scale + double{second.shift[channel]});
    first.scale[i] = static_cast<float>(double{first.scale[i]} * scale);
  }
}

bool fold(Graph& graph, const Links& links, std::size_t index) {
  const Node affine = graph.nodes[index];  // a copy: bypass() takes it out
  if (const auto before = linear_before(graph, links, affine)) {
    if (!bypass(graph, links, index)) return false;
    fold_into_rows(affine, graph.nodes[before->node], before->channels);
    return true;
  }
  const std::size_t previous = affine_before(graph, links, affine);
  if (previous != kNoNode && can_merge(graph.nodes[previous], affine)) {
    if (!bypass(graph, links, index)) return false;
    merge(graph.nodes[previous], affine);
    return true;
  }
  std::vector<Target> after;
  if (!linears_after(graph, links, affine, affine.output, same_elements(graph, affine.output),
                     after)) {
    return false;
  }
  for (const Target& target : after) {
    fold_into_columns(affine, graph.nodes[target.node], target.channels);
  }
  return bypass(graph, links, index);  // no graph output, so this succeeds
}

}  // namespace

bool fold_affine(Graph& graph) {
  const Links links(graph);
  for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
    if (graph.nodes[i].op == Op::affine && fold(graph, links, i)) return true;
  }
  return false;
}

}  // namespace octet::convert
