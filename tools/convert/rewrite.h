// SPDX-License-Identifier: Apache-2.0
// What the simplifier's passes share: the graph with its links, and the changes that keep them
// right. Internal to simplify().
#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <string>
#include <vector>

#include "tools/convert/graph.h"

namespace octet::convert {

// Views between an affine or a clip and the node that takes it in, at most.
inline constexpr std::size_t kMaxViews = 16;

// A graph while it is rewritten. Its nodes stand in a list, so that each change costs as much as
// what it changes, and a pass over all nodes makes all its rewrites. A node is taken out as soon as
// no output needs it.
class Rewriter {
 public:
  using Position = std::list<Node>::iterator;

  explicit Rewriter(Graph& graph);  // takes its nodes, of which none is dead
  Rewriter(const Rewriter&) = delete;
  Rewriter& operator=(const Rewriter&) = delete;
  void finish();  // gives them back

  Graph& graph() noexcept { return graph_; }
  const Graph& graph() const noexcept { return graph_; }  // its nodes are here
  std::list<Node>& nodes() noexcept { return nodes_; }
  const Shape& shape(ValueId value) const { return graph_.values[value].shape; }

  // Who makes a value; none() for a graph input.
  Position producer(ValueId value) const { return producer_[value]; }
  Position none() noexcept { return nodes_.end(); }
  // The nodes that use a value, one entry per use.
  const std::vector<Position>& users(ValueId value) const { return users_[value]; }
  bool is_output(ValueId value) const { return is_output_[value]; }
  // Nobody but one node sees it.
  bool is_private(ValueId value) const { return !is_output_[value] && users_[value].size() == 1; }

  ValueId add_value(const std::string& name, ValueId like, engine::DType dtype);
  Position insert(Position before, Node node);
  void set_inputs(Position node, std::vector<ValueId> inputs);
  // The value that the node made before has no producer any more.
  void set_output(Position node, ValueId value);
  // Takes the node out; its output has another producer, or no users.
  void erase(Position node);
  // The node only repeats x, which simplify_views() then takes out.
  void become_copy(Position node, ValueId x);
  // Takes out a node whose output equals its first input: one value takes the place of both, under
  // the name of a graph output if one of them is. False, and nothing done, where both are seen from
  // outside.
  bool bypass(Position node);

  // What rewrites compute element by element is bounded: in all by may_compute, and in memory,
  // where a pass follows the elements of one value, by may_follow. False: the rewrite must not be
  // made.
  bool may_compute(std::size_t elements) noexcept;
  bool may_follow(std::size_t elements) noexcept;

 private:
  void add_uses(Position node);
  void remove_use(ValueId value, Position node);
  void drop_if_unused(ValueId value);

  Graph& graph_;
  std::list<Node> nodes_;
  std::vector<Position> producer_;
  std::vector<std::vector<Position>> users_;
  std::vector<bool> is_output_;
  std::size_t elements_left_ = std::size_t{1} << 27;  // a second or two
};

// Each pass goes once over all nodes, from the inputs to the outputs, and says whether it rewrote
// any.
// Nodes that change nothing (a reshape to the same shape, a clip at infinity, ...), chains of
// reshapes or of transposes.
bool simplify_views(Rewriter& graph);
// An affine into the linear or affine before it, or into all linears after it, also through views.
bool fold_affine(Rewriter& graph);
// A clip into the linear, add or clip before it, also through views.
bool fuse_clip(Rewriter& graph);
// A quantize or dequantize that another node of the same value does already.
bool merge_twins(Rewriter& graph);
// quantize and dequantize to the nodes that compute, where they come from a quantized graph.
bool fold_qdq(Rewriter& graph);

}  // namespace octet::convert
