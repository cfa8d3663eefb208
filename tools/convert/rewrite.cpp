// SPDX-License-Identifier: Apache-2.0
// The links of a graph that is rewritten.
#include "tools/convert/rewrite.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace octet::convert {

Rewriter::Rewriter(Graph& graph)
    : graph_(graph),
      nodes_(std::make_move_iterator(graph.nodes.begin()),
             std::make_move_iterator(graph.nodes.end())),
      producer_(graph.values.size(), nodes_.end()),
      users_(graph.values.size()),
      is_output_(graph.values.size()) {
  graph.nodes.clear();
  for (const ValueId output : graph.outputs) is_output_[output] = true;
  for (Position node = nodes_.begin(); node != nodes_.end(); ++node) {
    producer_[node->output] = node;
    add_uses(node);
  }
}

void Rewriter::finish() {
  graph_.nodes.assign(std::make_move_iterator(nodes_.begin()),
                      std::make_move_iterator(nodes_.end()));
  nodes_.clear();
}

ValueId Rewriter::add_value(const std::string& name, ValueId like, engine::DType dtype) {
  graph_.values.push_back({name, Shape(shape(like)), dtype});
  producer_.push_back(nodes_.end());
  users_.emplace_back();
  is_output_.push_back(false);
  return static_cast<ValueId>(graph_.values.size() - 1);
}

Rewriter::Position Rewriter::insert(Position before, Node node) {
  const Position position = nodes_.insert(before, std::move(node));
  producer_[position->output] = position;
  add_uses(position);
  return position;
}

void Rewriter::set_inputs(Position node, std::vector<ValueId> inputs) {
  std::swap(node->inputs, inputs);
  add_uses(node);  // before anything is dropped: what is used on is not dropped
  for (const ValueId before : inputs) remove_use(before, node);
  for (const ValueId before : inputs) drop_if_unused(before);
}

void Rewriter::set_output(Position node, ValueId value) {
  producer_[node->output] = nodes_.end();
  node->output = value;
  producer_[value] = node;
}

void Rewriter::erase(Position node) {
  set_inputs(node, {});
  if (producer_[node->output] == node) producer_[node->output] = nodes_.end();
  nodes_.erase(node);
}

void Rewriter::become_copy(Position node, ValueId x) {
  Node copy;
  copy.op = Op::reshape;
  copy.name = std::move(node->name);
  copy.inputs = std::move(node->inputs);
  copy.output = node->output;
  *node = std::move(copy);
  set_inputs(node, {x});
}

bool Rewriter::bypass(Position node) {
  const ValueId x = node->inputs[0];
  const ValueId y = node->output;
  if (is_output(y) && (is_output(x) || producer(x) == nodes_.end())) return false;
  remove_use(x, node);
  const ValueId kept = is_output(y) ? y : x;
  const ValueId gone = is_output(y) ? x : y;
  if (kept == y) {
    set_output(producer(x), y);
  } else {
    producer_[y] = nodes_.end();
  }
  nodes_.erase(node);
  for (const Position user : users_[gone]) {
    std::ranges::replace(user->inputs, gone, kept);
    users_[kept].push_back(user);
  }
  users_[gone].clear();
  drop_if_unused(kept);
  return true;
}

bool Rewriter::may_compute(std::size_t elements) noexcept {
  if (elements > elements_left_) return false;
  elements_left_ -= elements;
  return true;
}

bool Rewriter::may_follow(std::size_t elements) noexcept {
  constexpr std::size_t kMost = std::size_t{1} << 21;  // 16 MiB for each of up to kMaxViews lists
  return elements <= kMost && may_compute(elements);
}

void Rewriter::add_uses(Position node) {
  for (const ValueId input : node->inputs) users_[input].push_back(node);
}

void Rewriter::remove_use(ValueId value, Position node) {
  std::vector<Position>& users = users_[value];
  users.erase(std::ranges::find(users, node));
}

void Rewriter::drop_if_unused(ValueId value) {
  std::vector<ValueId> values{value};
  while (!values.empty()) {
    const ValueId unused = values.back();
    values.pop_back();
    const Position node = producer_[unused];
    if (node == nodes_.end() || is_output_[unused] || !users_[unused].empty()) continue;
    for (const ValueId input : node->inputs) remove_use(input, node);
    values.insert(values.end(), node->inputs.begin(), node->inputs.end());
    producer_[unused] = nodes_.end();
    nodes_.erase(node);
  }
}

}  // namespace octet::convert
