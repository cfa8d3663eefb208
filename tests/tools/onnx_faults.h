// SPDX-License-Identifier: Apache-2.0
// A good model and ways to spoil it: what the tests of malformed models share.
#pragma once

#include <doctest/doctest.h>

#include <algorithm>
#include <functional>
#include <limits>
#include <set>

#include "engine/errors.h"
#include "tests/tools/onnx_builder.h"

namespace octet::test {

using onnx::AttributeProto;
using onnx::TensorProto;

inline constexpr std::int64_t kHuge = std::numeric_limits<std::int64_t>::max();

struct Fault {
  const char* name;
  std::function<void(OnnxBuilder&)> make;  // of a good model
  Error::Code code;
  const char* message;
};

// x [N, 4] -> MatMul w [4, 3] -> h -> Add b [3] -> a -> Relu -> y.
inline OnnxBuilder good() {
  OnnxBuilder builder;
  builder.input("x", {-1, 4})
      .output("y")
      .floats("w", {4, 3}, Floats(12, 1))
      .floats("b", {3}, {1, 2, 3});
  builder.node("MatMul", {"x", "w"}, {"h"}, {}, "fc").node("Add", {"h", "b"}, {"a"}, {}, "bias");
  return builder.node("Relu", {"a"}, {"y"}, {}, "act");
}

inline onnx::GraphProto& graph(OnnxBuilder& builder) {
  return *builder.model.mutable_graph();
}
inline TensorProto& weight(OnnxBuilder& builder) {
  return *graph(builder).mutable_initializer(0);
}
inline onnx::NodeProto& node(OnnxBuilder& builder, int index) {
  return *graph(builder).mutable_node(index);
}
inline onnx::TypeProto::Tensor& input_type(OnnxBuilder& builder) {
  return *graph(builder).mutable_input(0)->mutable_type()->mutable_tensor_type();
}
inline void set_dims(OnnxBuilder& builder, const Ints& dims) {
  weight(builder).mutable_dims()->Assign(dims.begin(), dims.end());
}
// In place of the Relu.
inline void last(OnnxBuilder& builder, const std::string& op,
                 const std::vector<std::string>& inputs,
                 const std::vector<AttributeProto>& attributes = {}) {
  graph(builder).mutable_node()->RemoveLast();
  builder.node(op, inputs, {"y"}, attributes, "act");
}
inline AttributeProto typed(const std::string& name, AttributeProto::AttributeType type) {
  AttributeProto result;
  result.set_name(name);
  result.set_type(type);
  return result;
}

inline constexpr auto kFormat = Error::Code::format;
inline constexpr auto kUnsupported = Error::Code::unsupported;
inline constexpr auto kLimit = Error::Code::limit;

// Each fault gives its error; messages: what tells them apart.
inline void check_faults(const std::vector<Fault>& faults, std::set<std::string>& messages) {
  const TemporaryFolder folder;
  for (const Fault& fault : faults) {
    CAPTURE(std::string(fault.name));
    OnnxBuilder builder = good();
    fault.make(builder);
    const std::string path = builder.write(folder);
    const Failure failure = failure_of([&] { octet::convert::import_onnx(path); });
    CAPTURE(failure.message);
    CHECK(failure.thrown);
    CHECK(failure.code == fault.code);
    CHECK(failure.message.starts_with(path + ": "));
    CHECK(failure.says(fault.message));
    // Nothing of the file reaches a terminal that could move its cursor.
    std::string line = failure.message;
    std::replace(line.begin(), line.end(), '\n', ' ');
    CHECK(engine::is_printable(line));
    messages.insert(fault.message);
  }
}

}  // namespace octet::test
