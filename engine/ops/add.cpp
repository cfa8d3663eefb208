// SPDX-License-Identifier: Apache-2.0
// add: two tensors of 8 bits (ONNX Runtime's QLinearAdd), one perhaps a constant, or of floats,
// elementwise, then the bounds.
#include "engine/ops/codes.h"
#include "engine/ops/op_table.h"

namespace octet::engine {
namespace {

// As for_elements(), with two inputs: f(a, b, y, n).
template <class T, class Function>
void for_pairs(const Step& step, const Block& block, std::size_t elements, Function f) {
  const std::size_t stride = step.out.stride;
  const bool equal = step.in[0].stride == stride && step.in[1].stride == stride;
  const std::size_t calls = equal ? 1 : block.samples;
  const std::size_t n = equal ? (block.samples - 1) * (stride / sizeof(T)) + elements : elements;
  for (std::size_t i = 0; i < calls; ++i) {
    f(at<const T>(block, step.in[0], i), at<const T>(block, step.in[1], i),
      at<T>(block, step.out, i), n);
  }
}

struct CodeParams {
  decltype(kernels::Table::add_q8) add;
  std::size_t elements;
  kernels::AddParams params;
  const std::uint8_t* constant;  // one sample in the table's sign, or null
};

void run_q8(const Step& step, const Block& block, Share) {
  const auto& p = *static_cast<const CodeParams*>(step.params);
  for_pairs<std::uint8_t>(step, block, p.elements,
                          [&](const std::uint8_t* a, const std::uint8_t* b, std::uint8_t* y,
                              std::size_t n) { p.add(a, b, n, p.params, y); });
}

// The constant is the first operand or the second: the order of the sums is the formula's.
template <bool kFirst>
void run_q8_constant(const Step& step, const Block& block, Share) {
  const auto& p = *static_cast<const CodeParams*>(step.params);
  for (std::size_t i = 0; i < block.samples; ++i) {
    const auto* x = at<const std::uint8_t>(block, step.in[0], i);
    p.add(kFirst ? p.constant : x, kFirst ? x : p.constant, p.elements, p.params,
          at<std::uint8_t>(block, step.out, i));
  }
}

struct FloatParams {
  decltype(kernels::FloatTable::add) add;
  decltype(kernels::FloatTable::clamp) clamp;
  std::size_t elements;
  float min;
  float max;
};

void run_f32(const Step& step, const Block& block, Share) {
  const auto& p = *static_cast<const FloatParams*>(step.params);
  for_pairs<float>(
      step, block, p.elements,
      [&](const float* a, const float* b, float* y, std::size_t n) { p.add(a, b, n, y); });
}

void run_f32_clamped(const Step& step, const Block& block, Share) {
  const auto& p = *static_cast<const FloatParams*>(step.params);
  for_pairs<float>(step, block, p.elements,
                   [&](const float* a, const float* b, float* y, std::size_t n) {
                     p.add(a, b, n, y);
                     p.clamp(y, n, p.min, p.max, y);
                   });
}

// The formula is evaluated in codes of the output's dtype, whatever the table's sign.
kernels::AddParams add_params(const OpContext& context) {
  const Tensor& y = context.output();
  const auto zero_point = [&](const Tensor& x) {
    return static_cast<float>(x.zero_point + lowest_code(y.dtype) - lowest_code(x.dtype));
  };
  const float ra = context.input(0).scale / y.scale;
  const float rb = context.input(1).scale / y.scale;
  const float offset = ra * zero_point(context.input(0)) + rb * zero_point(context.input(1));
  const std::int32_t shift = code_shift(y.dtype, context.table.sign);
  const Codes codes = clip_codes(context.node, y, context.table);
  return {ra, rb, zero_point(y) - offset, codes.lo - shift, codes.hi - shift, -shift};
}

// A constant operand's codes in the table's sign.
const std::uint8_t* constant_codes(const OpContext& context, const Tensor& constant) {
  const unsigned flip = code_shift(constant.dtype, context.table.sign) == 0 ? 0x00 : 0x80;
  auto* codes = context.storage.array<std::uint8_t>(constant.data.size());
  for (std::size_t i = 0; i < constant.data.size(); ++i) {
    codes[i] = static_cast<std::uint8_t>(element<std::uint8_t>(constant, i) ^ flip);
  }
  return codes;
}

}  // namespace

Compiled compile_add(const OpContext& context) {
  const Node& node = context.node;
  const std::size_t elements = sample_elements(context.output());
  if (is_q8(context.output().dtype)) {
    CodeParams params{context.table.add_q8, elements, add_params(context), nullptr};
    StepFunction run = run_q8;
    for (std::size_t i = 0; i < 2; ++i) {
      if (!context.input(i).is_constant) continue;
      params.constant = constant_codes(context, context.input(i));
      run = i == 0 ? run_q8_constant<true> : run_q8_constant<false>;
    }
    return {.run = run,
            .params = context.storage.keep(params),
            .kernel = context.kernel("add_q8"),
            .parameter_bytes = params.constant != nullptr ? elements : 0};
  }
  const Node unbounded;
  const bool clamped = node.clip_min != unbounded.clip_min || node.clip_max != unbounded.clip_max;
  return {
      .run = clamped ? run_f32_clamped : run_f32,
      .params = context.storage.keep(FloatParams{context.table.f32->add, context.table.f32->clamp,
                                                 elements, node.clip_min, node.clip_max}),
      .kernel = context.kernel("add_f32")};
}

}  // namespace octet::engine
