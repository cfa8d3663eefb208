// SPDX-License-Identifier: Apache-2.0
// Walks the output's elements in row-major order with one stride of the input per dimension.
#include "tools/convert/view_map.h"

#include <numeric>

namespace octet::convert {

std::vector<std::size_t> view_map(const Graph& graph, const Node& node) {
  const Shape& in = graph.values[node.inputs[0]].shape;
  const Shape& out = graph.values[node.output].shape;
  std::vector<std::size_t> map(sample_elements(out));
  if (node.op == Op::reshape) {
    std::iota(map.begin(), map.end(), std::size_t{0});
    return map;
  }
  std::vector<std::size_t> in_stride(in.size(), 1);
  for (std::size_t d = in.size() - 1; d > 1; --d) {
    in_stride[d - 1] = in_stride[d] * static_cast<std::size_t>(in[d]);
  }
  std::vector<std::size_t> stride(out.size());
  for (std::size_t d = 1; d < out.size(); ++d) {
    stride[d] = in_stride[node.op == Op::transpose ? node.perm[d] : d];
  }
  std::size_t source = node.op == Op::slice ? node.start * in_stride[node.axis] : 0;
  std::vector<std::size_t> index(out.size(), 0);
  for (std::size_t& element : map) {
    element = source;
    for (std::size_t d = out.size(); d-- > 1;) {
      source += stride[d];
      if (++index[d] < static_cast<std::size_t>(out[d])) break;
      source -= stride[d] * index[d];
      index[d] = 0;
    }
  }
  return map;
}

}  // namespace octet::convert
