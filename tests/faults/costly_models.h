// SPDX-License-Identifier: Apache-2.0
// Files that are refused, but late, and that make as much of their size as FlatBuffers, the graph
// and the plan allow.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

namespace octet::test {

struct CostlyModel {
  std::string name;
  std::function<std::vector<std::byte>()> make;
};

std::vector<CostlyModel> costly_models();

}  // namespace octet::test
