// SPDX-License-Identifier: Apache-2.0
// dequantize: 8 bits -> f32, ONNX's DequantizeLinear.
#include "engine/ops/codes.h"
#include "engine/ops/op_table.h"

namespace octet::engine {
namespace {

struct Params {
  decltype(kernels::Table::dequantize) dequantize;
  float scale;
  std::int32_t zero_point;
  std::size_t elements;
};

void run(const Step& step, const Block& block, Share) {
  const auto& p = *static_cast<const Params*>(step.params);
  for_elements<std::uint8_t, float>(step, block, p.elements,
                                    [&](const std::uint8_t* x, float* y, std::size_t n) {
                                      p.dequantize(x, n, p.scale, p.zero_point, y);
                                    });
}

}  // namespace

Compiled compile_dequantize(const OpContext& context) {
  const Tensor& x = context.input(0);
  return {.run = run,
          .params = context.storage.keep(Params{context.table.dequantize, x.scale,
                                                shifted_zero_point(x, context.table.sign),
                                                sample_elements(x)}),
          .kernel = context.kernel("dequantize")};
}

}  // namespace octet::engine
