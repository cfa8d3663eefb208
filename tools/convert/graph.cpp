// SPDX-License-Identifier: Apache-2.0
// Names, sizes and the unary functions of the converter's graph.
#include "tools/convert/graph.h"

#include <algorithm>
#include <cmath>

namespace octet::convert {

std::string_view op_name(const Node& node) noexcept {
  switch (node.op) {
    case Op::linear:
      return "linear";
    case Op::affine:
      return "affine";
    case Op::add:
      return "add";
    case Op::clip:
      return "clip";
    case Op::reshape:
      return "reshape";
    case Op::transpose:
      return "transpose";
    case Op::concat:
      return "concat";
    case Op::slice:
      return "slice";
    case Op::softmax:
      return "softmax";
    case Op::log_softmax:
      return "log_softmax";
    case Op::quantize:
      return "quantize";
    case Op::dequantize:
      return "dequantize";
    case Op::sums:
      return "sums";
    case Op::dynamic_quantize:
      return "dynamic_quantize";
    case Op::dynamic_scale:
      return "dynamic_scale";
    case Op::dynamic_zero_point:
      return "dynamic_zero_point";
    case Op::unary:
      break;
  }
  switch (node.function) {
    case Unary::sigmoid:
      return "sigmoid";
    case Unary::tanh:
      return "tanh";
    case Unary::leaky_relu:
      return "leaky_relu";
    case Unary::elu:
      return "elu";
    case Unary::hard_sigmoid:
      return "hard_sigmoid";
    case Unary::softplus:
      return "softplus";
  }
  return "unknown";
}

std::size_t sample_elements(const Shape& shape) noexcept {
  return elements_behind(shape, 0);
}

std::size_t elements_behind(const Shape& shape, std::size_t axis) noexcept {
  std::size_t elements = 1;
  for (std::size_t i = axis + 1; i < shape.size(); ++i) {
    elements *= static_cast<std::size_t>(shape[i]);
  }
  return elements;
}

double apply_unary(Unary function, double x, float alpha, float beta) noexcept {
  const double a = alpha;
  switch (function) {
    case Unary::sigmoid:
      return 1.0 / (1.0 + std::exp(-x));
    case Unary::tanh:
      return std::tanh(x);
    case Unary::leaky_relu:
      return x < 0 ? a * x : x;
    case Unary::elu:
      return x < 0 ? a * std::expm1(x) : x;
    case Unary::hard_sigmoid:
      return std::clamp(a * x + static_cast<double>(beta), 0.0, 1.0);
    case Unary::softplus:  // log(1 + exp(x)) without overflow
      return std::max(x, 0.0) + std::log1p(std::exp(-std::fabs(x)));
  }
  return x;
}

}  // namespace octet::convert
