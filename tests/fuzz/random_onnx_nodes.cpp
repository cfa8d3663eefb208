// SPDX-License-Identifier: Apache-2.0
// The nodes of the random model, an operator or a usual group of them at a time.
#include <algorithm>

#include "tests/fuzz/random_onnx.h"

namespace octet::fuzz {

using onnx::TensorProto;

onnx::NodeProto& RandomOnnx::node(const char* op, std::vector<std::string> inputs) {
  onnx::NodeProto& made = *graph_.add_node();
  made.set_op_type(op);
  made.set_name(fresh("n"));
  for (const std::string& input : inputs) made.add_input(input);
  return made;
}

void RandomOnnx::attribute(onnx::NodeProto& node, const char* name, std::int64_t value) {
  onnx::AttributeProto& made = *node.add_attribute();
  made.set_name(name);
  made.set_type(onnx::AttributeProto::INT);
  made.set_i(one_in(64) ? extent() : value);
}
void RandomOnnx::attribute(onnx::NodeProto& node, const char* name, float value) {
  onnx::AttributeProto& made = *node.add_attribute();
  made.set_name(name);
  made.set_type(onnx::AttributeProto::FLOAT);
  made.set_f(value);
}
void RandomOnnx::attribute(onnx::NodeProto& node, const char* name, const Dims& values) {
  onnx::AttributeProto& made = *node.add_attribute();
  made.set_name(name);
  made.set_type(onnx::AttributeProto::INTS);
  made.mutable_ints()->Assign(values.begin(), values.end());
}

std::string RandomOnnx::result(onnx::NodeProto& node, std::int32_t type, Dims dims) {
  const std::string name = fresh("y");
  node.add_output(name);
  values_.push_back({name, type, std::move(dims)});
  return name;
}

void RandomOnnx::add_node() {
  using Add = void (RandomOnnx::*)();
  constexpr Add kAdds[] = {&RandomOnnx::add_unary,     &RandomOnnx::add_arithmetic,
                           &RandomOnnx::add_linear,    &RandomOnnx::add_view,
                           &RandomOnnx::add_axis,      &RandomOnnx::add_shape_arithmetic,
                           &RandomOnnx::add_quantized, &RandomOnnx::add_dynamic};
  (this->*kAdds[below(std::size(kAdds))])();
}

void RandomOnnx::add_unary() {
  constexpr const char* kOps[] = {"Relu",     "Sigmoid", "Tanh",       "Elu",     "LeakyRelu",
                                  "Softplus", "Softmax", "LogSoftmax", "Dropout", "HardSigmoid",
                                  "Clip",     "Cast",    "Identity"};
  const char* op = kOps[below(std::size(kOps))];
  const std::string name = op;
  const Value x = one_in(4) ? any() : floats();
  onnx::NodeProto& made = node(op, {x.name});
  if (name == "Elu" || name == "LeakyRelu" || name == "HardSigmoid") {
    if (one_in(2)) attribute(made, "alpha", real());
    if (one_in(2)) attribute(made, "beta", real());
  }
  if (name.ends_with("oftmax") && one_in(2)) {
    attribute(made, "axis", static_cast<std::int64_t>(below(x.dims.size() + 2)) - 1);
  }
  if (name == "Cast") attribute(made, "to", std::int64_t{TensorProto::FLOAT});
  if (name == "Clip" && opset_ < 11) {
    attribute(made, "min", real());
    if (one_in(2)) attribute(made, "max", real());
  } else if (name == "Clip") {
    made.add_input(one_in(4) ? "" : constant(TensorProto::FLOAT, {}));
    if (one_in(2)) made.add_input(constant(TensorProto::FLOAT, constant_dims({{}, {1}})));
  }
  result(made, x.type, x.dims);
}

void RandomOnnx::add_arithmetic() {
  constexpr const char* kOps[] = {"Add", "Sub", "Mul", "Div", "BatchNormalization"};
  const std::size_t op = below(std::size(kOps));
  const Value x = floats();
  if (op == 4) {
    const Dims channels = constant_dims({{x.dims.size() > 1 ? x.dims[1] : 1}});
    onnx::NodeProto& made = node(kOps[op], {x.name});
    for (int i = 0; i < 3; ++i) made.add_input(constant(TensorProto::FLOAT, channels, 2));
    made.add_input(constant(TensorProto::FLOAT, channels));
    if (one_in(2)) attribute(made, "epsilon", 0.25f);
    result(made, x.type, x.dims);
    return;
  }
  std::string other;
  if (one_in(3)) {
    other = floats().name;
  } else {
    Dims tail(x.dims.begin() + (x.dims.size() > 1 ? 1 : 0), x.dims.end());
    if (x.dims.size() == 1) tail = {1};
    Dims spread = tail;
    if (!spread.empty()) spread.back() = 1;
    other =
        constant(TensorProto::FLOAT, constant_dims({{}, {1}, {x.dims.back()}, tail, spread}), 2);
  }
  const bool second = !one_in(4);
  result(node(kOps[op], second ? std::vector{x.name, other} : std::vector{other, x.name}), x.type,
         x.dims);
}

void RandomOnnx::add_linear() {
  const Value x = floats();
  const std::int64_t k = x.dims.back();
  const std::int64_t m = extent();
  Dims dims = x.dims;
  dims.back() = m;
  if (one_in(2)) {
    const std::string w = constant(TensorProto::FLOAT, constant_dims({{k, m}}), 1);
    result(node("MatMul", {x.name, w}), x.type, dims);
    return;
  }
  const bool turned = one_in(2);
  const std::string w =
      constant(TensorProto::FLOAT, turned ? constant_dims({{m, k}}) : constant_dims({{k, m}}), 1);
  onnx::NodeProto& made = node("Gemm", {x.name, w});
  if (!one_in(4)) {
    made.add_input(constant(TensorProto::FLOAT, constant_dims({{m}, {1}, {}, {1, m}}), 1));
  }
  if (turned) attribute(made, "transB", std::int64_t{1});
  if (one_in(8)) attribute(made, "transA", std::int64_t{1});
  if (one_in(4)) attribute(made, "alpha", real());
  if (one_in(4)) attribute(made, "beta", real());
  result(made, x.type, dims);
}

void RandomOnnx::add_view() {
  const Value x = any();
  std::int64_t elements = 1;
  for (std::size_t i = 1; i < x.dims.size(); ++i) {
    __builtin_mul_overflow(elements, x.dims[i], &elements);
  }
  switch (below(5)) {
    case 0: {
      onnx::NodeProto& made = node("Flatten", {x.name});
      if (one_in(2)) attribute(made, "axis", static_cast<std::int64_t>(1 + below(2)));
      result(made, x.type, {-1, elements});
      return;
    }
    case 1: {
      const Dims targets[] = {{-1, elements}, {0, -1}, {-1, 1, elements}, {0, elements, 1}, {-1}};
      const Dims to = targets[below(5)];
      result(node("Reshape", {x.name, ints(to)}), x.type, {-1, elements});
      return;
    }
    case 2: {
      Dims perm(x.dims.size());
      for (std::size_t i = 0; i < perm.size(); ++i) perm[i] = static_cast<std::int64_t>(i);
      if (perm.size() > 2) std::swap(perm[1], perm.back());
      if (one_in(16)) std::swap(perm.front(), perm.back());
      Dims dims = x.dims;
      if (dims.size() > 2) std::swap(dims[1], dims.back());
      onnx::NodeProto& made = node("Transpose", {x.name});
      attribute(made, "perm", perm);
      result(made, x.type, dims);
      return;
    }
    case 3:
    default: {
      const bool more = below(2) == 0;
      const Dims axes = {static_cast<std::int64_t>(1 + below(x.dims.size()))};
      Dims dims = x.dims;
      if (more) {
        dims.insert(dims.begin() + std::min<std::ptrdiff_t>(axes[0], std::ssize(dims)), 1);
      } else if (axes[0] < std::ssize(dims)) {
        dims.erase(dims.begin() + axes[0]);
      }
      onnx::NodeProto& made = node(more ? "Unsqueeze" : "Squeeze", {x.name});
      if (opset_ < 13) {
        attribute(made, "axes", axes);
      } else {
        made.add_input(ints(axes));
      }
      result(made, x.type, dims);
    }
  }
}

void RandomOnnx::add_axis() {
  const Value x = any();
  const auto axis = static_cast<std::int64_t>(x.dims.size() > 1 ? 1 + below(x.dims.size() - 1) : 0);
  const std::int64_t along = x.dims[static_cast<std::size_t>(axis)];
  switch (below(3)) {
    case 0: {
      const Value other = one_in(2) ? any() : x;
      onnx::NodeProto& made = node("Concat", {x.name, other.name});
      attribute(made, "axis", axis);
      Dims dims = x.dims;
      __builtin_add_overflow(along,
                             other.dims.size() == dims.size() ? other.dims[std::size_t(axis)] : 0,
                             &dims[static_cast<std::size_t>(axis)]);
      result(made, x.type, dims);
      return;
    }
    case 1: {
      const std::int64_t first =
          along > 1 && along < 100 ? 1 + std::int64_t(below(std::size_t(along) - 1)) : 1;
      onnx::NodeProto& made = node("Split", {x.name});
      attribute(made, "axis", axis);
      const Dims parts = {first, along > INT64_MIN + 256 ? along - first : along};
      if (opset_ >= 13) {
        made.add_input(ints(parts));
      } else {
        attribute(made, "split", parts);
      }
      for (const std::int64_t part : parts) {
        Dims dims = x.dims;
        dims[static_cast<std::size_t>(axis)] = part;
        result(made, x.type, dims);
      }
      return;
    }
    default: {
      const Dims start = {static_cast<std::int64_t>(below(4)) - 1};
      const Dims end = {one_in(2) ? INT64_MAX : static_cast<std::int64_t>(below(40)) - 4};
      onnx::NodeProto& made = node("Slice", {x.name});
      if (opset_ < 10) {
        attribute(made, "starts", start);
        attribute(made, "ends", end);
        attribute(made, "axes", Dims{axis});
      } else {
        for (const Dims& values : {start, end, Dims{axis}}) made.add_input(ints(values));
        if (one_in(4)) made.add_input(ints({static_cast<std::int64_t>(below(5)) - 2}));
      }
      result(made, x.type, x.dims);
    }
  }
}

// What exporters write to reshape: Shape, Gather, arithmetic, Concat.
void RandomOnnx::add_shape_arithmetic() {
  const Value x = any();
  onnx::NodeProto& shape = node("Shape", {x.name});
  const std::string dims = fresh("d");
  shape.add_output(dims);
  onnx::NodeProto& gather = node("Gather", {dims, constant_dims({{}}).empty() ? ints({0}) : dims});
  const std::string batch = fresh("b");
  gather.add_output(batch);
  std::string first = batch;
  if (one_in(4)) {
    onnx::NodeProto& more = node("Mul", {batch, ints({static_cast<std::int64_t>(below(3))})});
    first = fresh("m");
    more.add_output(first);
  }
  onnx::NodeProto& joined = node("Concat", {first, ints({-1})});
  attribute(joined, "axis", std::int64_t{0});
  const std::string to = fresh("t");
  joined.add_output(to);
  if (one_in(8)) {
    onnx::NodeProto& filled = node("ConstantOfShape", {ints({extent(), extent()})});
    filled.add_output(fresh("f"));
    result(node("Add", {x.name, filled.output(0)}), x.type, x.dims);
    return;
  }
  std::int64_t elements = 1;
  for (std::size_t i = 1; i < x.dims.size(); ++i) {
    __builtin_mul_overflow(elements, x.dims[i], &elements);
  }
  result(node("Reshape", {x.name, to}), x.type, {-1, elements});
}

void RandomOnnx::add_quantized() {
  const Value x = codes();
  const std::int64_t k = x.dims.back();
  const std::int64_t m = extent();
  const std::size_t channels = m > 0 && m < 64 && one_in(2) ? static_cast<std::size_t>(m) : 1;
  const std::int32_t weight = one_in(8) ? TensorProto::UINT8 : TensorProto::INT8;
  Dims dims = x.dims;
  dims.back() = m;
  const std::string sx = scale();
  const std::string zx = zero_point(x.type);
  const std::string sy = scale();
  const std::string zy = zero_point(x.type);
  switch (below(4)) {
    case 0: {  // QDQ around a MatMul or Gemm
      const std::string real_x =
          result(node("DequantizeLinear", {x.name, sx, zx}), TensorProto::FLOAT, x.dims);
      onnx::NodeProto& w =
          node("DequantizeLinear", {constant(weight, constant_dims({{k, m}})), scale(channels),
                                    zero_point(weight, channels)});
      attribute(w, "axis", std::int64_t{1});
      w.add_output(fresh("w"));
      const std::string real_w = w.output(0);
      const std::string y = result(node("MatMul", {real_x, real_w}), TensorProto::FLOAT, dims);
      result(node("QuantizeLinear", {y, sy, zy}), x.type, dims);
      return;
    }
    case 1:
      result(node("QLinearMatMul", {x.name, sx, zx, constant(weight, constant_dims({{k, m}})),
                                    scale(channels), zero_point(weight, channels), sy, zy}),
             x.type, dims);
      return;
    case 2: {
      onnx::NodeProto& made =
          node("QGemm", {x.name, sx, zx, constant(weight, constant_dims({{k, m}})), scale(channels),
                         zero_point(weight, channels)});
      made.set_domain("com.microsoft");
      made.add_input(one_in(4) ? "" : constant(TensorProto::INT32, constant_dims({{m}})));
      if (!one_in(4)) {
        made.add_input(sy);
        made.add_input(zy);
      }
      if (one_in(4)) attribute(made, "transB", std::int64_t{1});
      result(made, x.type, dims);
      return;
    }
    default: {
      const Value other = one_in(2) ? x : codes();
      const std::string b = one_in(2) ? other.name : constant(x.type, constant_dims({{k}, {}}));
      onnx::NodeProto& made =
          node("QLinearAdd", {x.name, sx, zx, b, scale(), zero_point(x.type), sy, zy});
      made.set_domain("com.microsoft");
      result(made, x.type, x.dims);
    }
  }
}

void RandomOnnx::add_dynamic() {
  const Value x = floats();
  const std::int64_t k = x.dims.back();
  const std::int64_t m = extent();
  Dims dims = x.dims;
  dims.back() = m;
  const std::string w = constant(TensorProto::INT8, constant_dims({{k, m}}));
  if (one_in(2)) {
    onnx::NodeProto& made = node("DynamicQuantizeMatMul", {x.name, w, scale()});
    made.set_domain("com.microsoft");
    if (one_in(2)) made.add_input(zero_point(TensorProto::INT8));
    result(made, x.type, dims);
    return;
  }
  onnx::NodeProto& made = node("DynamicQuantizeLinear", {x.name});
  const std::string codes = result(made, TensorProto::UINT8, x.dims);
  const std::string scale_name = result(made, TensorProto::FLOAT, {});
  const std::string zero = result(made, TensorProto::UINT8, {});
  values_.resize(values_.size() - 2);  // no shape that other operators could take
  onnx::NodeProto& sums = node("MatMulInteger", {codes, w, zero});
  if (one_in(2)) sums.add_input(zero_point(TensorProto::INT8));
  const std::string sum = result(sums, TensorProto::INT32, dims);
  onnx::NodeProto& cast = node("Cast", {sum});
  attribute(cast, "to", std::int64_t{TensorProto::FLOAT});
  const std::string real = result(cast, TensorProto::FLOAT, dims);
  onnx::NodeProto& mul = node("Mul", {scale_name, scale()});
  mul.add_output(fresh("p"));
  const std::string product = mul.output(0);
  result(node("Mul", {real, product}), TensorProto::FLOAT, dims);
}

}  // namespace octet::fuzz
