// SPDX-License-Identifier: Apache-2.0
// The look at a file before protobuf: every fault of the wire format by name, the memory that
// parsing takes, and onnx.proto itself.
#include "tools/convert/onnx_wire.h"

#include <doctest/doctest.h>
#include <google/protobuf/descriptor.pb.h>
#include <malloc.h>

#include <fstream>
#include <memory>
#include <set>

#include "tests/tools/wire_bytes.h"
#include "tools/convert/onnx_schema.h"

namespace octet::test::onnx_wire_test {

using namespace octet::convert;
using google::protobuf::FieldDescriptorProto;

namespace {

std::uint64_t cost(const std::string& bytes, const ImportLimits& limits = {}) {
  return check_wire(bytes, "net.onnx", limits);
}

WireType type_of(const FieldDescriptorProto& field) {
  switch (field.type()) {
    case FieldDescriptorProto::TYPE_FLOAT:
      return WireType::fixed32;
    case FieldDescriptorProto::TYPE_DOUBLE:
      return WireType::fixed64;
    case FieldDescriptorProto::TYPE_STRING:
    case FieldDescriptorProto::TYPE_BYTES:
    case FieldDescriptorProto::TYPE_MESSAGE:
      return WireType::bytes;
    default:
      return WireType::varint;
  }
}

std::size_t element_bytes(const FieldDescriptorProto& field) {
  const auto type = field.type();
  if (type == FieldDescriptorProto::TYPE_FLOAT || type == FieldDescriptorProto::TYPE_INT32)
    return 4;
  return type_of(field) == WireType::bytes ? 0 : 8;
}

// ".onnx.TypeProto.Tensor" is TypeProto.Tensor.
std::string short_name(const std::string& type_name) {
  return type_name.substr(std::string(".onnx.").size());
}

// Compares one message of onnx.proto, and those inside it, with the tables.
void check_schema(const google::protobuf::DescriptorProto& proto, const std::string& name,
                  std::set<std::string>& seen) {
  CAPTURE(name);
  const Message* message = nullptr;
  for (std::size_t i = 0; i < static_cast<std::size_t>(MessageType::none); ++i) {
    const Message& candidate = message_of(static_cast<MessageType>(i));
    if (name == candidate.name) message = &candidate;
  }
  REQUIRE(message != nullptr);
  seen.insert(name);
  CHECK(message->fields.size() == static_cast<std::size_t>(proto.field_size()));
  for (const FieldDescriptorProto& wanted : proto.field()) {
    CAPTURE(wanted.name());
    const Field* field = find_field(*message, static_cast<std::uint32_t>(wanted.number()));
    REQUIRE(field != nullptr);
    const bool repeated = wanted.label() == FieldDescriptorProto::LABEL_REPEATED;
    CHECK(field->name == wanted.name());
    CHECK(field->type == type_of(wanted));
    CHECK(field->repeated == repeated);
    CHECK(field->element_bytes == (repeated ? element_bytes(wanted) : 0));
    if (wanted.type() == FieldDescriptorProto::TYPE_MESSAGE) {
      REQUIRE(field->message != MessageType::none);
      CHECK(message_of(field->message).name == short_name(wanted.type_name()));
    } else {
      CHECK(field->message == MessageType::none);
    }
  }
  for (const auto& inner : proto.nested_type())
    check_schema(inner, name + "." + inner.name(), seen);
}

// Bytes on the heap; 0 where the allocator does not tell.
std::size_t allocated() {
  const auto info = ::mallinfo2();
  return info.uordblks + info.hblkhd;
}

std::string nested(std::size_t depth) {
  std::string graph;
  for (std::size_t i = 0; i < depth; i += 3) {  // graph, node, attribute
    graph = bytes_field(1, bytes_field(5, bytes_field(6, graph)));
  }
  return with_graph(graph);
}

}  // namespace

TEST_CASE("onnx wire: the tables are onnx.proto's") {
  google::protobuf::FileDescriptorSet files;
  std::ifstream file(OCTET_ONNX_DESCRIPTORS, std::ios::binary);
  REQUIRE(files.ParseFromIstream(&file));
  REQUIRE(files.file_size() == 1);
  std::set<std::string> seen;
  for (const auto& message : files.file(0).message_type()) {
    check_schema(message, message.name(), seen);
  }
  CHECK(seen.size() == static_cast<std::size_t>(MessageType::none));
}

TEST_CASE("onnx wire: no class of protobuf is larger than its table says") {
  const auto bytes = [](MessageType type) { return message_of(type).bytes; };
  CHECK(bytes(MessageType::model) >= sizeof(onnx::ModelProto));
  CHECK(bytes(MessageType::graph) >= sizeof(onnx::GraphProto));
  CHECK(bytes(MessageType::node) >= sizeof(onnx::NodeProto));
  CHECK(bytes(MessageType::attribute) >= sizeof(onnx::AttributeProto) + kUnknownFields);
  CHECK(bytes(MessageType::tensor) >= sizeof(onnx::TensorProto) + kUnknownFields);
  CHECK(bytes(MessageType::segment) >= sizeof(onnx::TensorProto::Segment));
  CHECK(bytes(MessageType::sparse_tensor) >= sizeof(onnx::SparseTensorProto));
  CHECK(bytes(MessageType::value_info) >= sizeof(onnx::ValueInfoProto));
  CHECK(bytes(MessageType::type) >= sizeof(onnx::TypeProto));
  CHECK(bytes(MessageType::type_tensor) >= sizeof(onnx::TypeProto::Tensor));
  CHECK(bytes(MessageType::type_sequence) >= sizeof(onnx::TypeProto::Sequence));
  CHECK(bytes(MessageType::type_map) >= sizeof(onnx::TypeProto::Map));
  CHECK(bytes(MessageType::type_optional) >= sizeof(onnx::TypeProto::Optional));
  CHECK(bytes(MessageType::type_sparse_tensor) >= sizeof(onnx::TypeProto::SparseTensor));
  CHECK(bytes(MessageType::shape) >= sizeof(onnx::TensorShapeProto));
  CHECK(bytes(MessageType::dimension) >= sizeof(onnx::TensorShapeProto::Dimension));
  CHECK(bytes(MessageType::string_entry) >= sizeof(onnx::StringStringEntryProto));
  CHECK(bytes(MessageType::opset) >= sizeof(onnx::OperatorSetIdProto));
  CHECK(bytes(MessageType::training_info) >= sizeof(onnx::TrainingInfoProto));
  CHECK(bytes(MessageType::function) >= sizeof(onnx::FunctionProto));
  CHECK(bytes(MessageType::annotation) >= sizeof(onnx::TensorAnnotation));
}

TEST_CASE("onnx wire: what parsing takes is known before, and not more than a few times too much") {
  for (const HostileFile& hostile : hostile_files()) {
    CAPTURE(hostile.name);
    const std::string bytes = hostile.make(200'000);
    const std::uint64_t most = cost(bytes);
    const std::size_t before = allocated();
    const auto model = std::make_unique<onnx::ModelProto>();
    REQUIRE(model->ParseFromArray(bytes.data(), static_cast<int>(bytes.size())));
    const std::size_t taken = allocated() - before;
    if (taken == 0) continue;  // the sanitizers' allocator
    CHECK(taken <= most);
    CHECK(most <= 8 * taken);
  }
}

TEST_CASE("onnx wire: weights cost what they are") {
  OnnxBuilder builder;
  builder.input("x", {-1, 512}).output("y").node("MatMul", {"x", "w"}, {"y"});
  builder.floats("w", {512, 512}, Floats(512 * 512));
  const std::string bytes = builder.bytes();
  CHECK(cost(bytes) < bytes.size() + 4096);
}

TEST_CASE("onnx wire: memory and nesting have limits") {
  const auto refused = [](const std::string& bytes, const ImportLimits& limits) {
    const Failure failure = failure_of([&] { cost(bytes, limits); });
    CHECK(failure.code == Error::Code::limit);
    CHECK(failure.message.starts_with("net.onnx: "));
    return failure.message;
  };
  const std::string nodes = with_graph(repeated(bytes_field(1, ""), 2000));
  ImportLimits limits;
  limits.memory_bytes = nodes.size() + cost(nodes);
  CHECK(cost(nodes, limits) + nodes.size() == limits.memory_bytes);
  --limits.memory_bytes;
  CHECK(refused(nodes, limits).find("would take more than the limit of") != std::string::npos);
  // Far below a file that protobuf would make a hundred times as large.
  CHECK_NOTHROW(cost(with_graph(repeated(bytes_field(1, ""), 1 << 20))));
  refused(with_graph(repeated(bytes_field(1, ""), 16 << 20)), {});

  limits = {};
  CHECK_NOTHROW(cost(nested(60)));
  CHECK(refused(nested(66), limits).find("is nested 65 deep, the limit is 64") !=
        std::string::npos);
  refused(nested(30'000), limits);
}

TEST_CASE("onnx wire: fields of later versions are no fault") {
  const std::string later = number_field(900, 7) + bytes_field(901, "anything \xff") + tag(902, 5) +
                            "abcd" + tag(903, 1) + "abcdefgh";
  for (const std::string& bytes : {with_model(later), with_graph(later), with_node(later),
                                   with_attribute(later), with_tensor(later)}) {
    CHECK_NOTHROW(cost(bytes));
    CHECK(onnx::ModelProto().ParseFromString(bytes));
  }
  // Numbers in a list may be packed or not, whatever onnx.proto prefers.
  CHECK_NOTHROW(cost(with_attribute(bytes_field(7, "abcdefgh") + tag(7, 5) + "abcd")));
  CHECK_NOTHROW(cost(with_tensor(number_field(7, 1) + bytes_field(7, varint(1) + varint(300)))));
}

TEST_CASE("onnx wire: every fault is named with its field and byte") {
  struct Fault {
    const char* name;
    std::string bytes;
    const char* message;
  };
  const std::string eleven = "\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01";
  const std::vector<Fault> faults{
      {"a tag cut off", "\x80", "ModelProto at byte 0 ends inside a varint"},
      {"a value cut off", "\x08\xff", "ModelProto.ir_version at byte 0 ends inside a varint"},
      {"a length cut off", "\x3a", "ModelProto.graph at byte 0 ends inside a varint"},
      {"a value of 11 bytes", "\x08" + eleven,
       "ModelProto.ir_version at byte 0 has a varint of more than 10 bytes"},
      {"a value of 65 bits", std::string("\x08") + std::string(9, '\x80') + "\x02",
       "has a varint of more than 64 bits"},
      {"field number 0", std::string("\x02\x00", 2),
       "ModelProto at byte 0 has a field number of 0"},
      {"a field number of 32 bits", varint(std::uint64_t{1} << 35),
       "has a field number of 4294967296"},
      {"wire type 6", "\x0e\x01", "ModelProto.ir_version at byte 0 has the wire type 6"},
      {"wire type 7", "\x0f\x01", "has the wire type 7, which there is not"},
      {"a group begins", "\x3b", "ModelProto.graph at byte 0 is the begin of a group"},
      {"a group ends", "\x0c", "is the end of a group, and ONNX has none"},
      {"an unknown group", tag(900, 3) + tag(900, 4),
       "ModelProto at byte 0 is the begin of a group"},
      {"a graph longer than the file", tag(7, 2) + varint(9) + "12345678",
       "ModelProto.graph at byte 0 has 9 bytes, 8 are left"},
      {"a length of 2^64 - 1", tag(7, 2) + varint(~std::uint64_t{0}),
       "has 18446744073709551615 bytes, 0 are left"},
      {"a node longer than its graph", bytes_field(7, tag(1, 2) + varint(1)) + "x",
       "GraphProto.node at byte 2 has 1 bytes, 0 are left"},
      {"a float cut off", bytes_field(7, bytes_field(1, bytes_field(5, tag(2, 5) + "abc"))),
       "AttributeProto.f at byte 6 has 4 bytes, 3 are left"},
      {"a packed float cut off", bytes_field(7, bytes_field(5, bytes_field(4, "abcde"))),
       "TensorProto.float_data at byte 4 has 4 bytes, 1 are left"},
      {"a packed double cut off", bytes_field(7, bytes_field(5, bytes_field(10, "abcd"))),
       "TensorProto.double_data at byte 4 has 8 bytes, 4 are left"},
      {"a packed integer cut off", bytes_field(7, bytes_field(5, bytes_field(7, "\x01\x80"))),
       "TensorProto.int64_data at byte 4 ends inside a varint"},
      {"an unknown field cut off", tag(900, 1) + "1234567", "ModelProto at byte 0 has 8 bytes, 7"},
      {"ir_version as bytes", bytes_field(1, "8"),
       "ModelProto.ir_version at byte 0 is length-delimited where ONNX has a varint"},
      {"ir_version as 8 bytes", tag(1, 1) + "12345678", "is 8 bytes where ONNX has a varint"},
      {"graph as a number", number_field(7, 1),
       "ModelProto.graph at byte 0 is a varint where ONNX has length-delimited"},
      {"node as 4 bytes", bytes_field(7, tag(1, 5) + "1234"),
       "GraphProto.node at byte 2 is 4 bytes where ONNX has length-delimited"},
      {"op_type as a number", bytes_field(7, bytes_field(1, number_field(4, 1))),
       "NodeProto.op_type at byte 4 is a varint"},
      {"input names as numbers", bytes_field(7, bytes_field(1, number_field(1, 1))),
       "NodeProto.input at byte 4 is a varint"},
      {"an attribute's float as a varint",
       bytes_field(7, bytes_field(1, bytes_field(5, number_field(2, 1)))),
       "AttributeProto.f at byte 6 is a varint where ONNX has 4 bytes"},
      {"an attribute's int packed",
       bytes_field(7, bytes_field(1, bytes_field(5, bytes_field(3, "\x01")))),
       "AttributeProto.i at byte 6 is length-delimited where ONNX has a varint"},
      {"floats as 8 bytes", bytes_field(7, bytes_field(1, bytes_field(5, tag(7, 1) + "12345678"))),
       "AttributeProto.floats at byte 6 is 8 bytes where ONNX has 4 bytes"},
      {"raw_data as a number", bytes_field(7, bytes_field(5, number_field(9, 1))),
       "TensorProto.raw_data at byte 4 is a varint"},
      {"dims as 4 bytes", bytes_field(7, bytes_field(5, tag(1, 5) + "1234")),
       "TensorProto.dims at byte 4 is 4 bytes where ONNX has a varint"},
      {"an input's type as a number", bytes_field(7, bytes_field(11, number_field(2, 1))),
       "ValueInfoProto.type at byte 4 is a varint"},
      {"a dimension as 8 bytes",
       bytes_field(
           7,
           bytes_field(
               11, bytes_field(
                       2, bytes_field(1, bytes_field(2, bytes_field(1, tag(1, 1) + "12345678")))))),
       "TensorShapeProto.Dimension.dim_value at byte 12 is 8 bytes"},
      {"an opset's version as bytes", bytes_field(8, bytes_field(2, "1")),
       "OperatorSetIdProto.version at byte 2 is length-delimited"},
      {"a function's node as a number", bytes_field(25, number_field(7, 1)),
       "FunctionProto.node at byte 3 is a varint"},
      {"a training info's graph as a number", bytes_field(20, number_field(1, 1)),
       "TrainingInfoProto.initialization at byte 3 is a varint"},
      {"a metadata key as a number", bytes_field(14, number_field(1, 1)),
       "StringStringEntryProto.key at byte 2 is a varint"}};
  std::set<std::string> messages;
  for (const Fault& fault : faults) {
    CAPTURE(std::string(fault.name));
    const Failure failure = failure_of([&] { cost(fault.bytes); });
    CAPTURE(failure.message);
    CHECK(failure.code == Error::Code::format);
    CHECK(failure.message.starts_with("net.onnx: is not an ONNX model, or was cut off: "));
    CHECK(failure.says(fault.message));
    CHECK(failure.says("; export or copy the model again"));
    messages.insert(failure.message);
  }
  CHECK(messages.size() == faults.size());  // each has its own
}

}  // namespace octet::test::onnx_wire_test
