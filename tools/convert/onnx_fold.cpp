// SPDX-License-Identifier: Apache-2.0
// Constants from constants: Constant, Cast, Identity and broadcast arithmetic, as ONNX computes
// them.
#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "engine/errors.h"
#include "tools/convert/onnx_ops.h"
#include "tools/convert/onnx_quantization.h"

namespace octet::convert {
namespace {

using onnx::AttributeProto;

constexpr double kInt64End = 0x1p63;

std::int64_t to_integer(const OnnxNode& node, float value) {
  const double real = std::trunc(static_cast<double>(value));
  if (!(real >= -kInt64End && real < kInt64End)) {
    node.invalid("it casts " + std::to_string(value) + " to an integer");
  }
  return static_cast<std::int64_t>(real);
}

void check_fits(const OnnxNode& node, std::int64_t value, std::int32_t type) {
  const bool fits =
      type == onnx::TensorProto::INT64 || value == kBatchSize || fits_type(value, type);
  if (!fits) {
    node.invalid("it casts " + std::to_string(value) + " to " + element_type_name(type) +
                 ", where it does not fit (a zero point outside its type?)");
  }
}

[[noreturn]] void refuse_batch(const OnnxNode& node) {
  node.refuse(
      "it computes with the size of the batch, which is known only when the network runs; "
      "export the shape with -1 in front instead");
}

std::int64_t compute(const OnnxNode& node, char op, std::int64_t a, std::int64_t b,
                     std::int32_t type) {
  // A product or quotient of 1 is what exporters leave in shapes of a symbolic batch.
  if (b == 1 && (op == '*' || op == '/')) return a;
  if (a == 1 && op == '*') return b;
  if (a == kBatchSize || b == kBatchSize) refuse_batch(node);
  std::int64_t result = 0;
  bool overflow = false;
  switch (op) {
    case '+':
      overflow = __builtin_add_overflow(a, b, &result);
      break;
    case '-':
      overflow = __builtin_sub_overflow(a, b, &result);
      break;
    case '*':
      overflow = __builtin_mul_overflow(a, b, &result);
      break;
    default:
      overflow = b == 0 || (b == -1 && a == std::numeric_limits<std::int64_t>::min());
      if (!overflow) result = a / b;
  }
  const bool fits = type == onnx::TensorProto::INT64 || fits_type(result, type);
  if (overflow || !fits || result == kBatchSize) {
    node.invalid("its result on " + std::to_string(a) + " and " + std::to_string(b) + " is no " +
                 element_type_name(type));
  }
  return result;
}

float compute(const OnnxNode&, char op, float a, float b, std::int32_t) {
  return op == '+' ? a + b : op == '-' ? a - b : op == '*' ? a * b : a / b;
}

// Dims of the broadcast result.
Dims broadcast(const OnnxNode& node, const Dims& a, const Dims& b) {
  Dims result(std::max(a.size(), b.size()));
  for (std::size_t i = 0; i < result.size(); ++i) {  // from the last dimension on
    const std::int64_t x = i < a.size() ? a[a.size() - 1 - i] : 1;
    const std::int64_t y = i < b.size() ? b[b.size() - 1 - i] : 1;
    if (x != y && x != 1 && y != 1) {
      node.invalid("its shapes " + to_text(a) + " and " + to_text(b) + " cannot be broadcast");
    }
    result[result.size() - 1 - i] = x == 1 ? y : x;
  }
  return result;
}

// Goes through the elements of a tensor of shape dims: where each lies in one of shape from,
// broadcast to it.
class BroadcastWalk {
 public:
  BroadcastWalk(const Dims& dims, const Dims& from) {
    std::size_t step = 1;
    for (std::size_t i = 1; i <= from.size(); ++i) {
      const auto own = static_cast<std::size_t>(from[from.size() - i]);
      axes_.push_back({static_cast<std::size_t>(dims[dims.size() - i]), own == 1 ? 0 : step});
      step *= own;
    }
    if (step == 1) axes_.clear();  // one element for all
  }
  std::size_t offset() const noexcept { return offset_; }
  void next() noexcept {
    for (Axis& axis : axes_) {
      offset_ += axis.step;
      if (++axis.index < axis.extent) return;
      offset_ -= axis.step * axis.extent;
      axis.index = 0;
    }
  }

 private:
  struct Axis {
    std::size_t extent;
    std::size_t step;  // 0 where from has one element for all
    std::size_t index = 0;
  };
  std::vector<Axis> axes_;  // the last first
  std::size_t offset_ = 0;
};

}  // namespace

void fold_constant(const OnnxNode& node, GraphBuilder& builder) {
  if (node.proto().attribute_size() != 1) {
    node.invalid("has " + std::to_string(node.proto().attribute_size()) + " attributes, not one");
  }
  const AttributeProto& value = node.proto().attribute(0);
  Constant constant;
  switch (value.type()) {
    case AttributeProto::TENSOR:
      constant = read_constant(value.t(), builder.graph.source, builder.memory_left(),
                               &node.proto().output(0));
      break;
    case AttributeProto::FLOAT:
      constant.floats = {value.f()};
      break;
    case AttributeProto::FLOATS:
      constant.floats.assign(value.floats().begin(), value.floats().end());
      constant.dims = {value.floats_size()};
      break;
    case AttributeProto::INT:
      constant.ints = {value.i()};
      constant.is_float = false;
      break;
    case AttributeProto::INTS:
      constant.ints.assign(value.ints().begin(), value.ints().end());
      constant.dims = {value.ints_size()};
      constant.is_float = false;
      break;
    default:
      node.refuse("its " + (engine::is_printable(value.name()) ? value.name() : "value") +
                  " is no dense tensor of numbers");
  }
  std::replace(constant.ints.begin(), constant.ints.end(), kBatchSize, kBatchSize - 1);
  builder.allow(constant.size());
  builder.define(node, std::move(constant));
}

void fold_identity(const OnnxNode& node, GraphBuilder& builder) {
  node.need_constant(0, "input");
  builder.bind(node.proto().output(0), node.binding(0));
}

void fold_cast(const OnnxNode& node, GraphBuilder& builder) {
  const Constant& from = node.need_constant(0, "input");
  const std::int64_t to = node.attribute("to", std::int64_t{0});
  Constant result;
  result.type = static_cast<std::int32_t>(to);
  result.dims = from.dims;
  switch (to) {
    case onnx::TensorProto::FLOAT:
    case onnx::TensorProto::DOUBLE:
      result.floats = from.floats;
      for (const std::int64_t value : from.ints) {
        if (value == kBatchSize) refuse_batch(node);
        result.floats.push_back(static_cast<float>(value));
      }
      break;
    case onnx::TensorProto::INT64:
    case onnx::TensorProto::INT32:
    case onnx::TensorProto::UINT8:
    case onnx::TensorProto::INT8:
      result.is_float = false;
      result.ints = from.ints;
      for (const float value : from.floats) result.ints.push_back(to_integer(node, value));
      for (const std::int64_t value : result.ints) {
        const bool is_8_bit = codes_dtype(result.type).has_value();
        if (value == kBatchSize && is_8_bit) refuse_batch(node);
        check_fits(node, value, result.type);
      }
      break;
    case onnx::TensorProto::BOOL:
      result.is_float = false;
      for (const float value : from.floats) result.ints.push_back(value != 0.0f);
      for (const std::int64_t value : from.ints) result.ints.push_back(value != 0);
      break;
    default:
      node.refuse(
          "it casts a constant to " + element_type_name(static_cast<std::int32_t>(to)) +
          "; octet's constants are float, int64, int32, int8, uint8 and bool: export in float32");
  }
  builder.spend(node, result.size());
  builder.define(node, std::move(result));
}

void fold_constant_of_shape(const OnnxNode& node, GraphBuilder& builder) {
  Constant result;
  result.dims = node.need_ints(0, "input");
  if (std::ranges::find(result.dims, kBatchSize) != result.dims.end()) refuse_batch(node);
  const std::size_t count = count_elements(result.dims, builder.graph.source + ": " + node.where());
  builder.spend(node, count);
  Constant value;
  value.floats = {0};
  value.type = onnx::TensorProto::FLOAT;
  if (const auto* given = node.find_attribute("value", AttributeProto::TENSOR)) {
    value = read_constant(given->t(), builder.graph.source, builder.memory_left(),
                          &node.proto().output(0));
    if (value.size() != 1) node.invalid("its value has more than one element");
  }
  result.is_float = value.is_float;
  result.type = value.type;
  if (value.is_float) {
    result.floats.assign(count, value.floats[0]);
  } else {
    result.ints.assign(count, value.ints[0]);
  }
  builder.define(node, std::move(result));
}

// Of integers only: what some exporters put around 8-bit weights that use 7 bits.
void fold_clip(const OnnxNode& node, GraphBuilder& builder) {
  Constant result = node.need_constant(0, "input");
  if (result.is_float) {
    node.refuse(
        "it clips a constant of floats, and octet does not compute it while converting; "
        "export the model with constant folding, or run onnxsim");
  }
  const auto bound = [&](std::size_t input, const char* role, std::int64_t otherwise) {
    if (!node.has(input)) return otherwise;
    const Constant& given = node.need_constant(input, role);
    if (given.is_float || given.size() != 1 || given.type != result.type) {
      node.invalid(std::string("its ") + role + " is no scalar of its input's type, " +
                   element_type_name(result.type));
    }
    return given.ints[0];
  };
  const std::int64_t min = bound(1, "min", std::numeric_limits<std::int64_t>::min());
  const std::int64_t max = bound(2, "max", std::numeric_limits<std::int64_t>::max());
  builder.spend(node, result.size());
  for (std::int64_t& value : result.ints) value = std::min(std::max(value, min), max);
  builder.define(node, std::move(result));
}

void fold_arithmetic(const OnnxNode& node, GraphBuilder& builder) {
  const Constant& a = node.need_constant(0, "A");
  const Constant& b = node.need_constant(1, "B");
  if (a.is_float != b.is_float) node.invalid("it mixes floats and integers");
  const std::string& type = node.proto().op_type();
  const char op = type == "Add" ? '+' : type == "Sub" ? '-' : type == "Mul" ? '*' : '/';
  Constant result;
  result.is_float = a.is_float;
  result.type = a.type;
  result.dims = broadcast(node, a.dims, b.dims);
  const std::size_t count = count_elements(result.dims, builder.graph.source + ": " + node.where());
  builder.spend(node, count);
  const auto fill = [&](const auto& x, const auto& y, auto& z) {
    z.reserve(count);
    BroadcastWalk from_a(result.dims, a.dims);
    BroadcastWalk from_b(result.dims, b.dims);
    for (std::size_t i = 0; i < count; ++i, from_a.next(), from_b.next()) {
      z.push_back(compute(node, op, x[from_a.offset()], y[from_b.offset()], result.type));
    }
  };
  if (a.is_float) {
    fill(a.floats, b.floats, result.floats);
  } else {
    fill(a.ints, b.ints, result.ints);
  }
  builder.define(node, std::move(result));
}

}  // namespace octet::convert
