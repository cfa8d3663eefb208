// SPDX-License-Identifier: Apache-2.0
// Protobuf's wire format by hand, for files that protobuf itself would not write.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "tests/tools/onnx_builder.h"

namespace octet::test {

inline std::string varint(std::uint64_t value) {
  std::string bytes;
  for (; value >= 0x80; value >>= 7) bytes += static_cast<char>(value | 0x80);
  return bytes + static_cast<char>(value);
}
inline std::string tag(std::uint32_t number, unsigned type) {
  return varint(std::uint64_t{number} << 3 | type);
}
inline std::string number_field(std::uint32_t number, std::uint64_t value) {
  return tag(number, 0) + varint(value);
}
inline std::string bytes_field(std::uint32_t number, std::string_view bytes) {
  return tag(number, 2) + varint(bytes.size()) + std::string(bytes);
}

inline std::string repeated(const std::string& unit, std::size_t bytes) {
  std::string result;
  while (result.size() + unit.size() <= bytes) result += unit;
  return result;
}

// x [N, 2] -> Relu -> y with something more in its fields; protobuf joins the two graphs.
inline std::string with_model(const std::string& model_fields) {
  OnnxBuilder builder;
  builder.input("x", {-1, 2}).output("y").node("Relu", {"x"}, {"y"});
  return builder.bytes() + model_fields;
}
inline std::string with_graph(const std::string& graph_fields) {
  return with_model(bytes_field(7, graph_fields));
}
inline std::string with_node(const std::string& node_fields) {
  return with_graph(bytes_field(1, node_fields));
}
inline std::string with_attribute(const std::string& attribute_fields) {
  return with_node(bytes_field(5, attribute_fields));
}
inline std::string with_tensor(const std::string& tensor_fields) {
  return with_graph(bytes_field(5, tensor_fields));
}

struct HostileFile {
  std::string name;
  std::function<std::string(std::size_t bytes)> make;
};

// What takes far more memory than it has bytes: each file is valid protobuf, of about `bytes`.
inline std::vector<HostileFile> hostile_files() {
  using Wrap = std::string (*)(const std::string&);
  const auto many = [](std::string name, Wrap wrap, std::string unit) {
    return HostileFile{std::move(name), [wrap, unit = std::move(unit)](std::size_t bytes) {
                         return wrap(repeated(unit, bytes));
                       }};
  };
  const auto packed = [](std::string name, Wrap wrap, std::uint32_t number) {
    return HostileFile{std::move(name), [wrap, number](std::size_t bytes) {
                         return wrap(bytes_field(number, std::string(bytes, '\1')));
                       }};
  };
  const std::string unknown = number_field(1000, 1);
  return {
      many("empty nodes", with_graph, bytes_field(1, "")),
      many("empty initializers", with_graph, bytes_field(5, "")),
      many("empty inputs", with_graph, bytes_field(11, "")),
      many("empty outputs", with_graph, bytes_field(12, "")),
      many("empty value infos", with_graph, bytes_field(13, "")),
      many("empty annotations", with_graph, bytes_field(14, "")),
      many("empty sparse initializers", with_graph, bytes_field(15, "")),
      many("value infos with empty types", with_graph, bytes_field(13, bytes_field(2, ""))),
      many("empty attributes", with_node, bytes_field(5, "")),
      many("empty input names", with_node, bytes_field(1, "")),
      many("empty output names", with_node, bytes_field(2, "")),
      many("names of 16 characters", with_node, bytes_field(1, std::string(16, 'n'))),
      many("unpacked floats", with_attribute, tag(7, 5) + "\1\2\3\4"),
      many("unpacked ints", with_attribute, number_field(8, 1)),
      many("empty strings", with_attribute, bytes_field(9, "")),
      many("empty tensors", with_attribute, bytes_field(10, "")),
      many("empty graphs", with_attribute, bytes_field(11, "")),
      many("empty types", with_attribute, bytes_field(15, "")),
      many("empty sparse tensors", with_attribute, bytes_field(23, "")),
      many("attributes with a float each", with_node,
           bytes_field(5, tag(7, 5) + std::string(4, '\0'))),
      many("attributes of unknown type", with_node, bytes_field(5, number_field(20, 99))),
      packed("packed ints", with_attribute, 8),
      packed("packed dims", with_tensor, 1),
      packed("packed int32_data", with_tensor, 5),
      packed("packed int64_data", with_tensor, 7),
      many("many packed runs", with_tensor, bytes_field(4, std::string(4, '\0'))),
      many("empty string_data", with_tensor, bytes_field(6, "")),
      many("empty external_data", with_tensor, bytes_field(13, "")),
      many("unknown fields", with_graph, unknown),
      many("nodes with an unknown field", with_graph, bytes_field(1, unknown)),
      many("empty opsets", with_model, bytes_field(8, "")),
      many("empty metadata", with_model, bytes_field(14, "")),
      many("empty training infos", with_model, bytes_field(20, "")),
      many("training infos with empty graphs", with_model,
           bytes_field(20, bytes_field(1, "") + bytes_field(2, ""))),
      many("empty functions", with_model, bytes_field(25, "")),
      many("functions with empty nodes", with_model, bytes_field(25, bytes_field(7, ""))),
      many("nodes with subgraphs", with_graph, bytes_field(1, bytes_field(5, bytes_field(6, ""))))};
}

}  // namespace octet::test
