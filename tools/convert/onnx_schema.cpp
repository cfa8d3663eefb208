// SPDX-License-Identifier: Apache-2.0
// onnx.proto as tables, one line a field.
#include "tools/convert/onnx_schema.h"

#include <algorithm>
#include <array>

namespace octet::convert {
namespace {

constexpr Field number(std::uint32_t id, const char* name, WireType type = WireType::varint) {
  return {id, name, type};
}
constexpr Field numbers(std::uint32_t id, const char* name, WireType type, std::uint8_t bytes) {
  return {id, name, type, true, bytes};
}
constexpr Field string(std::uint32_t id, const char* name) {
  return {id, name, WireType::bytes};
}
constexpr Field strings(std::uint32_t id, const char* name) {
  return {id, name, WireType::bytes, true};
}
constexpr Field one(std::uint32_t id, const char* name, MessageType type) {
  return {id, name, WireType::bytes, false, 0, type};
}
constexpr Field many(std::uint32_t id, const char* name, MessageType type) {
  return {id, name, WireType::bytes, true, 0, type};
}

using enum MessageType;
constexpr WireType kVarint = WireType::varint;
constexpr WireType kFloat = WireType::fixed32;
constexpr WireType kDouble = WireType::fixed64;

constexpr Field kModel[] = {number(1, "ir_version"),
                            string(2, "producer_name"),
                            string(3, "producer_version"),
                            string(4, "domain"),
                            number(5, "model_version"),
                            string(6, "doc_string"),
                            one(7, "graph", graph),
                            many(8, "opset_import", opset),
                            many(14, "metadata_props", string_entry),
                            many(20, "training_info", training_info),
                            many(25, "functions", function)};
constexpr Field kGraph[] = {many(1, "node", node),
                            string(2, "name"),
                            many(5, "initializer", tensor),
                            string(10, "doc_string"),
                            many(11, "input", value_info),
                            many(12, "output", value_info),
                            many(13, "value_info", value_info),
                            many(14, "quantization_annotation", annotation),
                            many(15, "sparse_initializer", sparse_tensor)};
constexpr Field kNode[] = {strings(1, "input"),
                           strings(2, "output"),
                           string(3, "name"),
                           string(4, "op_type"),
                           many(5, "attribute", attribute),
                           string(6, "doc_string"),
                           string(7, "domain")};
constexpr Field kAttribute[] = {string(1, "name"),
                                number(2, "f", kFloat),
                                number(3, "i"),
                                string(4, "s"),
                                one(5, "t", tensor),
                                one(6, "g", graph),
                                numbers(7, "floats", kFloat, 4),
                                numbers(8, "ints", kVarint, 8),
                                strings(9, "strings"),
                                many(10, "tensors", tensor),
                                many(11, "graphs", graph),
                                string(13, "doc_string"),
                                one(14, "tp", type),
                                many(15, "type_protos", type),
                                number(20, "type"),
                                string(21, "ref_attr_name"),
                                one(22, "sparse_tensor", sparse_tensor),
                                many(23, "sparse_tensors", sparse_tensor)};
constexpr Field kTensor[] = {numbers(1, "dims", kVarint, 8),
                             number(2, "data_type"),
                             one(3, "segment", segment),
                             numbers(4, "float_data", kFloat, 4),
                             numbers(5, "int32_data", kVarint, 4),
                             strings(6, "string_data"),
                             numbers(7, "int64_data", kVarint, 8),
                             string(8, "name"),
                             string(9, "raw_data"),
                             numbers(10, "double_data", kDouble, 8),
                             numbers(11, "uint64_data", kVarint, 8),
                             string(12, "doc_string"),
                             many(13, "external_data", string_entry),
                             number(14, "data_location")};
constexpr Field kSegment[] = {number(1, "begin"), number(2, "end")};
constexpr Field kSparseTensor[] = {one(1, "values", tensor), one(2, "indices", tensor),
                                   numbers(3, "dims", kVarint, 8)};
constexpr Field kValueInfo[] = {string(1, "name"), one(2, "type", type), string(3, "doc_string")};
constexpr Field kType[] = {one(1, "tensor_type", type_tensor),
                           one(4, "sequence_type", type_sequence),
                           one(5, "map_type", type_map),
                           string(6, "denotation"),
                           one(8, "sparse_tensor_type", type_sparse_tensor),
                           one(9, "optional_type", type_optional)};
constexpr Field kTypeTensor[] = {number(1, "elem_type"), one(2, "shape", shape)};
constexpr Field kTypeElement[] = {one(1, "elem_type", type)};
constexpr Field kTypeMap[] = {number(1, "key_type"), one(2, "value_type", type)};
constexpr Field kShape[] = {many(1, "dim", dimension)};
constexpr Field kDimension[] = {number(1, "dim_value"), string(2, "dim_param"),
                                string(3, "denotation")};
constexpr Field kStringEntry[] = {string(1, "key"), string(2, "value")};
constexpr Field kOpset[] = {string(1, "domain"), number(2, "version")};
constexpr Field kTrainingInfo[] = {one(1, "initialization", graph), one(2, "algorithm", graph),
                                   many(3, "initialization_binding", string_entry),
                                   many(4, "update_binding", string_entry)};
constexpr Field kFunction[] = {string(1, "name"),
                               strings(4, "input"),
                               strings(5, "output"),
                               strings(6, "attribute"),
                               many(7, "node", node),
                               string(8, "doc_string"),
                               many(9, "opset_import", opset),
                               string(10, "domain")};
constexpr Field kAnnotation[] = {string(1, "tensor_name"),
                                 many(2, "quant_parameter_tensor_names", string_entry)};

// In the order of MessageType.
constexpr std::array kMessages{Message{"ModelProto", 176, kModel},
                               Message{"GraphProto", 208, kGraph},
                               Message{"NodeProto", 128, kNode},
                               Message{"AttributeProto", 256 + kUnknownFields, kAttribute},
                               Message{"TensorProto", 232 + kUnknownFields, kTensor},
                               Message{"TensorProto.Segment", 40, kSegment},
                               Message{"SparseTensorProto", 56, kSparseTensor},
                               Message{"ValueInfoProto", 48, kValueInfo},
                               Message{"TypeProto", 48, kType},
                               Message{"TypeProto.Tensor", 40, kTypeTensor},
                               Message{"TypeProto.Sequence", 32, kTypeElement},
                               Message{"TypeProto.Map", 40, kTypeMap},
                               Message{"TypeProto.Optional", 32, kTypeElement},
                               Message{"TypeProto.SparseTensor", 40, kTypeTensor},
                               Message{"TensorShapeProto", 48, kShape},
                               Message{"TensorShapeProto.Dimension", 48, kDimension},
                               Message{"StringStringEntryProto", 40, kStringEntry},
                               Message{"OperatorSetIdProto", 40, kOpset},
                               Message{"TrainingInfoProto", 88, kTrainingInfo},
                               Message{"FunctionProto", 168, kFunction},
                               Message{"TensorAnnotation", 56, kAnnotation}};
static_assert(kMessages.size() == static_cast<std::size_t>(none));

}  // namespace

const Message& message_of(MessageType type) noexcept {
  return kMessages[static_cast<std::size_t>(type)];
}

const Field* find_field(const Message& message, std::uint32_t number) noexcept {
  const auto found = std::ranges::find(message.fields, number, &Field::number);
  return found == message.fields.end() ? nullptr : &*found;
}

}  // namespace octet::convert
