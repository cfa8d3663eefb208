// SPDX-License-Identifier: Apache-2.0
// What each op asks of its tensors and attributes: the contracts beside OpType, one function each.
#include <algorithm>
#include <array>
#include <span>

#include "engine/check.h"

namespace octet::engine::check {
namespace {

using Shape = std::vector<std::int64_t>;

std::string type_text(const Tensor& tensor) {
  return message(dtype_name(tensor.dtype), " ", shape_text(tensor));
}

void need_activation(const NodeCheck& check, std::size_t i) {
  if (check.input(i).is_constant) {
    check.fail("input ", i, " is a constant, must be an activation");
  }
}

void need_constant(const NodeCheck& check, std::size_t i, const char* what, DType dtype,
                   std::size_t rank) {
  const Tensor& tensor = check.input(i);
  if (!tensor.is_constant) check.fail(what, " must be a constant");
  if (tensor.dtype != dtype || tensor.shape.size() != rank) {
    check.fail(what, " is ", type_text(tensor), ", must be ", dtype_name(dtype), " of rank ", rank);
  }
}

void need_q8(const NodeCheck& check, const char* what, const Tensor& tensor) {
  if (!is_q8(tensor.dtype))
    check.fail(what, " is ", dtype_name(tensor.dtype), ", must be u8 or s8");
}

void need_f32(const NodeCheck& check, const char* what, const Tensor& tensor) {
  if (tensor.dtype != DType::f32) {
    check.fail(what, " is ", dtype_name(tensor.dtype), ", must be f32");
  }
}

void need_same_shape(const NodeCheck& check, const Tensor& a, const Tensor& b) {
  if (a.shape != b.shape) {
    check.fail("output is ", shape_text(b), ", must be ", shape_text(a), " as the input");
  }
}

// Ops that move elements without computing with them.
void need_same_encoding(const NodeCheck& check, const Tensor& a, const Tensor& b) {
  if (a.dtype != b.dtype) {
    check.fail("input is ", dtype_name(a.dtype), ", output is ", dtype_name(b.dtype),
               ", must be the same");
  }
  if (a.scale != b.scale || a.zero_point != b.zero_point) {
    check.fail("input has scale ", a.scale, " and zero point ", a.zero_point, ", output ", b.scale,
               " and ", b.zero_point, ", must be the same; insert a requantize");
  }
}

std::size_t need_axis(const NodeCheck& check, const Tensor& tensor) {
  const std::size_t axis = check.node().axis;
  if (axis < 1 || axis >= tensor.shape.size()) {
    check.fail("axis ", axis, " is outside 1 to ", tensor.shape.size() - 1, ", the dimensions of ",
               shape_text(tensor), " without the batch");
  }
  return axis;
}

void check_quantize(const NodeCheck& check) {
  need_f32(check, "input", check.input(0));
  need_q8(check, "output", check.output());
  need_same_shape(check, check.input(0), check.output());
}

void check_dequantize(const NodeCheck& check) {
  need_q8(check, "input", check.input(0));
  need_f32(check, "output", check.output());
  need_same_shape(check, check.input(0), check.output());
}

void check_requantize(const NodeCheck& check) {
  need_q8(check, "input", check.input(0));
  need_q8(check, "output", check.output());
  need_same_shape(check, check.input(0), check.output());
}

// x [N,...,K], weight [M,K] of `packed` columns per entry, output [N,...,M].
void check_linear_shapes(const NodeCheck& check, std::int64_t packed = 1) {
  const Tensor& x = check.input(0);
  const Tensor& weight = check.input(1);
  if (x.shape.size() < 2)
    check.fail("input is ", shape_text(x), ", needs columns beside the batch");
  if ((x.shape.back() + packed - 1) / packed != weight.shape[1]) {
    check.fail("weight is ", shape_text(weight), ", input has ", x.shape.back(), " columns");
  }
  Shape expected = x.shape;
  expected.back() = weight.shape[0];
  if (check.output().shape != expected) {
    check.fail("weight is ", shape_text(weight), ", input is ", shape_text(x), ", output is ",
               shape_text(check.output()));
  }
}

void need_per_channel(const NodeCheck& check, const char* what, const Tensor& tensor,
                      std::int64_t channels) {
  if (tensor.shape[0] != channels) {
    check.fail(what, " has ", tensor.shape[0], " entries, weight has ", channels, " rows");
  }
}

// Weights, their scales and bias of linear and dynamic_linear.
void check_int8_weights(const NodeCheck& check, DType bias) {
  need_constant(check, 1, "weight", DType::s8, 2);
  need_constant(check, 2, "weight_scale", DType::f32, 1);
  need_constant(check, 3, "bias", bias, 1);
  check_linear_shapes(check);
  const std::int64_t channels = check.input(1).shape[0];
  if (check.input(2).shape[0] != 1) {
    need_per_channel(check, "weight_scale", check.input(2), channels);
  }
  need_per_channel(check, "bias", check.input(3), channels);
  check_linear_numbers(check);
}

void check_linear(const NodeCheck& check) {
  need_q8(check, "input", check.input(0));
  if (check.output().dtype == DType::s32 && has_bounds(check.node())) {
    check.fail("output is s32, it cannot have bounds");
  }
  check_int8_weights(check, DType::s32);
}

void check_float_linear(const NodeCheck& check) {
  need_f32(check, "input", check.input(0));
  need_f32(check, "output", check.output());
  need_constant(check, 1, "weight", DType::f32, 2);
  need_constant(check, 2, "bias", DType::f32, 1);
  check_linear_shapes(check);
  need_per_channel(check, "bias", check.input(2), check.input(1).shape[0]);
}

void check_group_linear(const NodeCheck& check) {
  need_f32(check, "input", check.input(0));
  need_f32(check, "output", check.output());
  const bool is_s8 = check.input(1).dtype == DType::s8;
  need_constant(check, 1, "weight", is_s8 ? DType::s8 : DType::u8, 2);
  need_constant(check, 2, "scale", DType::f32, 2);
  need_constant(check, 3, "bias", DType::f32, 1);
  check_linear_shapes(check, is_s8 ? 1 : 2);
  const std::int64_t group = check.node().group;
  if (group == 0) check.fail("has no group");
  const std::int64_t channels = check.input(1).shape[0];
  const std::int64_t groups = (check.input(0).shape.back() - 1) / group + 1;
  if (check.input(2).shape != Shape{channels, groups}) {
    check.fail("scale is ", shape_text(check.input(2)), ", must be ", channels, "x", groups,
               ", a scale for every ", group, " of the ", check.input(0).shape.back(), " inputs");
  }
  need_per_channel(check, "bias", check.input(3), channels);
}

void check_dynamic_linear(const NodeCheck& check) {
  need_f32(check, "input", check.input(0));
  need_f32(check, "output", check.output());
  need_axis(check, check.input(0));
  check_int8_weights(check, DType::f32);
}

// x f32 -> an entry per sample, or its codes.
void check_dynamic_quantize(const NodeCheck& check, DType dtype, const Shape& shape) {
  need_f32(check, "input", check.input(0));
  const Tensor& y = check.output();
  if (y.dtype != dtype || y.shape != shape) {
    Tensor wanted;
    wanted.dtype = dtype;
    wanted.shape = shape;
    check.fail("output is ", type_text(y), ", must be ", type_text(wanted));
  }
  if (dtype == DType::u8 && (y.scale != 1 || y.zero_point != 0)) {
    check.fail("output has scale ", y.scale, " and zero point ", y.zero_point,
               ", must have 1 and 0: its own are found as it runs");
  }
}

void check_clip(const NodeCheck& check) {
  if (check.input(0).dtype == DType::s32) check.fail("input is s32, must be f32, u8 or s8");
  need_same_encoding(check, check.input(0), check.output());
  need_same_shape(check, check.input(0), check.output());
}

void check_reshape(const NodeCheck& check) {
  need_same_encoding(check, check.input(0), check.output());
  const std::size_t in = sample_elements(check.input(0));
  const std::size_t out = sample_elements(check.output());
  if (in != out) {
    check.fail("input ", shape_text(check.input(0)), " has ", in, " elements per sample, output ",
               shape_text(check.output()), " has ", out);
  }
}

// A constant takes the place of an activation of one sample, for all samples alike.
void check_add_constant(const NodeCheck& check, const Tensor& x, const Tensor& constant) {
  need_q8(check, "the constant", constant);
  if (constant.scale == 0) check.fail("the constant has no scale");
  Shape expected = x.shape;
  expected[0] = 1;
  if (constant.shape != expected) {
    check.fail("the constant is ", shape_text(constant), ", must be one sample of ", shape_text(x));
  }
}

void check_add(const NodeCheck& check) {
  const Tensor& a = check.input(0);
  const Tensor& b = check.input(1);
  const Tensor& y = check.output();
  const bool codes = is_q8(a.dtype) && is_q8(b.dtype) && is_q8(y.dtype);
  const bool floats = a.dtype == DType::f32 && b.dtype == DType::f32 && y.dtype == DType::f32;
  if (!codes && !floats) {
    check.fail("inputs are ", dtype_name(a.dtype), " and ", dtype_name(b.dtype), ", output is ",
               dtype_name(y.dtype), ", must be all 8-bit or all f32");
  }
  if (a.is_constant && b.is_constant) check.fail("both inputs are constants");
  if (a.is_constant) check_add_constant(check, b, a);
  if (b.is_constant) check_add_constant(check, a, b);
  if (!a.is_constant && !b.is_constant && a.shape != b.shape) {
    check.fail("inputs are ", shape_text(a), " and ", shape_text(b), ", must be the same");
  }
  need_same_shape(check, a.is_constant ? b : a, y);
  if (codes) check_add_numbers(check);
}

void check_affine(const NodeCheck& check) {
  need_f32(check, "input", check.input(0));
  need_f32(check, "output", check.output());
  need_same_shape(check, check.input(0), check.output());
  need_constant(check, 1, "scale", DType::f32, 1);
  need_constant(check, 2, "shift", DType::f32, 1);
  const std::int64_t channels = check.input(1).shape[0];
  if (check.input(2).shape[0] != channels) {
    check.fail("scale has ", channels, " entries, shift has ", check.input(2).shape[0]);
  }
  // Both factors are below 2^32 and 2^31.
  const std::uint64_t period = check.node().inner * static_cast<std::uint64_t>(channels);
  const std::size_t elements = sample_elements(check.input(0));
  if (period == 0 || elements % period != 0) {
    check.fail("inner ", check.node().inner, " times ", channels, " channels does not divide the ",
               elements, " elements of a sample");
  }
}

void check_lookup(const NodeCheck& check) {
  need_q8(check, "input", check.input(0));
  need_q8(check, "output", check.output());
  need_same_shape(check, check.input(0), check.output());
  need_constant(check, 1, "table", check.output().dtype, 1);
  if (check.input(1).shape[0] != 256) {
    check.fail("table has ", check.input(1).shape[0], " entries, must have 256");
  }
}

void check_transpose(const NodeCheck& check) {
  const Tensor& x = check.input(0);
  const auto& perm = check.node().perm;
  need_same_encoding(check, x, check.output());
  if (perm.size() != x.shape.size()) {
    check.fail("perm has ", perm.size(), " entries, input has rank ", x.shape.size());
  }
  std::array<bool, kMaxRank> used{};
  Shape expected;
  for (const std::uint32_t axis : perm) {
    if (axis >= perm.size() || used[axis]) {
      check.fail("perm is no permutation of 0 to ", perm.size() - 1, ": it has ", axis,
                 axis < perm.size() ? " twice" : "");
    }
    used[axis] = true;
    expected.push_back(x.shape[axis]);
  }
  if (perm[0] != 0) check.fail("perm moves the batch: it begins with ", perm[0], ", must be 0");
  if (check.output().shape != expected) {
    check.fail("input is ", shape_text(x), ", output is ", shape_text(check.output()),
               ", which perm does not give");
  }
}

// Whether a and b agree in all dimensions but one.
bool same_but(std::size_t axis, const Shape& a, const Shape& b) {
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (i != axis && a[i] != b[i]) return false;
  }
  return true;
}

void check_concat(const NodeCheck& check) {
  const Tensor& y = check.output();
  const std::size_t axis = need_axis(check, y);
  std::int64_t sum = 0;
  for (std::size_t i = 0; i < check.node().inputs.size(); ++i) {
    need_activation(check, i);
    const Tensor& x = check.input(i);
    need_same_encoding(check, x, y);
    if (!same_but(axis, x.shape, y.shape)) {
      check.fail("input ", i, " is ", shape_text(x), ", output is ", shape_text(y),
                 ", they may differ along axis ", axis, " only");
    }
    sum += x.shape[axis];
  }
  if (sum != y.shape[axis]) {
    check.fail("inputs have ", sum, " along axis ", axis, ", output has ", y.shape[axis]);
  }
}

void check_slice(const NodeCheck& check) {
  const Tensor& x = check.input(0);
  const Tensor& y = check.output();
  need_same_encoding(check, x, y);
  const std::size_t axis = need_axis(check, x);
  if (!same_but(axis, x.shape, y.shape)) {
    check.fail("input is ", shape_text(x), ", output is ", shape_text(y),
               ", they may differ along axis ", axis, " only");
  }
  const std::int64_t start = check.node().start;
  if (start + y.shape[axis] > x.shape[axis]) {
    check.fail("takes ", start, " to ", start + y.shape[axis], " along axis ", axis, ", input has ",
               x.shape[axis]);
  }
}

void check_softmax(const NodeCheck& check) {
  need_f32(check, "input", check.input(0));
  need_f32(check, "output", check.output());
  need_same_shape(check, check.input(0), check.output());
  need_axis(check, check.input(0));
}

}  // namespace

void check_op(const NodeCheck& check) {
  if (check.node().op != OpType::add) need_activation(check, 0);
  switch (check.node().op) {
    case OpType::quantize:
      return check_quantize(check);
    case OpType::dequantize:
      return check_dequantize(check);
    case OpType::requantize:
      return check_requantize(check);
    case OpType::linear:
      return check_linear(check);
    case OpType::float_linear:
      return check_float_linear(check);
    case OpType::group_linear:
      return check_group_linear(check);
    case OpType::dynamic_linear:
      return check_dynamic_linear(check);
    case OpType::dynamic_quantize:
      return check_dynamic_quantize(check, DType::u8, check.input(0).shape);
    case OpType::dynamic_scale:
      return check_dynamic_quantize(check, DType::f32, {-1});
    case OpType::dynamic_zero_point:
      return check_dynamic_quantize(check, DType::u8, {-1});
    case OpType::clip:
      return check_clip(check);
    case OpType::reshape:
      return check_reshape(check);
    case OpType::add:
      return check_add(check);
    case OpType::affine:
      return check_affine(check);
    case OpType::lookup:
      return check_lookup(check);
    case OpType::transpose:
      return check_transpose(check);
    case OpType::concat:
      return check_concat(check);
    case OpType::slice:
      return check_slice(check);
    case OpType::softmax:
    case OpType::log_softmax:
      return check_softmax(check);
  }
}

}  // namespace octet::engine::check
