// SPDX-License-Identifier: Apache-2.0
// Building the messages of octet::Error from strings and numbers, without streams and without code
// for each combination of them.
#pragma once

#include <octet/octet.h>

#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <type_traits>

namespace octet::engine {

// A string or a number of a message. Lives for one expression.
class Part {
 public:
  Part(std::string_view text) noexcept : kind_(Kind::text), text_(text) {}
  Part(const std::string& text) noexcept : Part(std::string_view(text)) {}
  Part(const char* text) noexcept : Part(std::string_view(text)) {}
  Part(float number) noexcept : kind_(Kind::f32), f32_(number) {}
  Part(double number) noexcept : kind_(Kind::f64), f64_(number) {}
  template <class Number>
  requires(std::is_integral_v<Number> && !std::same_as<Number, bool> && !std::same_as<Number, char>)
      Part(Number number)
  noexcept
      : kind_(std::is_signed_v<Number> ? Kind::s64 : Kind::u64),
        u64_(static_cast<std::uint64_t>(number)) {}

  // Floats get the fewest digits that give them back.
  void append_to(std::string& text) const;

 private:
  enum class Kind : std::uint8_t { text, s64, u64, f32, f64 };
  Kind kind_;
  union {
    std::string_view text_;
    std::uint64_t u64_;  // the bits of an s64, too
    float f32_;
    double f64_;
  };
};

std::string join(std::initializer_list<Part> parts);

// message("line ", 3, ": scale ", 0.5f) == "line 3: scale 0.5"
template <class... Parts>
std::string message(const Parts&... parts) {
  return join({Part(parts)...});
}

template <class... Parts>
[[noreturn]] void fail(Error::Code code, const Parts&... parts) {
  throw Error(code, message(parts...));
}

// Whether text is UTF-8 that is safe to print on a terminal: no control characters, line or
// paragraph separators, or marks that reverse the reading direction.
bool is_printable(std::string_view text) noexcept;

}  // namespace octet::engine
