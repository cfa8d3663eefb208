// SPDX-License-Identifier: Apache-2.0
// Text layout without streams or a locale.
#include "tools/command/print.h"

#include <algorithm>
#include <cmath>
#include <cstdarg>
#include <limits>

#include "engine/errors.h"

namespace octet::command {

std::string format(const char* pattern, ...) {
  va_list arguments;
  va_start(arguments, pattern);
  va_list again;
  va_copy(again, arguments);
  const int length = std::vsnprintf(nullptr, 0, pattern, arguments);
  va_end(arguments);
  std::string text(length > 0 ? static_cast<std::size_t>(length) : 0, '\0');
  std::vsnprintf(text.data(), text.size() + 1, pattern, again);
  va_end(again);
  return text;
}

std::string decibels(double db) {
  if (std::isnan(db)) return "none";
  return db == std::numeric_limits<double>::infinity() ? "exact" : format("%.1f dB", db);
}

std::string grouped(std::uint64_t number) {
  std::string digits = std::to_string(number);
  for (std::size_t i = digits.size(); i > 3; i -= 3) digits.insert(i - 3, 1, ',');
  return digits;
}

std::string count(std::uint64_t n, const char* noun) {
  return grouped(n) + " " + noun + (n == 1 ? "" : "s");
}

std::string shape_text(std::span<const std::int64_t> shape) {
  std::string text = "[";
  for (std::size_t i = 0; i < shape.size(); ++i) {
    if (i > 0) text += ",";
    text += shape[i] < 0 ? "N" : std::to_string(shape[i]);
  }
  return text + "]";
}

std::string shape_text(const octet_tensor_info& info) {
  return shape_text(std::span<const std::int64_t>(info.shape, info.rank));
}

std::string_view dtype_text(octet_dtype dtype) {
  switch (dtype) {
    case OCTET_F32:
      return "float32";
    case OCTET_U8:
      return "uint8";
    case OCTET_S8:
      return "int8";
    case OCTET_S32:
      return "int32";
  }
  return "";
}

std::string printable(std::string_view text) {
  std::string result;
  for (std::size_t i = 0; i < text.size();) {
    const auto lead = static_cast<std::uint8_t>(text[i]);
    const std::size_t length = lead < 0xC0 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
    const std::string_view character = text.substr(i, length);
    if (engine::is_printable(character) || text.substr(i).starts_with("\n  ")) {
      result += character;
      i += character.size();
    } else {
      result += format("\\x%02x", static_cast<unsigned>(lead));
      ++i;
    }
  }
  return result;
}

void flush_stdout() {
  if (std::fflush(stdout) == 0 && std::ferror(stdout) == 0) return;
  engine::fail(Error::Code::io, "standard output cannot be written");
}

std::string TextTable::text() const {
  std::vector<std::size_t> widths(alignment_.size(), 0);
  for (const auto& cells : rows_) {
    for (std::size_t i = 0; i < cells.size(); ++i) widths[i] = std::max(widths[i], cells[i].size());
  }
  std::string result;
  for (const auto& cells : rows_) {
    std::string line;
    for (std::size_t i = 0; i < cells.size(); ++i) {
      if (i > 0) line += "  ";
      const std::string padding(widths[i] - cells[i].size(), ' ');
      line += alignment_[i] == 'r' ? padding + cells[i] : cells[i] + padding;
    }
    line.erase(line.find_last_not_of(' ') + 1);
    result += line + "\n";
  }
  return result;
}

}  // namespace octet::command
