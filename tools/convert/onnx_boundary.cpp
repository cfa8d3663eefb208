// SPDX-License-Identifier: Apache-2.0
// Initializers, inputs and outputs of an ONNX graph.
#include "tools/convert/onnx_boundary.h"

#include <octet/octet.h>

#include <array>
#include <set>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/errors.h"
#include "tools/convert/onnx_quantization.h"

namespace octet::convert {
namespace {

using onnx::TensorProto;
using Dimension = onnx::TensorShapeProto::Dimension;

[[noreturn]] void fail(const GraphBuilder& builder, Error::Code code, const std::string& reason) {
  throw Error(code, builder.graph.source + ": " + reason);
}

Shape input_shape(const onnx::ValueInfoProto& input, const GraphBuilder& builder) {
  const std::string what = "input '" + input.name() + "' ";
  if (!input.type().has_tensor_type()) {
    fail(builder, Error::Code::unsupported, what + "is no tensor; export the network with tensors");
  }
  const onnx::TypeProto::Tensor& type = input.type().tensor_type();
  if (type.elem_type() != TensorProto::FLOAT && !codes_dtype(type.elem_type())) {
    fail(builder, Error::Code::unsupported,
         what + "has element type " + element_type_name(type.elem_type()) +
             ", octet takes float, and uint8 and int8 in quantized graphs; export the network in "
             "float32");
  }
  if (!type.has_shape() || type.shape().dim_size() == 0) {
    fail(builder, Error::Code::unsupported,
         what + (type.has_shape() ? "has rank 0" : "has no shape") +
             ", octet needs the batch in front; export it as [N, ...]");
  }
  Shape shape;
  for (const Dimension& dim : type.shape().dim()) {
    const std::string axis = "dimension " + std::to_string(shape.size()) + " of " + what;
    if (dim.has_dim_value() && dim.dim_value() <= 0) {
      // ONNX knows empty tensors, but no negative dimension.
      fail(builder, dim.dim_value() == 0 ? Error::Code::unsupported : Error::Code::format,
           axis + "is " + std::to_string(dim.dim_value()) +
               ", it must be positive; export the model again");
    }
    if (!shape.empty() && !dim.has_dim_value()) {
      const bool has_name = dim.has_dim_param() && engine::is_printable(dim.dim_param());
      fail(builder, Error::Code::unsupported,
           axis + "is dynamic" + (has_name ? " ('" + dim.dim_param() + "')" : std::string()) +
               "; only the leading dimension, the batch, may be: export the others fixed");
    }
    shape.push_back(shape.empty() ? kBatch : dim.dim_value());
  }
  return shape;
}

}  // namespace

void read_initializers(onnx::GraphProto& graph, GraphBuilder& builder) {
  if (graph.sparse_initializer_size() != 0) {
    fail(builder, Error::Code::unsupported,
         "has sparse initializers; export the model with dense weights");
  }
  constexpr std::array kConverted{TensorProto::DOUBLE, TensorProto::FLOAT16, TensorProto::BFLOAT16};
  std::array<std::string, kConverted.size()> names;
  for (TensorProto& tensor : *graph.mutable_initializer()) {
    if (tensor.name().empty()) {
      fail(builder, Error::Code::format, "an initializer has no name; export the model again");
    }
    builder.declare(tensor.name());
    auto constant = std::make_shared<const Constant>(
        read_constant(tensor, builder.graph.source, builder.memory_left()));
    builder.take(memory_of(*constant));
    builder.allow(constant->size());
    for (std::size_t i = 0; i < kConverted.size(); ++i) {
      if (tensor.data_type() != kConverted[i]) continue;
      names[i] += (names[i].empty() ? "'" : ", '") + tensor.name() + "'";
    }
    builder.bind(tensor.name(), {kNoValue, std::move(constant)});
    builder.give(tensor.raw_data().size());
    TensorProto().Swap(&tensor);  // Clear() would keep the memory
  }
  for (std::size_t i = 0; i < kConverted.size(); ++i) {
    if (names[i].empty()) continue;
    builder.graph.notes.push_back(
        "initializers of type " + element_type_name(kConverted[i]) + " became float" +
        (kConverted[i] == TensorProto::DOUBLE ? " (rounded): " : " (exactly): ") + names[i]);
  }
}

void add_inputs(const onnx::GraphProto& graph, GraphBuilder& builder) {
  bool dynamic = false;
  std::int64_t fixed = 0;
  for (const onnx::ValueInfoProto& input : graph.input()) {
    if (input.name().empty()) {
      fail(builder, Error::Code::format, "an input has no name; export the model again");
    }
    const Binding* bound = builder.find(input.name());
    if (bound != nullptr && bound->constant != nullptr) continue;
    builder.declare(input.name());
    Shape shape = input_shape(input, builder);
    const ValueId value = builder.add_value(
        input.name(), std::move(shape),
        codes_dtype(input.type().tensor_type().elem_type()).value_or(engine::DType::f32));
    builder.bind(input.name(), {value, nullptr});
    builder.graph.inputs.push_back(value);

    const Dimension& batch = input.type().tensor_type().shape().dim(0);
    if (!batch.has_dim_value()) {
      dynamic = true;
    } else if (fixed != 0 && batch.dim_value() != fixed) {
      fail(builder, Error::Code::unsupported,
           "its inputs have the leading dimensions " + std::to_string(fixed) + " and " +
               std::to_string(batch.dim_value()) +
               "; the leading dimension is the batch, the same for all inputs");
    } else {
      fixed = batch.dim_value();
    }
  }
  if (builder.graph.inputs.empty()) {
    fail(builder, Error::Code::unsupported,
         "has no input that is not a constant; export the network with its input");
  }
  builder.exported_batch = dynamic ? 0 : fixed;
}

void add_outputs(const onnx::GraphProto& proto, GraphBuilder& builder) {
  Graph& graph = builder.graph;
  std::set<std::string_view> names;
  for (const onnx::ValueInfoProto& output : proto.output()) {
    if (!names.insert(output.name()).second) {
      fail(builder, Error::Code::format,
           "output '" + output.name() + "' is listed twice; export the model again");
    }
  }
  std::vector<bool> is_input(graph.values.size());
  for (const ValueId input : graph.inputs) is_input[input] = true;
  for (const onnx::ValueInfoProto& output : proto.output()) {
    const std::string& name = output.name();
    const Binding* binding = builder.find(name);
    if (binding == nullptr) {
      fail(builder, Error::Code::format,
           "output '" + name +
               "' is no input, initializer or result of a node; export the model again");
    }
    if (binding->constant != nullptr) {
      fail(builder, Error::Code::unsupported,
           "output '" + name + "' is a constant or a shape; remove it from the outputs");
    }
    ValueId value = binding->value;
    // Identity and its like made the name an alias of another tensor: an inner one takes the name,
    // an input or another output is copied.
    if (graph.values[value].name != name) {
      if (is_input[value] || names.contains(graph.values[value].name)) {
        Node copy;
        copy.op = Op::reshape;
        copy.name = name;
        copy.inputs = {value};
        copy.output =
            builder.add_value(name, Shape(graph.values[value].shape), graph.values[value].dtype);
        value = copy.output;
        graph.nodes.push_back(std::move(copy));
      } else {
        graph.values[value].name = name;
      }
    }
    graph.outputs.push_back(value);
  }
}

}  // namespace octet::convert
