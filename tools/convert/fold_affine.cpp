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

constexpr std::size_t kWeights = 8;  // are multiplied while one element is followed
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
  Rewriter::Position node;
  Channels channels;
};

// The linear whose rows make the affine's elements, views between; none() if there is none.
Rewriter::Position linear_before(Rewriter& graph, const Node& affine) {
  ValueId value = affine.inputs[0];
  for (std::size_t views = 0; views <= kMaxViews; ++views) {
    const auto node = graph.producer(value);
    if (node == graph.none() || !graph.is_private(value)) return graph.none();
    if (node->op == Op::linear) {
      const bool clips = node->clip_min > -std::numeric_limits<float>::infinity() ||
                         node->clip_max < std::numeric_limits<float>::infinity();
      return clips || !keeps_codes(*node, affine) ? graph.none() : node;
    }
    if (!is_view(*node)) return graph.none();
    value = node->inputs[0];
  }
  return graph.none();
}

// The channel of each of the linear's rows; nothing where a row would need two.
std::optional<Target> rows_before(Rewriter& graph, const Node& affine) {
  const auto linear = linear_before(graph, affine);
  if (linear == graph.none() || !graph.may_compute(linear->weight.size() / kWeights)) return {};
  ValueId value = affine.inputs[0];
  if (!graph.may_follow(sample_elements(graph.shape(value)))) return {};
  Elements source = same_elements(graph.graph(), value);
  for (auto node = graph.producer(value); node != linear; node = graph.producer(value)) {
    if (!graph.may_follow(sample_elements(graph.shape(value)))) return {};
    const Elements map = view_map(graph.graph(), *node);
    for (std::size_t& element : source) element = map[element];
    value = node->inputs[0];
  }
  const auto rows = static_cast<std::size_t>(graph.shape(value).back());
  Channels channels(rows, kNoChannel);
  for (std::size_t i = 0; i < source.size(); ++i) {
    if (!assign(channels, source[i] % rows, channel_of(affine, i))) return {};
  }
  return Target{linear, std::move(channels)};
}

// Whether only linears take value, views between.
bool only_linears_after(const Rewriter& graph, ValueId value, std::size_t views = 0) {
  if (graph.is_output(value) || views > kMaxViews) return false;
  return std::ranges::all_of(graph.users(value), [&](Rewriter::Position node) {
    if (node->op == Op::linear) return node->weight_codes.empty();
    return is_view(*node) && only_linears_after(graph, node->output, views + 1);
  });
}

// Collects the linears that take value, whose elements are those of the affine's output by source.
// only_linears_after(value) holds. False where a column would need two channels.
bool columns_after(Rewriter& graph, const Node& affine, ValueId value, const Elements& source,
                   std::vector<Target>& targets) {
  for (const Rewriter::Position node : graph.users(value)) {
    if (!graph.may_follow(source.size())) return false;
    if (node->op == Op::linear) {
      if (!graph.may_compute(node->weight.size() / kWeights)) return false;
      const auto columns = static_cast<std::size_t>(graph.shape(value).back());
      Channels channels(columns, kNoChannel);
      for (std::size_t i = 0; i < source.size(); ++i) {
        if (!assign(channels, i % columns, channel_of(affine, source[i]))) return false;
      }
      targets.push_back({node, std::move(channels)});
    } else {
      Elements moved = view_map(graph.graph(), *node);
      for (std::size_t& element : moved) element = source[element];
      if (!columns_after(graph, affine, node->output, moved, targets)) return false;
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

// The affine that alone feeds this one, reshapes between; none() if there is none.
Rewriter::Position affine_before(Rewriter& graph, const Node& affine) {
  ValueId value = affine.inputs[0];
  for (std::size_t views = 0; views <= kMaxViews; ++views) {
    const auto node = graph.producer(value);
    if (node == graph.none() || !graph.is_private(value)) return graph.none();
    if (node->op == Op::affine) return node;
    if (node->op != Op::reshape) return graph.none();
    value = node->inputs[0];
  }
  return graph.none();
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

bool fold(Rewriter& graph, Rewriter::Position position) {
  if (const auto before = rows_before(graph, *position)) {
    const Node affine = *position;  // a copy: bypass() takes it out
    if (!graph.bypass(position)) return false;
    fold_into_rows(affine, *before->node, before->channels);
    return true;
  }
  const auto previous = affine_before(graph, *position);
  if (previous != graph.none() && can_merge(*previous, *position)) {
    const Node affine = *position;
    if (!graph.bypass(position)) return false;
    merge(*previous, affine);
    return true;
  }
  const ValueId output = position->output;
  std::vector<Target> after;
  if (!only_linears_after(graph, output) ||
      !graph.may_follow(sample_elements(graph.shape(output))) ||
      !columns_after(graph, *position, output, same_elements(graph.graph(), output), after)) {
    return false;
  }
  for (const Target& target : after) fold_into_columns(*position, *target.node, target.channels);
  return graph.bypass(position);  // no graph output, so this succeeds
}

}  // namespace

bool fold_affine(Rewriter& graph) {
  bool changed = false;
  for (auto node = graph.nodes().begin(); node != graph.nodes().end();) {
    const auto current = node++;
    if (current->op == Op::affine) changed = fold(graph, current) || changed;
  }
  return changed;
}

}  // namespace octet::convert
