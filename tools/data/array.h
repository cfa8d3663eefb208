// SPDX-License-Identifier: Apache-2.0
// A dense, row-major array as data files hold it, and the checks that their readers share.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace octet::data {

enum class ArrayType : std::uint8_t { u8, s8, i32, i64, f32, f64 };

std::size_t type_bytes(ArrayType type) noexcept;
std::string_view type_name(ArrayType type) noexcept;  // numpy's: "uint8"

// No reader takes a file that declares more than this.
inline constexpr std::uint64_t kMaxArrayBytes = std::uint64_t{16} << 30;

struct Array {
  ArrayType type = ArrayType::u8;
  std::vector<std::size_t> shape;  // shape[0]: rows, the samples; rank 0 is one element
  std::vector<std::byte> data;

  std::size_t rows() const noexcept { return shape.empty() ? 1 : shape[0]; }
  std::size_t row_elements() const noexcept;  // the product of shape[1..]
  std::size_t row_bytes() const noexcept { return row_elements() * type_bytes(type); }

  // The elements; T must be the C++ type of `type`.
  template <class T>
  std::span<const T> as() const noexcept {
    return {reinterpret_cast<const T*>(data.data()), data.size() / sizeof(T)};
  }
  template <class T>
  std::span<T> as() noexcept {
    return {reinterpret_cast<T*>(data.data()), data.size() / sizeof(T)};
  }
};

std::string shape_text(std::span<const std::size_t> shape);  // "60000 x 28 x 28"

// Bytes of that many elements. Throws octet::Error (limit) naming path if they exceed
// kMaxArrayBytes or overflow.
std::uint64_t checked_bytes(const std::string& path, std::span<const std::size_t> shape,
                            std::size_t element_bytes);

// Size of a file. Throws octet::Error (io) if there is none of that name or it is not a regular
// file.
std::uint64_t file_bytes(const std::string& path);

}  // namespace octet::data
