// SPDX-License-Identifier: Apache-2.0
#include "tools/convert/links.h"

namespace octet::convert {

Links::Links(const Graph& graph)
    : producer_(graph.values.size(), kNoNode),
      users_(graph.values.size()),
      is_output_(graph.values.size()) {
  for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
    producer_[graph.nodes[i].output] = i;
    for (const ValueId input : graph.nodes[i].inputs) users_[input].push_back(i);
  }
  for (const ValueId output : graph.outputs) is_output_[output] = true;
}

}  // namespace octet::convert
