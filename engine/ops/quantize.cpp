// SPDX-License-Identifier: Apache-2.0
// quantize: f32 -> 8 bits, ONNX's QuantizeLinear.
#include "engine/ops/codes.h"
#include "engine/ops/op_table.h"

namespace octet::engine {
namespace {

struct Params {
  decltype(kernels::Table::quantize) quantize;
  kernels::QuantizeParams params;
  std::size_t elements;
};

void run(const Step& step, const Block& block, Share) {
  const auto& p = *static_cast<const Params*>(step.params);
  for_elements<float, std::uint8_t>(
      step, block, p.elements,
      [&](const float* x, std::uint8_t* y, std::size_t n) { p.quantize(x, n, p.params, y); });
}

}  // namespace

Compiled compile_quantize(const OpContext& context) {
  const Tensor& y = context.output();
  return {.run = run,
          .params = context.storage.keep(Params{
              context.table.quantize, quantize_params(y, context.table.sign), sample_elements(y)}),
          .kernel = context.kernel("quantize")};
}

}  // namespace octet::engine
