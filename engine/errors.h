// SPDX-License-Identifier: Apache-2.0
// Building the messages of octet::Error from strings and numbers, without streams.
#pragma once

#include <octet/octet.h>

#include <charconv>
#include <concepts>
#include <string>
#include <string_view>
#include <type_traits>

namespace octet::engine {

inline void append(std::string& text, std::string_view part) {
  text.append(part);
}

// Floats get the fewest digits that give them back.
template <class Number>
requires(std::is_arithmetic_v<Number> && !std::same_as<Number, bool> &&
         !std::same_as<Number, char>) void append(std::string& text, Number number) {
  char digits[64];
  text.append(digits, std::to_chars(digits, digits + sizeof digits, number).ptr);
}

// message("line ", 3, ": scale ", 0.5f) == "line 3: scale 0.5"
template <class... Parts>
std::string message(const Parts&... parts) {
  std::string text;
  (append(text, parts), ...);
  return text;
}

template <class... Parts>
[[noreturn]] void fail(Error::Code code, const Parts&... parts) {
  throw Error(code, message(parts...));
}

// Whether text is UTF-8 that is safe to print on a terminal: no control characters, line or
// paragraph separators, or marks that reverse the reading direction.
bool is_printable(std::string_view text) noexcept;

}  // namespace octet::engine
