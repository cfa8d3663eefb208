// SPDX-License-Identifier: Apache-2.0
#include "tools/convert/equalize.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "tools/convert/links.h"

namespace octet::convert {
namespace {

// f(s * x) = s * f(x) for s > 0, in every element by itself.
bool is_homogeneous(const Node& node) {
  if (node.op == Op::unary) return node.function == Unary::leaky_relu;
  const bool low = node.clip_min == 0 || std::isinf(node.clip_min);
  const bool high = node.clip_max == 0 || std::isinf(node.clip_max);
  return (node.op == Op::clip || node.op == Op::linear) && low && high;
}

// The linear that alone feeds this one; kNoNode if there is none, or not in a way that can be
// rescaled.
std::size_t feeder_of(const Graph& graph, const Links& links, const Node& linear) {
  for (ValueId value = linear.inputs[0];;) {
    const std::size_t index = links.producer(value);
    if (index == kNoNode || !links.is_private(value)) return kNoNode;
    const Node& node = graph.nodes[index];
    if (!is_homogeneous(node)) return kNoNode;
    if (node.op == Op::linear) return index;
    value = node.inputs[0];
  }
}

// One neuron: the elements that are divided and those that are multiplied.
struct Neuron {
  std::vector<float*> made;  // its weights, then its bias
  std::size_t weights = 0;   // of made
  std::vector<float*> read;
};

double largest(const std::vector<float*>& elements, std::size_t count) {
  float largest = 0;
  for (std::size_t i = 0; i < count; ++i) largest = std::max(largest, std::abs(*elements[i]));
  return static_cast<double>(largest);
}

bool stays_normal(const std::vector<float*>& elements, int exponent) {
  return std::ranges::all_of(
      elements, [&](const float* x) { return *x == 0 || std::isnormal(std::ldexp(*x, exponent)); });
}

// The exponent of s: half of log2(r1 / r2), rounded.
int exponent_of(double r1, double r2) {
  return (std::ilogb(r1 / r2) + 1) >> 1;
}

bool rescale(const Neuron& neuron) {
  const double r1 = largest(neuron.made, neuron.weights);
  const double r2 = largest(neuron.read, neuron.read.size());
  if (r1 == 0 || r2 == 0) return false;
  const int exponent = exponent_of(r1, r2);
  if (exponent == 0 || !stays_normal(neuron.made, -exponent) ||
      !stays_normal(neuron.read, exponent)) {
    return false;
  }
  for (float* x : neuron.made) *x = std::ldexp(*x, -exponent);
  for (float* x : neuron.read) *x = std::ldexp(*x, exponent);
  return true;
}

Neuron neuron_of(Node& first, Node& second, std::size_t i, std::size_t neurons) {
  Neuron neuron;
  neuron.weights = first.weight.size() / neurons;
  for (std::size_t k = 0; k < neuron.weights; ++k) {
    neuron.made.push_back(&first.weight[i * neuron.weights + k]);
  }
  if (!first.bias.empty()) neuron.made.push_back(&first.bias[i]);
  for (std::size_t m = i; m < second.weight.size(); m += neurons) {
    neuron.read.push_back(&second.weight[m]);
  }
  return neuron;
}

}  // namespace

std::size_t equalize(Graph& graph) {
  const Links links(graph);
  std::vector<std::vector<bool>> rescaled(graph.nodes.size());
  // Neighbours change each other's largest weights; it settles within a few rounds.
  constexpr int kRounds = 32;
  std::size_t changed = 1;
  for (int round = 0; changed > 0 && round < kRounds; ++round) {
    changed = 0;
    for (Node& second : graph.nodes) {
      if (second.op != Op::linear) continue;
      const std::size_t index = feeder_of(graph, links, second);
      if (index == kNoNode) continue;
      Node& first = graph.nodes[index];
      const auto neurons = static_cast<std::size_t>(graph.values[first.output].shape.back());
      rescaled[index].resize(neurons);
      for (std::size_t i = 0; i < neurons; ++i) {
        if (!rescale(neuron_of(first, second, i, neurons))) continue;
        rescaled[index][i] = true;
        ++changed;
      }
    }
  }
  std::size_t count = 0;
  for (const auto& of_node : rescaled) {
    count += static_cast<std::size_t>(std::ranges::count(of_node, true));
  }
  return count;
}

}  // namespace octet::convert
