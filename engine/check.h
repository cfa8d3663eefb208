// SPDX-License-Identifier: Apache-2.0
// What the parts of check_graph() share: a node with its tensors and the prefix of its messages.
// Internal to the check and the parser.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>

#include "engine/errors.h"
#include "engine/graph.h"

namespace octet::engine::check {

// A tensor of more bytes than this is no tensor of a network; sums of sizes below cannot overflow.
inline constexpr std::uint64_t kMaxTensorBytes = std::uint64_t{1} << 40;

// "tensor 3 'fc1.weight'", or "tensor 3" where there is no name.
std::string label(std::string_view kind, std::size_t index, const std::string& name);

// "Nx784", "128x64", "2x3x4"; "scalar" for rank 0, "of rank 9" above kMaxRank.
std::string shape_text(const Tensor& tensor);

// Bytes that a constant of this shape and dtype holds. Throws Error (format) where the rank is not
// 1 to 8, an extent is not in [1, 2^31), or the product exceeds kMaxTensorBytes.
std::uint64_t constant_bytes(const std::string& source, const std::string& what,
                             const Tensor& tensor);

// Positive, finite and not denormal, also where the host flushes denormals.
inline bool is_normal_positive(float x) noexcept {
  return x >= std::numeric_limits<float>::min() && x <= std::numeric_limits<float>::max();
}

// At most 1024 bytes and is_printable(); what stands before ": its name" in the message.
void check_name(const std::string& source, const std::string& what, std::string_view name);

// Tensors, nodes and whatever else a graph has many of. Throws Error (limit).
void check_count(const std::string& source, const char* what, std::size_t count,
                 const Limits& limits);

// A number from a file may be no DType. Throws Error (unsupported).
void check_dtype(const std::string& source, const std::string& what, DType dtype);

// A tensor's name, dtype, extents, quantization and data.
void check_tensor(const Graph& graph, const std::string& source, const Limits& limits,
                  std::size_t index);

// One node whose op, arity and tensor indices are valid.
class NodeCheck {
 public:
  NodeCheck(const Graph& graph, const std::string& source, std::size_t index)
      : graph_(graph), source_(source), index_(index) {}

  const Graph& graph() const noexcept { return graph_; }
  const Node& node() const noexcept { return graph_.nodes[index_]; }
  const Tensor& input(std::size_t i) const noexcept { return graph_.tensors[node().inputs[i]]; }
  const Tensor& output() const noexcept { return graph_.tensors[node().output]; }

  // Throws Error (format): "net.octet: node 3 'fc1' (linear): " and the parts.
  template <class... Parts>
  [[noreturn, gnu::always_inline]] void fail(const Parts&... parts) const {
    const Piece pieces[] = {parts...};
    fail_joined(kKinds<Parts...>, pieces);
  }
  std::string prefix() const;

 private:
  [[noreturn, gnu::cold]] void fail_joined(const char* kinds, const Piece* pieces) const;

  const Graph& graph_;
  const std::string& source_;
  std::size_t index_;
};

// Whether a node clips.
inline bool has_bounds(const Node& node) noexcept {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  return !(node.clip_min == -kInfinity && node.clip_max == kInfinity);
}

// Dtypes, shapes, quantization and attributes of a node, by its op.
void check_op(const NodeCheck& check);

// What a channel of a linear or dynamic_linear can reach: |bias| + sum |w| * max |a - za| over all
// codes a. It holds for every partial sum too, in any order.
struct Accumulator {
  std::int64_t bias;     // |bias|
  std::int64_t weights;  // sum |w|
  std::int64_t offset;   // max |a - za|

  std::int64_t largest() const noexcept { return bias + weights * offset; }
};
Accumulator accumulator(const Graph& graph, const Node& node, std::size_t channel) noexcept;

// The numbers of a linear or dynamic_linear: scales, multipliers and the accumulator of each
// channel. Shapes and dtypes must have been checked.
void check_linear_numbers(const NodeCheck& check);
// The numbers of an add of 8-bit tensors.
void check_add_numbers(const NodeCheck& check);

}  // namespace octet::engine::check
