// SPDX-License-Identifier: Apache-2.0
// Constants of an ONNX graph: initializers of every storage form, as float or int64.
#pragma once

#include <onnx/onnx.pb.h>

#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <vector>

namespace octet::convert {

inline constexpr std::size_t kMaxConstantRank = 16;

using Dims = std::vector<std::int64_t>;

// In a folded integer constant: the size of the batch, which only run() knows. Shape gives it for
// the leading dimension of an activation; Reshape understands it. Never read from a file.
inline constexpr std::int64_t kBatchSize = std::numeric_limits<std::int64_t>::min() + 1;

// The integers behind a constant that DequantizeLinear made: real = scale * code.
struct QuantizedConstant {
  std::vector<std::int32_t> codes;  // q - zero_point
  std::vector<float> scale;         // one, or one per entry along axis
  std::size_t axis = 0;
};

struct Constant {
  std::string name;  // for messages: the initializer, or the tensor that was folded
  bool is_float = true;
  std::int32_t type = 0;  // TensorProto's, where a file or an operator says it
  Dims dims;              // all >= 0; none for a scalar
  std::vector<float> floats;
  std::vector<std::int64_t> ints;
  std::shared_ptr<const QuantizedConstant> quantized;  // null for most

  std::size_t size() const noexcept { return is_float ? floats.size() : ints.size(); }
};

// The product of dims. Throws octet::Error that begins with what: format for a negative dimension,
// limit for more elements than limit.
std::size_t count_elements(const Dims& dims, const std::string& what,
                           std::size_t limit = std::numeric_limits<std::size_t>::max() / 16);

// "[1, 28, 28]"; a negative first entry, the batch, is shown as N, and the first 64 of many.
std::string to_text(const Dims& dims);

// Decodes raw, typed or external data: float, double, float16, bfloat16 to float; bool and integers
// to int64. model_path is the .onnx file, for messages and for the folder that external data must
// lie in; memory is how many bytes may be taken; name is that of an attribute's tensor, whose own
// may be anything. Throws octet::Error: format, io, limit, or unsupported for other element types.
Constant read_constant(const onnx::TensorProto& tensor, const std::string& model_path,
                       std::uint64_t memory = std::numeric_limits<std::uint64_t>::max(),
                       const std::string* name = nullptr);

// Bytes that a constant takes.
std::uint64_t memory_of(const Constant& constant) noexcept;

// Whether uint8, int8 or else int32 (TensorProto's types) holds the value.
bool fits_type(std::int64_t value, std::int32_t type) noexcept;

// "float", "uint8", ... as ONNX writes the element types.
std::string element_type_name(std::int32_t type);

}  // namespace octet::convert
