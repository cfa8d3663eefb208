// SPDX-License-Identifier: Apache-2.0
// softmax and log_softmax of floats along any axis but the batch.
#include "kernels/softmax.h"

#include "engine/ops/op_table.h"

namespace octet::engine {
namespace {

struct Params {
  decltype(&kernels::softmax) function;
  AxisExtents extents;
};

void run(const Step& step, const Block& block, Share) {
  const auto& p = *static_cast<const Params*>(step.params);
  const auto [outer, extent, inner] = p.extents;
  for (std::size_t i = 0; i < block.samples; ++i) {
    const float* x = at<const float>(block, step.in[0], i);
    float* y = at<float>(block, step.out, i);
    for (std::size_t o = 0; o < outer; ++o, x += extent * inner, y += extent * inner) {
      for (std::size_t j = 0; j < inner; ++j) p.function(x + j, extent, inner, y + j);
    }
  }
}

}  // namespace

Compiled compile_softmax(const OpContext& context) {
  const bool log = context.node.op == OpType::log_softmax;
  return {.run = run,
          .params = context.storage.keep(Params{log ? kernels::log_softmax : kernels::softmax,
                                                around_axis(context.output(), context.node.axis)}),
          .kernel = log ? "log_softmax" : "softmax"};
}

}  // namespace octet::engine
