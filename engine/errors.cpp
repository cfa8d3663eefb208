// SPDX-License-Identifier: Apache-2.0
// How messages are joined, and which strings of a file may be printed: strict UTF-8 (no overlong
// forms, no surrogates) without characters that move the cursor or reorder the line.
#include "engine/errors.h"

#include <charconv>
#include <cstddef>
#include <cstdint>

namespace octet::engine {
namespace {

bool is_printable(std::uint32_t c) noexcept {
  const bool control = c < 0x20 || (c >= 0x7F && c < 0xA0);
  const bool separator = c == 0x2028 || c == 0x2029;
  const bool direction = c == 0x061C || c == 0x200E || c == 0x200F ||
                         (c >= 0x202A && c <= 0x202E) || (c >= 0x2066 && c <= 0x2069);
  const bool surrogate = c >= 0xD800 && c <= 0xDFFF;
  return !control && !separator && !direction && !surrogate && c <= 0x10FFFF;
}

template <class Number>
void append_number(std::string& text, Number number) {
  char digits[64];
  text.append(digits, std::to_chars(digits, digits + sizeof digits, number).ptr);
}

}  // namespace

std::string join(const char* kinds, const Piece* pieces) {
  std::string text;
  for (; *kinds != '\0'; ++kinds, ++pieces) {
    switch (*kinds) {
      case 't':
        text.append(pieces->text);
        break;
      case 's':
        text.append(*pieces->string);
        break;
      case 'v':
        text.append(*pieces->view);
        break;
      case 'f':
        append_number(text, pieces->f32);
        break;
      case 'd':
        append_number(text, pieces->f64);
        break;
      case 'i':
        append_number(text, static_cast<std::int64_t>(pieces->integer));
        break;
      default:
        append_number(text, pieces->integer);
    }
  }
  return text;
}

void fail_joined(Error::Code code, const char* kinds, const Piece* pieces) {
  throw Error(code, join(kinds, pieces));
}

bool is_printable(std::string_view text) noexcept {
  for (std::size_t i = 0; i < text.size();) {
    const auto lead = static_cast<std::uint8_t>(text[i++]);
    const int more = lead < 0x80 ? 0 : lead < 0xC0 ? -1 : lead < 0xE0 ? 1 : lead < 0xF0 ? 2 : 3;
    if (more < 0 || lead >= 0xF8 || text.size() - i < static_cast<std::size_t>(more)) return false;
    std::uint32_t c = more == 0 ? lead : lead & (0x3Fu >> more);
    for (int j = 0; j < more; ++j) {
      const auto byte = static_cast<std::uint8_t>(text[i++]);
      if ((byte & 0xC0) != 0x80) return false;
      c = c << 6 | (byte & 0x3F);
    }
    constexpr std::uint32_t kLowest[] = {0, 0x80, 0x800, 0x10000};
    if (c < kLowest[more] || !is_printable(c)) return false;
  }
  return true;
}

}  // namespace octet::engine
