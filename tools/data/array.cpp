// SPDX-License-Identifier: Apache-2.0
// Sizes and names of arrays; the checks that every reader does before it allocates.
#include "tools/data/array.h"

#include <filesystem>
#include <system_error>

#include "engine/errors.h"

namespace octet::data {

std::size_t type_bytes(ArrayType type) noexcept {
  switch (type) {
    case ArrayType::u8:
    case ArrayType::s8:
      return 1;
    case ArrayType::i32:
    case ArrayType::f32:
      return 4;
    case ArrayType::i64:
    case ArrayType::f64:
      return 8;
  }
  return 0;
}

std::string_view type_name(ArrayType type) noexcept {
  switch (type) {
    case ArrayType::u8:
      return "uint8";
    case ArrayType::s8:
      return "int8";
    case ArrayType::i32:
      return "int32";
    case ArrayType::i64:
      return "int64";
    case ArrayType::f32:
      return "float32";
    case ArrayType::f64:
      return "float64";
  }
  return "";
}

std::size_t Array::row_elements() const noexcept {
  std::size_t elements = 1;
  for (std::size_t i = 1; i < shape.size(); ++i) elements *= shape[i];
  return elements;
}

std::string shape_text(std::span<const std::size_t> shape) {
  if (shape.empty()) return "a scalar";
  std::string text;
  for (const std::size_t extent : shape) {
    if (!text.empty()) text += " x ";
    text += std::to_string(extent);
  }
  return text;
}

std::uint64_t checked_bytes(const std::string& path, std::span<const std::size_t> shape,
                            std::size_t element_bytes) {
  std::uint64_t bytes = element_bytes;
  // A zero anywhere makes the array empty, but must not hide extents that overflow beside it.
  bool empty = false;
  for (const std::size_t extent : shape) {
    empty = empty || extent == 0;
    const std::uint64_t factor = extent == 0 ? 1 : extent;
    if (factor > kMaxArrayBytes / bytes) {
      engine::fail(Error::Code::limit, path, ": its header declares ", shape_text(shape),
                   " elements of ", element_bytes, " bytes, more than the limit of ",
                   kMaxArrayBytes, " bytes; split the file");
    }
    bytes *= factor;
  }
  return empty ? 0 : bytes;
}

std::uint64_t file_bytes(const std::string& path) {
  std::error_code error;
  const auto status = std::filesystem::status(path, error);
  if (!std::filesystem::exists(status)) {
    engine::fail(Error::Code::io, path, ": there is no such file; check the path");
  }
  if (!std::filesystem::is_regular_file(status)) {
    engine::fail(Error::Code::io, path, ": not a regular file; give the path of a data file");
  }
  const std::uint64_t bytes = std::filesystem::file_size(path, error);
  if (error) engine::fail(Error::Code::io, path, ": cannot be read: ", error.message());
  return bytes;
}

}  // namespace octet::data
