// SPDX-License-Identifier: Apache-2.0
// ONNX models for tests: built in memory, written where a test wants them, imported.
#pragma once

#include <onnx/onnx.pb.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "tests/tools/data_files.h"
#include "tests/tools/temporary_folder.h"
#include "tools/convert/onnx_import.h"

namespace octet::test {

using Ints = std::vector<std::int64_t>;
using Floats = std::vector<float>;

inline onnx::AttributeProto attribute(const std::string& name, int value) {
  onnx::AttributeProto attribute;
  attribute.set_name(name);
  attribute.set_type(onnx::AttributeProto::INT);
  attribute.set_i(value);
  return attribute;
}

inline onnx::AttributeProto attribute(const std::string& name, float value) {
  onnx::AttributeProto attribute;
  attribute.set_name(name);
  attribute.set_type(onnx::AttributeProto::FLOAT);
  attribute.set_f(value);
  return attribute;
}

inline onnx::AttributeProto attribute(const std::string& name, const Ints& values) {
  onnx::AttributeProto attribute;
  attribute.set_name(name);
  attribute.set_type(onnx::AttributeProto::INTS);
  attribute.mutable_ints()->Assign(values.begin(), values.end());
  return attribute;
}

inline onnx::AttributeProto attribute(const std::string& name, const onnx::TensorProto& value) {
  onnx::AttributeProto attribute;
  attribute.set_name(name);
  attribute.set_type(onnx::AttributeProto::TENSOR);
  *attribute.mutable_t() = value;
  return attribute;
}

// A tensor with a type and shape, and no data yet.
inline onnx::TensorProto tensor(const std::string& name, onnx::TensorProto::DataType type,
                                const Ints& dims) {
  onnx::TensorProto tensor;
  tensor.set_name(name);
  tensor.set_data_type(type);
  tensor.mutable_dims()->Assign(dims.begin(), dims.end());
  return tensor;
}

inline onnx::TensorProto float_tensor(const std::string& name, const Ints& dims,
                                      const Floats& values) {
  onnx::TensorProto result = tensor(name, onnx::TensorProto::FLOAT, dims);
  result.set_raw_data(values.data(), values.size() * sizeof(float));
  return result;
}

// Integers of a type other than int64, in int32_data.
inline onnx::TensorProto typed_tensor(const std::string& name, onnx::TensorProto::DataType type,
                                      const Ints& dims, const std::vector<int>& values) {
  onnx::TensorProto result = tensor(name, type, dims);
  result.mutable_int32_data()->Assign(values.begin(), values.end());
  return result;
}

inline onnx::TensorProto int_tensor(const std::string& name, const Ints& dims, const Ints& values) {
  onnx::TensorProto result = tensor(name, onnx::TensorProto::INT64, dims);
  result.set_raw_data(values.data(), values.size() * sizeof(std::int64_t));
  return result;
}

// A model, built front to back; model may be changed by hand before it is written.
struct OnnxBuilder {
  onnx::ModelProto model;

  explicit OnnxBuilder(std::int64_t opset = 13) {
    model.set_ir_version(7);
    model.set_producer_name("test");
    model.mutable_graph()->set_name("graph");
    model.add_opset_import()->set_version(opset);
  }

  // -1 is a dynamic dimension.
  OnnxBuilder& input(const std::string& name, const Ints& dims,
                     onnx::TensorProto::DataType type = onnx::TensorProto::FLOAT) {
    add(*model.mutable_graph()->add_input(), name, dims, type);
    return *this;
  }
  OnnxBuilder& output(const std::string& name) {
    add(*model.mutable_graph()->add_output(), name, {});
    return *this;
  }
  OnnxBuilder& initializer(const onnx::TensorProto& tensor) {
    *model.mutable_graph()->add_initializer() = tensor;
    return *this;
  }
  OnnxBuilder& floats(const std::string& name, const Ints& dims, const Floats& values) {
    return initializer(float_tensor(name, dims, values));
  }
  OnnxBuilder& ints(const std::string& name, const Ints& values) {
    return initializer(int_tensor(name, {static_cast<std::int64_t>(values.size())}, values));
  }
  OnnxBuilder& u8(const std::string& name, const Ints& dims, const std::vector<int>& values) {
    return initializer(typed_tensor(name, onnx::TensorProto::UINT8, dims, values));
  }
  OnnxBuilder& s8(const std::string& name, const Ints& dims, const std::vector<int>& values) {
    return initializer(typed_tensor(name, onnx::TensorProto::INT8, dims, values));
  }
  OnnxBuilder& s32(const std::string& name, const Ints& dims, const std::vector<int>& values) {
    return initializer(typed_tensor(name, onnx::TensorProto::INT32, dims, values));
  }
  // An operator of ONNX Runtime's.
  OnnxBuilder& microsoft(const std::string& op, const std::vector<std::string>& inputs,
                         const std::vector<std::string>& outputs,
                         const std::vector<onnx::AttributeProto>& attributes = {}) {
    node(op, inputs, outputs, attributes);
    model.mutable_graph()->mutable_node()->rbegin()->set_domain("com.microsoft");
    return *this;
  }
  // An empty input name is an optional input that is absent.
  OnnxBuilder& node(const std::string& op, const std::vector<std::string>& inputs,
                    const std::vector<std::string>& outputs,
                    const std::vector<onnx::AttributeProto>& attributes = {},
                    const std::string& name = "") {
    onnx::NodeProto& node = *model.mutable_graph()->add_node();
    node.set_op_type(op);
    node.set_name(name);
    for (const std::string& input : inputs) node.add_input(input);
    for (const std::string& output : outputs) node.add_output(output);
    for (const onnx::AttributeProto& attribute : attributes) *node.add_attribute() = attribute;
    return *this;
  }

  std::string bytes() const { return model.SerializeAsString(); }
  std::string write(const TemporaryFolder& folder, const std::string& name = "net.onnx") const {
    return folder.write(name, bytes());
  }
  convert::Graph import() const {
    const TemporaryFolder folder;
    return convert::import_onnx(write(folder));
  }
  Failure failure() const {
    return failure_of([&] { import(); });
  }

 private:
  static void add(onnx::ValueInfoProto& value, const std::string& name, const Ints& dims,
                  onnx::TensorProto::DataType element_type = onnx::TensorProto::FLOAT) {
    value.set_name(name);
    onnx::TypeProto::Tensor& type = *value.mutable_type()->mutable_tensor_type();
    type.set_elem_type(element_type);
    for (const std::int64_t dim : dims) {
      if (dim < 0) {
        type.mutable_shape()->add_dim()->set_dim_param("N");
      } else {
        type.mutable_shape()->add_dim()->set_dim_value(dim);
      }
    }
  }
};

}  // namespace octet::test
