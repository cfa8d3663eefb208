// SPDX-License-Identifier: Apache-2.0
// concat and slice along any axis but the batch: runs of bytes that are copied.
#include <cstring>
#include <vector>

#include "engine/ops/op_table.h"

namespace octet::engine {
namespace {

// The output is `outer` groups of the inputs' runs, one after the other.
struct ConcatParams {
  std::size_t outer;
  std::vector<std::size_t> runs;  // bytes, per input
};

void run_concat(const Step& step, const Block& block, Share) {
  const auto& p = *static_cast<const ConcatParams*>(step.params);
  for (std::size_t i = 0; i < block.samples; ++i) {
    std::byte* y = at<std::byte>(block, step.out, i);
    for (std::size_t o = 0; o < p.outer; ++o) {
      for (std::size_t j = 0; j < p.runs.size(); ++j) {
        std::memcpy(y, at<const std::byte>(block, step.in[j], i) + o * p.runs[j], p.runs[j]);
        y += p.runs[j];
      }
    }
  }
}

struct SliceParams {
  std::size_t outer;
  std::size_t in_run;  // bytes
  std::size_t out_run;
  std::size_t start;
};

void run_slice(const Step& step, const Block& block, Share) {
  const auto& p = *static_cast<const SliceParams*>(step.params);
  for (std::size_t i = 0; i < block.samples; ++i) {
    const std::byte* x = at<const std::byte>(block, step.in[0], i) + p.start;
    std::byte* y = at<std::byte>(block, step.out, i);
    for (std::size_t o = 0; o < p.outer; ++o, x += p.in_run, y += p.out_run) {
      std::memcpy(y, x, p.out_run);
    }
  }
}

std::size_t run_bytes(const Tensor& tensor, std::size_t axis) {
  const AxisExtents extents = around_axis(tensor, axis);
  return extents.extent * extents.inner * dtype_bytes(tensor.dtype);
}

}  // namespace

Compiled compile_concat(const OpContext& context) {
  const std::size_t axis = context.node.axis;
  ConcatParams params{around_axis(context.output(), axis).outer, {}};
  for (std::size_t i = 0; i < context.node.inputs.size(); ++i) {
    params.runs.push_back(run_bytes(context.input(i), axis));
  }
  return {.run = run_concat, .params = context.storage.keep(std::move(params)), .kernel = "copy"};
}

Compiled compile_slice(const OpContext& context) {
  const std::size_t axis = context.node.axis;
  const Tensor& x = context.input(0);
  const AxisExtents extents = around_axis(x, axis);
  return {.run = run_slice,
          .params = context.storage.keep(
              SliceParams{extents.outer, run_bytes(x, axis), run_bytes(context.output(), axis),
                          context.node.start * extents.inner * dtype_bytes(x.dtype)}),
          .kernel = "copy"};
}

}  // namespace octet::engine
