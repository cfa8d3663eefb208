// SPDX-License-Identifier: Apache-2.0
// Inputs, constants and outputs of the random model; its nodes are made in random_onnx_nodes.cpp.
#include "tests/fuzz/random_onnx.h"

#include <algorithm>

namespace octet::fuzz {

using onnx::TensorProto;

RandomOnnx::RandomOnnx(Input input) : input_(input), graph_(*model_.mutable_graph()) {
  constexpr std::int64_t kOpsets[] = {13, 17, 21, 7, 11, 9, 12, 18};
  opset_ = one_in(64) ? static_cast<std::int64_t>(below(30)) : kOpsets[below(8)];
  model_.set_ir_version(8);
  model_.add_opset_import()->set_version(opset_);
  onnx::OperatorSetIdProto& microsoft = *model_.add_opset_import();
  microsoft.set_domain("com.microsoft");
  microsoft.set_version(1);
  graph_.set_name("graph");
  add_inputs();
  for (std::size_t i = 0, nodes = 1 + below(10); i < nodes; ++i) add_node();
  add_outputs();
}

std::string RandomOnnx::fresh(const char* prefix) {
  return prefix + std::to_string(names_++);
}

std::int64_t RandomOnnx::extent() {
  constexpr std::int64_t kExtents[] = {1, 2, 3, 4, 5, 7, 8, 16, 17, 33};
  constexpr std::int64_t kOdd[] = {0, -1, -2, 1 << 20, std::int64_t{1} << 33, INT64_MAX, INT64_MIN};
  return one_in(64) ? kOdd[below(std::size(kOdd))] : kExtents[below(std::size(kExtents))];
}

RandomOnnx::Dims RandomOnnx::constant_dims(std::initializer_list<Dims> choices) {
  if (!one_in(32)) return choices.begin()[below(choices.size())];
  Dims odd(below(4));
  for (std::int64_t& dim : odd) dim = extent();
  return odd;
}

float RandomOnnx::real() {
  if (one_in(64)) {
    constexpr float kOdd[] = {
        0.0f, -0.0f, 1e-42f, 3e38f, -3e38f, __builtin_inff(), __builtin_nanf("")};
    return kOdd[below(std::size(kOdd))];
  }
  return static_cast<float>(static_cast<std::int8_t>(input_.byte())) / 32;
}

std::string RandomOnnx::constant(std::int32_t type, const Dims& dims, float spread) {
  TensorProto tensor;
  tensor.set_data_type(type);
  tensor.mutable_dims()->Assign(dims.begin(), dims.end());
  std::size_t count = 1;
  for (const std::int64_t dim : dims) {
    count = dim < 0 || dim > 4096 ? 0 : std::min<std::size_t>(4096, count * std::size_t(dim));
  }
  if (one_in(128)) ++count;
  // Few bytes of input make many values.
  data::SplitMix64 random(input_.byte());
  const bool raw = one_in(2);
  std::string bytes;
  for (std::size_t i = 0; i < count; ++i) {
    const auto code = static_cast<std::int64_t>(random.next() >> 56);
    if (type == TensorProto::FLOAT) {
      const float value = spread != 0 ? spread * static_cast<float>(code - 128) / 128 : real();
      if (raw) {
        bytes.append(reinterpret_cast<const char*>(&value), sizeof value);
      } else {
        tensor.add_float_data(value);
      }
    } else if (type == TensorProto::INT64) {
      tensor.add_int64_data(code % 8 - 2);
    } else if (raw && type != TensorProto::INT32) {
      bytes += static_cast<char>(code);
    } else {
      tensor.add_int32_data(
          static_cast<std::int32_t>(type == TensorProto::INT8 ? code - 128 : code));
    }
  }
  if (!bytes.empty()) tensor.set_raw_data(bytes);
  const std::string name = fresh("c");
  tensor.set_name(name);
  if (one_in(32)) {
    onnx::NodeProto& made = *graph_.add_node();
    made.set_op_type("Constant");
    made.add_output(name);
    onnx::AttributeProto& value = *made.add_attribute();
    value.set_name("value");
    value.set_type(onnx::AttributeProto::TENSOR);
    *value.mutable_t() = tensor;
  } else {
    *graph_.add_initializer() = tensor;
  }
  return name;
}

std::string RandomOnnx::ints(const Dims& values) {
  TensorProto& tensor = *graph_.add_initializer();
  tensor.set_name(fresh("i"));
  tensor.set_data_type(TensorProto::INT64);
  tensor.add_dims(static_cast<std::int64_t>(values.size()));
  tensor.mutable_int64_data()->Assign(values.begin(), values.end());
  return tensor.name();
}

std::string RandomOnnx::scale(std::size_t channels) {
  TensorProto& tensor = *graph_.add_initializer();
  tensor.set_name(fresh("s"));
  tensor.set_data_type(TensorProto::FLOAT);
  if (channels != 1 || one_in(4)) tensor.add_dims(static_cast<std::int64_t>(channels));
  for (std::size_t i = 0; i < channels; ++i) {
    tensor.add_float_data(one_in(32) ? real() : 0.01f * static_cast<float>(1 + below(64)));
  }
  return tensor.name();
}

std::string RandomOnnx::zero_point(std::int32_t type, std::size_t channels) {
  if (one_in(32)) return "";
  TensorProto& tensor = *graph_.add_initializer();
  tensor.set_name(fresh("z"));
  tensor.set_data_type(one_in(32) ? static_cast<std::int32_t>(below(24)) : type);
  if (channels != 1 || one_in(4)) tensor.add_dims(static_cast<std::int64_t>(channels));
  const std::int32_t code = one_in(2) ? 0 : input_.byte() / 2;
  for (std::size_t i = 0; i < channels; ++i) tensor.add_int32_data(code);
  return tensor.name();
}

void RandomOnnx::add_inputs() {
  for (std::size_t i = 0, inputs = 1 + below(2); i < inputs; ++i) {
    constexpr std::int32_t kTypes[] = {TensorProto::FLOAT, TensorProto::FLOAT, TensorProto::UINT8,
                                       TensorProto::INT8};
    Value value{"x" + std::to_string(i), kTypes[below(4)], {-1}};
    if (one_in(64)) value.type = static_cast<std::int32_t>(below(24));
    for (std::size_t d = 0, rank = below(4); d < rank; ++d) value.dims.push_back(extent());
    onnx::ValueInfoProto& info = *graph_.add_input();
    info.set_name(value.name);
    onnx::TypeProto::Tensor& type = *info.mutable_type()->mutable_tensor_type();
    type.set_elem_type(value.type);
    for (const std::int64_t dim : value.dims) {
      if (dim == -1) {
        type.mutable_shape()->add_dim()->set_dim_param("N");
      } else {
        type.mutable_shape()->add_dim()->set_dim_value(dim);
      }
    }
    values_.push_back(value);
  }
}

void RandomOnnx::add_outputs() {
  for (std::size_t i = 0, outputs = 1 + below(2); i < outputs; ++i) {
    const std::size_t from = i == 0 ? values_.size() - 1 : below(values_.size());
    graph_.add_output()->set_name(values_[from].name);
  }
}

RandomOnnx::Value RandomOnnx::any() {
  return one_in(3) ? values_[below(values_.size())] : values_.back();
}

// Of another type by a node that converts.
RandomOnnx::Value RandomOnnx::floats() {
  const Value value = any();
  if (value.type == TensorProto::FLOAT || one_in(32)) return value;
  onnx::NodeProto& made = node("DequantizeLinear", {value.name, scale(), zero_point(value.type)});
  const std::string name = result(made, TensorProto::FLOAT, value.dims);
  return {name, TensorProto::FLOAT, value.dims};
}

RandomOnnx::Value RandomOnnx::codes() {
  const Value value = any();
  if (value.type == TensorProto::UINT8 || value.type == TensorProto::INT8 || one_in(32)) {
    return value;
  }
  const std::int32_t type = one_in(2) ? TensorProto::UINT8 : TensorProto::INT8;
  onnx::NodeProto& made = node("QuantizeLinear", {value.name, scale(), zero_point(type)});
  const std::string name = result(made, type, value.dims);
  return {name, type, value.dims};
}

}  // namespace octet::fuzz
