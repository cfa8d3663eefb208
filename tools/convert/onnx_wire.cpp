// SPDX-License-Identifier: Apache-2.0
// https://protobuf.dev/programming-guides/encoding: a message is a sequence of tag and value, the
// tag is number * 8 + wire type, the length of what is length-delimited stands in front of it.
#include "tools/convert/onnx_wire.h"

#include <algorithm>
#include <cstddef>

#include "engine/errors.h"
#include "tools/convert/onnx_schema.h"

namespace octet::convert {
namespace {

// What malloc adds to a block, at most: its header, and what rounds the size up to 16.
constexpr std::uint64_t kBlock = 24;
// A list that doubles when it is full has room for twice its elements, and while it grows holds
// half of them a second time.
constexpr std::uint64_t kGrowth = 3;
constexpr std::uint64_t kPointer = 8;
constexpr std::uint64_t kString = 32;  // std::string, which holds 15 characters
// Of a list that is not empty: its header and the first four pointers or numbers.
constexpr std::uint64_t kList = 40 + kBlock;

const char* type_name(WireType type) {
  switch (type) {
    case WireType::varint:
      return "a varint";
    case WireType::fixed64:
      return "8 bytes";
    case WireType::bytes:
      return "length-delimited";
    case WireType::group_begin:
      return "the begin of a group";
    case WireType::group_end:
      return "the end of a group";
    case WireType::fixed32:
      return "4 bytes";
  }
  return "no wire type";
}

class Scanner {
 public:
  Scanner(std::string_view bytes, const std::string& path, const ImportLimits& limits)
      : bytes_(bytes), path_(path), limits_(limits) {}

  std::uint64_t scan() {
    take(bytes_.size());
    take(kBlock + message_of(MessageType::model).bytes);
    scan_message(message_of(MessageType::model), bytes_.size(), 1);
    return memory_ - bytes_.size();
  }

 private:
  // Where a fault is: the field, or the message while no field is known.
  struct Place {
    const Message& message;
    const Field* field;
    std::size_t at;
  };

  template <class... Parts>
  [[noreturn]] void fail(const Place& place, const Parts&... reason) const {
    engine::fail(Error::Code::format, path_,
                 ": is not an ONNX model, or was cut off: ", place.message.name,
                 place.field != nullptr ? "." : "", place.field != nullptr ? place.field->name : "",
                 " at byte ", place.at, " ", reason..., "; export or copy the model again");
  }

  void take(std::uint64_t bytes) {
    memory_ += bytes;
    if (memory_ <= limits_.memory_bytes) return;
    engine::fail(Error::Code::limit, path_, ": its ", bytes_.size(),
                 " bytes would take more than the limit of ", limits_.memory_bytes,
                 " bytes of memory, all of them by byte ", at_,
                 "; keep weights as raw or external data, and leave out what the network does not "
                 "need");
  }

  // At most 10 bytes, 64 bits.
  std::uint64_t read_varint(const Place& place, std::size_t end) {
    std::uint64_t value = 0;
    for (unsigned shift = 0;; shift += 7) {
      if (at_ == end) fail(place, "ends inside a varint");
      const auto byte = static_cast<std::uint8_t>(bytes_[at_++]);
      if (shift == 63 && byte >= 0x80) fail(place, "has a varint of more than 10 bytes");
      if (shift == 63 && byte > 1) fail(place, "has a varint of more than 64 bits");
      value |= static_cast<std::uint64_t>(byte & 0x7F) << shift;
      if (byte < 0x80) return value;
    }
  }

  void skip(const Place& place, std::size_t end, std::uint64_t bytes) {
    if (bytes > end - at_) {
      fail(place, "has ", bytes, " bytes, ", end - at_, " are left of what it is part of");
    }
    at_ += static_cast<std::size_t>(bytes);
  }

  // One number, whatever its field.
  void skip_number(const Place& place, std::size_t end, WireType type) {
    if (type == WireType::varint) {
      read_varint(place, end);
    } else {
      skip(place, end, type == WireType::fixed32 ? 4 : 8);
    }
  }

  void scan_packed(const Place& place, std::size_t end) {
    const Field& field = *place.field;
    while (at_ < end) {
      take(kGrowth * field.element_bytes);
      skip_number(place, end, field.type);
    }
  }

  // A pointer to a string or message. What a list of numbers holds is counted where they are.
  void take_element(const Message& message, const Field& field, std::uint32_t& lists) {
    const auto bit = std::uint32_t{1} << (&field - message.fields.data());
    if ((lists & bit) == 0) take(kList);
    lists |= bit;
    if (field.element_bytes == 0) take(kGrowth * kPointer);
  }

  void take_string(std::uint64_t length) {
    take(kString + kBlock);
    if (length > 15) take(std::max<std::uint64_t>(length + 1, 31) + kBlock);
  }

  void scan_bytes(const Place& place, std::size_t end, std::size_t depth) {
    const Field& field = *place.field;
    const std::uint64_t length = read_varint(place, end);
    const std::size_t begin = at_;
    skip(place, end, length);
    if (field.type != WireType::bytes) {
      at_ = begin;
      scan_packed(place, begin + static_cast<std::size_t>(length));
    } else if (field.message == MessageType::none) {
      take_string(length);
    } else {
      const Message& inner = message_of(field.message);
      take(inner.bytes + kBlock);
      at_ = begin;
      scan_message(inner, begin + static_cast<std::size_t>(length), depth + 1);
    }
  }

  // What later versions of ONNX may have added; protobuf keeps a copy of it.
  void scan_unknown(const Place& place, std::size_t end, WireType type, std::uint32_t& lists) {
    if (type == WireType::bytes) {
      skip(place, end, read_varint(place, end));
    } else {
      skip_number(place, end, type);
    }
    constexpr std::uint32_t kBit = std::uint32_t{1} << 31;
    take(((lists & kBit) == 0 ? kUnknownFields : 0) + kGrowth * (at_ - place.at));
    lists |= kBit;
  }

  void check_type(const Place& place, WireType type) const {
    const Field& field = *place.field;
    const bool packed = type == WireType::bytes && field.element_bytes != 0;
    if (type == field.type || packed) return;
    fail(place, "is ", type_name(type), " where ONNX has ", type_name(field.type));
  }

  void scan_message(const Message& message, std::size_t end, std::size_t depth) {
    if (depth > limits_.nesting) {
      engine::fail(Error::Code::limit, path_, ": ", message.name, " at byte ", at_, " is nested ",
                   depth, " deep, the limit is ", limits_.nesting,
                   "; export the network without control flow, by tracing");
    }
    std::uint32_t lists =
        0;  // a bit for each field that is a list and not empty, and for unknown ones
    while (at_ < end) {
      Place place{message, nullptr, at_};
      const std::uint64_t tag = read_varint(place, end);
      const std::uint64_t number = tag >> 3;
      if (number == 0 || tag > 0xFFFFFFFF) fail(place, "has a field number of ", number);
      place.field = find_field(message, static_cast<std::uint32_t>(number));
      if ((tag & 7) > 5) fail(place, "has the wire type ", tag & 7, ", which there is not");
      const auto type = static_cast<WireType>(tag & 7);
      if (type == WireType::group_begin || type == WireType::group_end) {
        fail(place, "is ", type_name(type), ", and ONNX has none");
      }
      if (place.field == nullptr) {
        scan_unknown(place, end, type, lists);
        continue;
      }
      check_type(place, type);
      if (place.field->repeated) take_element(message, *place.field, lists);
      if (type == WireType::bytes) {
        scan_bytes(place, end, depth);
      } else {
        skip_number(place, end, type);
        // An enum value of later versions is kept like an unknown field.
        take(kGrowth * std::max<std::uint64_t>(place.field->element_bytes, at_ - place.at));
      }
    }
  }

  const std::string_view bytes_;
  const std::string& path_;
  const ImportLimits& limits_;
  std::size_t at_ = 0;
  std::uint64_t memory_ = 0;
};

}  // namespace

std::uint64_t check_wire(std::string_view bytes, const std::string& path,
                         const ImportLimits& limits) {
  return Scanner(bytes, path, limits).scan();
}

}  // namespace octet::convert
