// SPDX-License-Identifier: Apache-2.0
// A small ONNX model made of an input's bytes: operators that the importer knows, mostly with
// operands that suit them, and now and then with odd shapes, types and attributes.
#pragma once

#include <onnx/onnx.pb.h>

#include <cstdint>
#include <initializer_list>
#include <string>
#include <vector>

#include "tests/fuzz/fuzz.h"

namespace octet::fuzz {

class RandomOnnx {
 public:
  explicit RandomOnnx(Input input);

  const onnx::ModelProto& model() const { return model_; }

 private:
  using Dims = std::vector<std::int64_t>;
  struct Value {
    std::string name;
    std::int32_t type;
    Dims dims;  // as far as they are known; dims[0] == -1: an activation
  };

  std::size_t below(std::size_t n) { return input_.below(n); }
  bool one_in(std::size_t n) { return input_.below(n) == n - 1; }
  std::string fresh(const char* prefix);  // a name that nothing has
  std::int64_t extent();
  Dims constant_dims(std::initializer_list<Dims> choices);
  float real();

  // Names of constants, initializers or results of Constant nodes.
  std::string constant(std::int32_t type, const Dims& dims, float spread = 0);
  std::string ints(const Dims& values);
  std::string scale(std::size_t channels = 1);
  std::string zero_point(std::int32_t type, std::size_t channels = 1);
  // An activation: the last, or any; of that type, one that is made if there is none.
  Value any();
  Value floats();
  Value codes();

  onnx::NodeProto& node(const char* op, std::vector<std::string> inputs);
  void attribute(onnx::NodeProto& node, const char* name, std::int64_t value);
  void attribute(onnx::NodeProto& node, const char* name, float value);
  void attribute(onnx::NodeProto& node, const char* name, const Dims& values);
  std::string result(onnx::NodeProto& node, std::int32_t type, Dims dims);

  void add_inputs();
  void add_node();
  void add_unary();
  void add_arithmetic();
  void add_linear();
  void add_view();
  void add_axis();
  void add_shape_arithmetic();
  void add_quantized();
  void add_dynamic();
  void add_outputs();

  Reader input_;
  onnx::ModelProto model_;
  onnx::GraphProto& graph_;
  std::vector<Value> values_;
  std::int64_t opset_;
  std::size_t names_ = 0;
};

}  // namespace octet::fuzz
