// SPDX-License-Identifier: Apache-2.0
// dynamic_quantize, dynamic_scale, dynamic_zero_point: the three results of ONNX's
// DynamicQuantizeLinear, each of its own op, for networks that show them.
#include "engine/ops/dynamic.h"
#include "engine/ops/op_table.h"

namespace octet::engine {
namespace {

struct Params {
  DynamicQuantizer quantizer;
  std::size_t elements;
};

template <class Function>
void for_samples(const Step& step, const Block& block, Function f) {
  const auto& p = *static_cast<const Params*>(step.params);
  for (std::size_t i = 0; i < block.samples; ++i) {
    const auto* x = at<const float>(block, step.in[0], i);
    f(p, x, p.quantizer.choose(x, p.elements), i);
  }
}

void run_codes(const Step& step, const Block& block, Share) {
  for_samples(
      step, block,
      [&](const Params& p, const float* x, const kernels::QuantizeParams& chosen, std::size_t i) {
        p.quantizer.quantize_codes(x, p.elements, chosen, at<std::uint8_t>(block, step.out, i));
      });
}

void run_scale(const Step& step, const Block& block, Share) {
  for_samples(step, block,
              [&](const Params&, const float*, const kernels::QuantizeParams& chosen,
                  std::size_t i) { *at<float>(block, step.out, i) = chosen.scale; });
}

void run_zero_point(const Step& step, const Block& block, Share) {
  for_samples(
      step, block,
      [&](const Params&, const float*, const kernels::QuantizeParams& chosen, std::size_t i) {
        *at<std::uint8_t>(block, step.out, i) = static_cast<std::uint8_t>(chosen.zero_point);
      });
}

}  // namespace

Compiled compile_dynamic_quantize(const OpContext& context) {
  const OpType op = context.node.op;
  return {.run = op == OpType::dynamic_quantize ? run_codes
                 : op == OpType::dynamic_scale  ? run_scale
                                                : run_zero_point,
          .params = context.storage.keep(
              Params{DynamicQuantizer(context.table), sample_elements(context.input(0))}),
          .kernel = context.kernel("quantize")};
}

}  // namespace octet::engine
