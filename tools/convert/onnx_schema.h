// SPDX-License-Identifier: Apache-2.0
// The messages and fields of ONNX files as onnx.proto has them, for those who look at a file before
// protobuf does. A test compares them with onnx.proto.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace octet::convert {

enum class WireType : std::uint8_t {
  varint = 0,
  fixed64 = 1,
  bytes = 2,  // length-delimited
  group_begin = 3,
  group_end = 4,
  fixed32 = 5
};

enum class MessageType : std::uint8_t {
  model,
  graph,
  node,
  attribute,
  tensor,
  segment,
  sparse_tensor,
  value_info,
  type,
  type_tensor,
  type_sequence,
  type_map,
  type_optional,
  type_sparse_tensor,
  shape,
  dimension,
  string_entry,
  opset,
  training_info,
  function,
  annotation,
  none
};

struct Field {
  std::uint32_t number;
  const char* name;
  WireType type;                            // of one element
  bool repeated = false;                    // of numbers: packed or not
  std::uint8_t element_bytes = 0;           // of a repeated number in memory
  MessageType message = MessageType::none;  // of bytes: none for a string
};

// What protobuf adds to a message that has unknown fields, or an enum value that is not in
// onnx.proto: a block with a string of their bytes.
inline constexpr std::size_t kUnknownFields = 112;

struct Message {
  const char* name;
  std::size_t bytes;  // what an empty one takes in memory, at least
  std::span<const Field> fields;
};

const Message& message_of(MessageType type) noexcept;                            // not none
const Field* find_field(const Message& message, std::uint32_t number) noexcept;  // or null

}  // namespace octet::convert
