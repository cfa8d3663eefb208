// SPDX-License-Identifier: Apache-2.0
// Conversions between the types of data files and of network inputs.
#include "tools/command/feed.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "engine/errors.h"
#include "tools/command/print.h"

namespace octet::command {
namespace {

using data::Array;
using data::ArrayType;

bool same_type(ArrayType type, octet_dtype dtype) {
  return (type == ArrayType::u8 && dtype == OCTET_U8) ||
         (type == ArrayType::s8 && dtype == OCTET_S8) ||
         (type == ArrayType::f32 && dtype == OCTET_F32);
}

// nearbyint rounds half to even, as the engine's quantize does.
std::byte code(double value, int lowest, int highest) {
  if (std::isnan(value)) value = lowest;
  const double rounded = std::nearbyint(value);
  const auto clamped = static_cast<int>(
      std::clamp(rounded, static_cast<double>(lowest), static_cast<double>(highest)));
  return static_cast<std::byte>(clamped & 0xff);
}

}  // namespace

std::array<float, 256> pixel_values(const Normalization& normalization) {
  std::array<float, 256> values{};
  const double mean = normalization.mean;
  const double std = normalization.std;
  for (std::size_t p = 0; p < values.size(); ++p) {
    values[p] = static_cast<float>((static_cast<double>(p) / 255.0 - mean) / std);
  }
  return values;
}

Normalization pixel_meaning(const TensorInfo& input, const std::string& model,
                            const std::optional<Normalization>& given) {
  if (input.has_normalization == 0) return given.value_or(Normalization{});
  if (given) {
    engine::fail(Error::Code::argument, model, ": input '", input.name,
                 "' stores its own normalization ", input.mean, ",", input.std,
                 "; leave --normalize out");
  }
  return {input.mean, input.std};
}

void check_feed(const Array& array, const std::string& path, const TensorInfo& input,
                const std::string& model) {
  std::size_t elements = 1;
  for (std::uint32_t i = 1; i < input.rank; ++i)
    elements *= static_cast<std::size_t>(input.shape[i]);
  if (array.row_elements() != elements) {
    engine::fail(Error::Code::argument, path, ": shape ", data::shape_text(array.shape), " has ",
                 array.row_elements(), " elements per sample, input '", input.name, "' of ", model,
                 " is ", shape_text(input), " and takes ", elements,
                 "; the first dimension must be the samples");
  }
  const bool known =
      same_type(array.type, input.dtype) ||
      (array.type == ArrayType::u8 && input.dtype == OCTET_F32) ||
      (array.type == ArrayType::f32 && (input.dtype == OCTET_U8 || input.dtype == OCTET_S8));
  if (!known) {
    engine::fail(Error::Code::argument, path, ": ", data::type_name(array.type),
                 " samples cannot feed the ", dtype_text(input.dtype), " input '", input.name,
                 "' of ", model, "; use .astype(numpy.float32)");
  }
}

Input feed(const Array& array, std::size_t begin, std::size_t rows, const TensorInfo& input,
           const Normalization& pixels, std::vector<std::byte>& buffer) {
  const std::byte* from = array.data.data() + begin * array.row_bytes();
  if (same_type(array.type, input.dtype)) return {from, rows * array.row_bytes()};
  const std::size_t elements = rows * array.row_elements();
  if (array.type == ArrayType::u8) {
    const auto values = pixel_values(pixels);
    buffer.resize(elements * sizeof(float));
    for (std::size_t i = 0; i < elements; ++i) {
      const float value = values[std::to_integer<std::size_t>(from[i])];
      std::memcpy(buffer.data() + i * sizeof value, &value, sizeof value);
    }
    return octet::input(buffer);
  }
  const auto* floats = reinterpret_cast<const float*>(from);
  buffer.resize(elements);
  if (input.has_normalization != 0) {
    const double mean = pixels.mean;
    const double std = pixels.std;
    std::transform(floats, floats + elements, buffer.begin(), [&](float x) {
      return code((static_cast<double>(x) * std + mean) * 255.0, 0, 255);
    });
  } else {
    const int lowest = input.dtype == OCTET_U8 ? 0 : -128;
    // A float division, as the engine's QuantizeLinear has it.
    std::transform(floats, floats + elements, buffer.begin(), [&](float x) {
      return code(std::nearbyint(x / input.scale) + static_cast<float>(input.zero_point), lowest,
                  lowest + 255);
    });
  }
  return octet::input(buffer);
}

}  // namespace octet::command
