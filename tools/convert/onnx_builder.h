// SPDX-License-Identifier: Apache-2.0
// The float graph while the importer builds it: what each ONNX name is bound to, and the ways in
// which an operator's importer adds to it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <utility>

#include "tools/convert/graph.h"
#include "tools/convert/import_limits.h"
#include "tools/convert/onnx_constant.h"
#include "tools/convert/onnx_node.h"

namespace octet::convert {

class GraphBuilder {
 public:
  // taken: bytes of memory that the file itself takes.
  explicit GraphBuilder(const ImportLimits& limits = {}, std::uint64_t taken = 0)
      : limits_(limits), taken_(taken) {}

  Graph graph;
  std::int64_t exported_batch = 0;  // the fixed leading dimension of the inputs; 0: dynamic

  const Shape& shape(ValueId value) const { return graph.values[value].shape; }
  bool is_codes(ValueId value) const { return engine::is_q8(graph.values[value].dtype); }

  // A name that the ONNX graph gives something to. Throws octet::Error (format) for a second one.
  void declare(const std::string& name);

  // A graph input or a node's output. Throws octet::Error (limit) above kMaxRank, kMaxElements or
  // the limit of values.
  ValueId add_value(const std::string& name, Shape shape, engine::DType dtype = engine::DType::f32);

  // Adds op, whose output is the node's output number `output` or, with emit_hidden, a value of its
  // own that a later emit of the same ONNX node reads.
  void emit(const OnnxNode& node, Node op, Shape shape, int output = 0);
  ValueId emit_hidden(const OnnxNode& node, Node op, Shape shape);

  // The node's first output is the same tensor, or a constant.
  void alias(const OnnxNode& node, ValueId value);
  void define(const OnnxNode& node, Constant constant);

  void bind(const std::string& name, Binding binding) { bindings_[name] = std::move(binding); }
  // Null: nothing before this node makes it.
  const Binding* find(const std::string& name) const;

  // The account of memory: take throws octet::Error (limit) where no more is left, give returns
  // some, need only looks.
  void take(std::uint64_t bytes);
  void give(std::uint64_t bytes) noexcept { taken_ -= bytes; }
  void need(std::uint64_t bytes) const;
  std::uint64_t memory_left() const noexcept { return limits_.memory_bytes - taken_; }

  // Constants that are read allow a multiple of their elements to be made of them; spend throws
  // octet::Error (limit) where a small file asks for far more than it holds, or for more memory
  // than is left.
  void allow(std::size_t elements) { budget_ += 8 * elements; }
  void spend(const OnnxNode& node, std::size_t elements);

 private:
  engine::DType output_dtype(const Node& op) const;
  ValueId append(const OnnxNode& node, Node op, Shape shape, const std::string& name);

  const ImportLimits limits_;
  std::uint64_t taken_;
  // Ordered: no choice of names makes them slow.
  std::map<std::string, Binding> bindings_;
  std::set<std::string> names_;
  std::map<std::string, std::size_t> hidden_;  // names made of each first one
  std::size_t budget_ = std::size_t{1} << 24;  // elements that may be made of constants
};

}  // namespace octet::convert
