// SPDX-License-Identifier: Apache-2.0
// affine: x * scale + shift per channel, on floats.
#include "engine/ops/op_table.h"

namespace octet::engine {
namespace {

// scale and shift are spread over one period of the channels, `inner` equal entries each.
struct Params {
  decltype(kernels::FloatTable::affine) affine;
  const float* scale;
  const float* shift;
  std::size_t period;
  std::size_t periods;  // per sample
};

void run(const Step& step, const Block& block, Share) {
  const auto& p = *static_cast<const Params*>(step.params);
  for (std::size_t i = 0; i < block.samples; ++i) {
    const float* x = at<const float>(block, step.in[0], i);
    float* y = at<float>(block, step.out, i);
    for (std::size_t j = 0; j < p.periods; ++j, x += p.period, y += p.period) {
      p.affine(x, p.scale, p.shift, p.period, y);
    }
  }
}

}  // namespace

Compiled compile_affine(const OpContext& context) {
  const Tensor& scales = context.input(1);
  const Tensor& shifts = context.input(2);
  const std::size_t inner = context.node.inner;
  const std::size_t period = sample_elements(scales) * inner;
  auto* scale = context.storage.array<float>(period);
  auto* shift = context.storage.array<float>(period);
  for (std::size_t i = 0; i < period; ++i) {
    scale[i] = element<float>(scales, i / inner);
    shift[i] = element<float>(shifts, i / inner);
  }
  return {.run = run,
          .params = context.storage.keep(Params{context.table.f32->affine, scale, shift, period,
                                                sample_elements(context.output()) / period}),
          .kernel = context.kernel("affine_f32"),
          .parameter_bytes = 2 * period * sizeof(float)};
}

}  // namespace octet::engine
