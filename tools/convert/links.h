// SPDX-License-Identifier: Apache-2.0
// Who makes and who uses each value of a graph that stays as it is.
#pragma once

#include <cstddef>
#include <vector>

#include "tools/convert/graph.h"

namespace octet::convert {

inline constexpr std::size_t kNoNode = static_cast<std::size_t>(-1);

class Links {
 public:
  explicit Links(const Graph& graph);

  // The index of the node that makes a value, kNoNode for a graph input.
  std::size_t producer(ValueId value) const { return producer_[value]; }
  // The nodes that use a value, one entry per use.
  const std::vector<std::size_t>& users(ValueId value) const { return users_[value]; }
  bool is_output(ValueId value) const { return is_output_[value]; }
  // Nobody but one node sees it.
  bool is_private(ValueId value) const { return !is_output_[value] && users_[value].size() == 1; }

 private:
  std::vector<std::size_t> producer_;
  std::vector<std::vector<std::size_t>> users_;
  std::vector<bool> is_output_;
};

}  // namespace octet::convert
