// SPDX-License-Identifier: Apache-2.0
// transpose: any permutation of a sample's dimensions. Dimensions that stay neighbours are merged
// at load.
#include <array>
#include <cstring>

#include "engine/ops/op_table.h"

namespace octet::engine {
namespace {

// Output dimensions, outermost first: extents, and the input's strides in elements.
struct Params {
  std::size_t rank = 0;  // at least 1
  std::array<std::size_t, kMaxRank> extents{};
  std::array<std::size_t, kMaxRank> strides{};
};

// Calls f(x, y) for each run of the innermost dimension: x its first element in the input, y in the
// output.
template <class T, class Function>
void for_runs(const Params& p, const T* x, T* y, Function f) {
  const std::size_t last = p.rank - 1;
  std::array<std::size_t, kMaxRank> index{};
  while (true) {
    f(x, y);
    y += p.extents[last];
    std::size_t d = last;
    while (true) {
      if (d == 0) return;
      --d;
      x += p.strides[d];
      if (++index[d] < p.extents[d]) break;
      x -= p.strides[d] * p.extents[d];
      index[d] = 0;
    }
  }
}

template <class T>
void run_elements(const Step& step, const Block& block, Share) {
  const auto& p = *static_cast<const Params*>(step.params);
  const std::size_t n = p.extents[p.rank - 1];
  const std::size_t stride = p.strides[p.rank - 1];
  for (std::size_t i = 0; i < block.samples; ++i) {
    for_runs(p, at<const T>(block, step.in[0], i), at<T>(block, step.out, i),
             [&](const T* x, T* y) {
               for (std::size_t j = 0; j < n; ++j) y[j] = x[j * stride];
             });
  }
}

// The innermost dimension is contiguous in the input too.
template <class T>
void run_rows(const Step& step, const Block& block, Share) {
  const auto& p = *static_cast<const Params*>(step.params);
  const std::size_t bytes = p.extents[p.rank - 1] * sizeof(T);
  for (std::size_t i = 0; i < block.samples; ++i) {
    for_runs(p, at<const T>(block, step.in[0], i), at<T>(block, step.out, i),
             [&](const T* x, T* y) { std::memcpy(y, x, bytes); });
  }
}

Params make_params(const Tensor& x, const std::vector<std::uint32_t>& perm) {
  std::array<std::size_t, kMaxRank> strides{};
  std::size_t stride = 1;
  for (std::size_t i = x.shape.size(); i-- > 1;) {
    strides[i] = stride;
    stride *= static_cast<std::size_t>(x.shape[i]);
  }
  Params p;
  for (std::size_t i = 1; i < perm.size(); ++i) {
    const auto extent = static_cast<std::size_t>(x.shape[perm[i]]);
    if (extent == 1) continue;
    const std::size_t step = strides[perm[i]];
    if (p.rank > 0 && p.strides[p.rank - 1] == extent * step) {
      p.extents[p.rank - 1] *= extent;
      p.strides[p.rank - 1] = step;
    } else {
      p.extents[p.rank] = extent;
      p.strides[p.rank] = step;
      ++p.rank;
    }
  }
  if (p.rank == 0) {
    p.rank = 1;
    p.extents[0] = p.strides[0] = 1;
  }
  return p;
}

template <class T>
StepFunction choose(const Params& p) {
  return p.strides[p.rank - 1] == 1 ? run_rows<T> : run_elements<T>;
}

}  // namespace

Compiled compile_transpose(const OpContext& context) {
  const Tensor& x = context.input(0);
  const Params params = make_params(x, context.node.perm);
  return {.run = is_q8(x.dtype) ? choose<std::uint8_t>(params) : choose<float>(params),
          .params = context.storage.keep(params),
          .kernel = "transpose"};
}

}  // namespace octet::engine
