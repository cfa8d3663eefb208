// SPDX-License-Identifier: Apache-2.0
// clip: bounds on 8-bit codes or on floats.
#include "engine/ops/codes.h"
#include "engine/ops/op_table.h"

namespace octet::engine {
namespace {

struct CodeParams {
  decltype(kernels::Table::clamp_q8) clamp;
  std::size_t elements;
  Codes codes;
};

void run_q8(const Step& step, const Block& block, Share) {
  const auto& p = *static_cast<const CodeParams*>(step.params);
  for_elements<std::uint8_t, std::uint8_t>(
      step, block, p.elements, [&](const std::uint8_t* x, std::uint8_t* y, std::size_t n) {
        p.clamp(x, n, p.codes.lo, p.codes.hi, y);
      });
}

struct FloatParams {
  decltype(kernels::FloatTable::clamp) clamp;
  std::size_t elements;
  float min;
  float max;
};

void run_f32(const Step& step, const Block& block, Share) {
  const auto& p = *static_cast<const FloatParams*>(step.params);
  for_elements<float, float>(step, block, p.elements, [&](const float* x, float* y, std::size_t n) {
    p.clamp(x, n, p.min, p.max, y);
  });
}

}  // namespace

Compiled compile_clip(const OpContext& context) {
  const Node& node = context.node;
  const Tensor& y = context.output();
  const std::size_t elements = sample_elements(y);
  if (is_q8(y.dtype)) {
    return {.run = run_q8,
            .params = context.storage.keep(
                CodeParams{context.table.clamp_q8, elements, clip_codes(node, y, context.table)}),
            .kernel = context.kernel("clamp_q8")};
  }
  return {.run = run_f32,
          .params = context.storage.keep(
              FloatParams{context.table.f32->clamp, elements, node.clip_min, node.clip_max}),
          .kernel = context.kernel("clamp_f32")};
}

}  // namespace octet::engine
