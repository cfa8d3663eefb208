// SPDX-License-Identifier: Apache-2.0
// Decodes TensorProto: where the bytes are (raw, typed, external), what they mean.
#include "tools/convert/onnx_constant.h"

#include <octet/octet.h>

#include <algorithm>
#include <bit>
#include <cctype>
#include <cstring>

#include "engine/errors.h"
#include "tools/convert/onnx_external.h"

namespace octet::convert {
namespace {

using onnx::TensorProto;

static_assert(std::endian::native == std::endian::little, "ONNX's raw data is little-endian");

float from_bits(std::uint32_t bits) {
  return std::bit_cast<float>(bits);
}

float from_float16(std::uint16_t half) {
  const std::uint32_t sign = (half & 0x8000u) << 16;
  const std::uint32_t exponent = (half >> 10) & 31u;
  const std::uint32_t mantissa = half & 0x3ffu;
  if (exponent == 31) return from_bits(sign | 0x7f800000u | mantissa << 13);
  if (exponent != 0) return from_bits(sign | (exponent + 112) << 23 | mantissa << 13);
  const float subnormal = static_cast<float>(mantissa) * 0x1p-24f;
  return sign != 0 ? -subnormal : subnormal;
}

float from_bfloat16(std::uint16_t value) {
  return from_bits(std::uint32_t{value} << 16);
}

struct Source {
  const std::string& path;  // of the model
  std::uint64_t memory;     // that is left
};

void check_memory(const TensorProto& tensor, const std::string& what, std::size_t count,
                  std::size_t bytes, std::uint64_t memory) {
  if (count <= memory / bytes) return;
  engine::fail(Error::Code::limit, what, " has the shape ",
               to_text({tensor.dims().begin(), tensor.dims().end()}), ", too much for the ", memory,
               " bytes of memory that are left; split the network");
}

// Its elements are in one place.
void check_fields(const TensorProto& tensor, const std::string& what) {
  const int typed = tensor.float_data_size() + tensor.int32_data_size() + tensor.int64_data_size() +
                    tensor.double_data_size() + tensor.uint64_data_size() +
                    tensor.string_data_size();
  const bool external = tensor.data_location() == TensorProto::EXTERNAL;
  if (tensor.has_raw_data() + (typed != 0) + external <= 1) return;
  engine::fail(Error::Code::format, what, " has ",
               tensor.has_raw_data() ? "raw_data" : "external data", " and ",
               typed != 0 ? engine::message(typed, " values in a typed field") : "external data",
               "; export the model again");
}

// ONNX keeps integers that no repeated field of their own exists for in int32_data and uint64_data.
template <class Element, class Field, class Result, class Convert>
void decode_as(const TensorProto& tensor, const Field& field, const Source& source,
               const std::string& what, std::size_t count, std::vector<Result>& result,
               Convert convert) {
  std::string external;
  const std::string* raw = tensor.has_raw_data() ? &tensor.raw_data() : nullptr;
  if (tensor.data_location() == TensorProto::EXTERNAL) {
    check_memory(tensor, what, count, sizeof(Element) + sizeof(Result), source.memory);
    external = read_external_data(tensor, count * sizeof(Element), source.path, what);
    raw = &external;
  }
  const std::size_t found =
      raw ? raw->size() / sizeof(Element) : static_cast<std::size_t>(field.size());
  if (found != count || (raw && raw->size() % sizeof(Element) != 0)) {
    throw Error(
        Error::Code::format,
        what + " holds " +
            (raw ? std::to_string(raw->size()) + " bytes" : std::to_string(found) + " values") +
            ", its shape " + to_text({tensor.dims().begin(), tensor.dims().end()}) + " of " +
            element_type_name(tensor.data_type()) + " needs " +
            std::to_string(raw ? count * sizeof(Element) : count) + "; export the model again");
  }
  check_memory(tensor, what, count, sizeof(Result), source.memory);
  result.resize(count);
  for (std::size_t i = 0; i < count; ++i) {
    Element element;
    if (raw) {
      std::memcpy(&element, raw->data() + i * sizeof(Element), sizeof(Element));
    } else {
      element = static_cast<Element>(field[static_cast<int>(i)]);
    }
    result[i] = convert(element);
  }
}

}  // namespace

std::size_t count_elements(const Dims& dims, const std::string& what, std::size_t limit) {
  std::size_t count = 1;
  bool empty = false;
  for (const std::int64_t dim : dims) {
    if (dim < 0) {
      throw Error(Error::Code::format, what + " has the shape " + to_text(dims) +
                                           " with a negative dimension; export the model again");
    }
    if (dim == 0) {
      empty = true;
    } else if (static_cast<std::uint64_t>(dim) > limit / count) {
      throw Error(Error::Code::limit, what + " has the shape " + to_text(dims) +
                                          " with more than " + std::to_string(limit) +
                                          " elements; export the model again");
    } else {
      count *= static_cast<std::size_t>(dim);
    }
  }
  return empty ? 0 : count;
}

std::string to_text(const Dims& dims) {
  constexpr std::size_t kShown = 64;
  std::string text = "[";
  for (std::size_t i = 0; i < dims.size(); ++i) {
    if (i == kShown) return text + ", ... " + std::to_string(dims.size()) + " in all]";
    if (i != 0) text += ", ";
    text += dims[i] == kBatchSize || (i == 0 && dims[i] == -1) ? "N" : std::to_string(dims[i]);
  }
  return text + "]";
}

bool fits_type(std::int64_t value, std::int32_t type) noexcept {
  if (type == TensorProto::UINT8) return value >= 0 && value <= 255;
  if (type == TensorProto::INT8) return value >= -128 && value <= 127;
  return value == static_cast<std::int32_t>(value);
}

std::string element_type_name(std::int32_t type) {
  if (!onnx::TensorProto_DataType_IsValid(type)) return "type " + std::to_string(type);
  std::string name = onnx::TensorProto_DataType_Name(static_cast<onnx::TensorProto_DataType>(type));
  std::transform(name.begin(), name.end(), name.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return name;
}

std::uint64_t memory_of(const Constant& constant) noexcept {
  constexpr std::uint64_t kBlocks = 256;  // the object, its name, its lists
  std::uint64_t bytes =
      kBlocks + constant.name.size() + constant.dims.size() * sizeof(std::int64_t) +
      constant.floats.capacity() * sizeof(float) + constant.ints.capacity() * sizeof(std::int64_t);
  if (constant.quantized != nullptr) {
    bytes += constant.quantized->codes.capacity() * sizeof(std::int32_t) +
             constant.quantized->scale.capacity() * sizeof(float);
  }
  return bytes;
}

Constant read_constant(const TensorProto& tensor, const std::string& model_path,
                       std::uint64_t memory, const std::string* shown_name) {
  const std::string& name = shown_name != nullptr ? *shown_name : tensor.name();
  const std::string what = model_path + ": initializer '" + name + "'";
  const auto rank = static_cast<std::size_t>(tensor.dims_size());
  if (rank > kMaxConstantRank) {
    engine::fail(Error::Code::limit, what, " has ", rank, " dimensions, octet takes at most ",
                 kMaxConstantRank);
  }
  Constant constant;
  constant.name = name;
  constant.type = tensor.data_type();
  constant.dims.assign(tensor.dims().begin(), tensor.dims().end());
  const std::size_t count = count_elements(constant.dims, what);
  if (tensor.has_segment()) {
    throw Error(Error::Code::unsupported, what + " is split into segments; export it as one");
  }

  check_fields(tensor, what);
  const Source source{model_path, memory};
  const auto floats = [&]<class Element>(Element, const auto& field, auto convert) {
    decode_as<Element>(tensor, field, source, what, count, constant.floats, convert);
  };
  const auto ints = [&]<class Element>(Element, const auto& field) {
    constant.is_float = false;
    decode_as<Element>(tensor, field, source, what, count, constant.ints, [](Element element) {
      const auto value = static_cast<std::int64_t>(element);
      // Both mean "as far back as possible" where such a number is legal at all.
      return value == kBatchSize ? std::numeric_limits<std::int64_t>::min() : value;
    });
  };
  switch (tensor.data_type()) {
    case TensorProto::FLOAT:
      floats(float{}, tensor.float_data(), [](float x) { return x; });
      break;
    case TensorProto::DOUBLE:
      floats(double{}, tensor.double_data(), [](double x) { return static_cast<float>(x); });
      break;
    case TensorProto::FLOAT16:
      floats(std::uint16_t{}, tensor.int32_data(), from_float16);
      break;
    case TensorProto::BFLOAT16:
      floats(std::uint16_t{}, tensor.int32_data(), from_bfloat16);
      break;
    case TensorProto::INT64:
      ints(std::int64_t{}, tensor.int64_data());
      break;
    case TensorProto::INT32:
      ints(std::int32_t{}, tensor.int32_data());
      break;
    case TensorProto::INT16:
      ints(std::int16_t{}, tensor.int32_data());
      break;
    case TensorProto::INT8:
      ints(std::int8_t{}, tensor.int32_data());
      break;
    case TensorProto::UINT16:
      ints(std::uint16_t{}, tensor.int32_data());
      break;
    case TensorProto::UINT8:
    case TensorProto::BOOL:
      ints(std::uint8_t{}, tensor.int32_data());
      break;
    case TensorProto::UINT32:
      ints(std::uint32_t{}, tensor.uint64_data());
      break;
    default:
      throw Error(Error::Code::unsupported,
                  what + " has element type " + element_type_name(tensor.data_type()) +
                      "; octet reads float, double, float16, bfloat16 and integers");
  }
  return constant;
}

}  // namespace octet::convert
