// SPDX-License-Identifier: Apache-2.0
// The proofs that a file's numbers cannot go wrong: no accumulator leaves int32, no multiplier is
// denormal, infinite or NaN. The rules are those of the arithmetic's version 1.
#include <algorithm>

#include "engine/check.h"

namespace octet::engine::check {
namespace {

// max |a - za| over all codes of x.
std::int64_t largest_offset(const Tensor& x) noexcept {
  return std::max(highest_code(x.dtype) - x.zero_point, x.zero_point - lowest_code(x.dtype));
}

std::int64_t sum_of_magnitudes(const std::byte* weights, std::size_t count) noexcept {
  std::int64_t sum = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const int weight = static_cast<std::int8_t>(weights[i]);
    sum += weight < 0 ? -weight : weight;
  }
  return sum;
}

void check_accumulators(const NodeCheck& check) {
  const auto channels = static_cast<std::size_t>(check.input(1).shape[0]);
  for (std::size_t i = 0; i < channels; ++i) {
    const Accumulator bound = accumulator(check.graph(), check.node(), i);
    constexpr std::int64_t kLimit = std::int64_t{1} << 31;
    if (bound.largest() < kLimit) continue;
    check.fail("channel ", i, ": its accumulator could reach ", bound.largest(), " (|bias| ",
               bound.bias, " + ", bound.weights, " * ", bound.offset, "), the limit is ",
               kLimit - 1, "; split the layer or use a larger weight scale");
  }
}

}  // namespace

// No overflow here: a row has less than 2^31 weights of at most 2^7, times 2^8.
Accumulator accumulator(const Graph& graph, const Node& node, std::size_t channel) noexcept {
  const Tensor& weight = graph.tensors[node.inputs[1]];
  const auto k = static_cast<std::size_t>(weight.shape[1]);
  const std::int64_t sum = sum_of_magnitudes(weight.data.data() + channel * k, k);
  // A dynamic zero point may be any code, and the bias is added as a float.
  if (node.op == OpType::dynamic_linear) return {0, sum, 255};
  const std::int64_t bias = element<std::int32_t>(graph.tensors[node.inputs[3]], channel);
  return {bias < 0 ? -bias : bias, sum, largest_offset(graph.tensors[node.inputs[0]])};
}

void check_linear_numbers(const NodeCheck& check) {
  const Tensor& x = check.input(0);
  const Tensor& scales = check.input(2);
  const Tensor& y = check.output();
  for (std::size_t i = 0; i < static_cast<std::size_t>(scales.shape[0]); ++i) {
    const float scale = element<float>(scales, i);
    if (!is_normal_positive(scale)) {
      check.fail("channel ", i, ": weight_scale ", scale, " is not a positive, normal number");
    }
    if (check.node().op == OpType::dynamic_linear) continue;  // the others are found as it runs
    const float real = x.scale * scale;
    if (!is_normal_positive(real)) {
      check.fail("channel ", i, ": input scale ", x.scale, " times weight_scale ", scale, " is ",
                 real, ", not a normal number");
    }
    if (!is_q8(y.dtype)) continue;
    const float mult = real / y.scale;
    if (!is_normal_positive(mult)) {
      check.fail("channel ", i, ": multiplier ", x.scale, " * ", scale, " / ", y.scale, " is ",
                 mult, ", not a normal number");
    }
  }
  check_accumulators(check);
}

// y = ra * a + (rb * b + c) with c = zy - (ra * za + rb * zb): all terms and sums stay below
// 1024 * (ra + rb) + 256 for codes and zero points of either sign.
void check_add_numbers(const NodeCheck& check) {
  const float y = check.output().scale;
  float sum = 0;
  for (std::size_t i = 0; i < 2; ++i) {
    const float x = check.input(i).scale;
    const float ratio = x / y;
    if (!is_normal_positive(ratio)) {
      check.fail("input ", i, ": multiplier ", x, " / ", y, " is ", ratio, ", not a normal number");
    }
    sum += ratio;
  }
  if (!is_normal_positive(1024 * sum)) {
    check.fail("multipliers ", check.input(0).scale, " / ", y, " and ", check.input(1).scale, " / ",
               y, " are too large: their products with codes are not finite");
  }
}

}  // namespace octet::engine::check
