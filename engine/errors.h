// SPDX-License-Identifier: Apache-2.0
// Building the messages of octet::Error from strings and numbers, without streams and without code
// for each combination of them.
#pragma once

#include <octet/octet.h>

#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>

namespace octet::engine {

// A string or a number of a message, in 8 bytes. Which member it is stands apart, as a letter: the
// compiler knows it, and a call spends its instructions on what it does not. Lives for one
// expression.
union Piece {
  Piece(const char* x) noexcept : text(x) {}
  Piece(const std::string& x) noexcept : string(&x) {}
  Piece(const std::string_view& x) noexcept : view(&x) {}
  Piece(float x) noexcept : f32(x) {}
  Piece(double x) noexcept : f64(x) {}
  template <class Number>
  requires(std::is_integral_v<Number> && !std::same_as<Number, bool> && !std::same_as<Number, char>)
      Piece(Number x)
  noexcept : integer(static_cast<std::uint64_t>(x)) {}

  const char* text;
  const std::string* string;
  const std::string_view* view;
  float f32;
  double f64;
  std::uint64_t integer;  // the bits of a signed one, too
};

// 't'ext, 's'tring, 'v'iew, 'f'loat, 'd'ouble, 'i'nteger or 'u'nsigned.
template <class Part>
constexpr char kind_of() noexcept {
  using Value = std::decay_t<Part>;
  if constexpr (std::is_pointer_v<Value>) {
    return 't';
  } else if constexpr (std::same_as<Value, std::string>) {
    return 's';
  } else if constexpr (std::same_as<Value, std::string_view>) {
    return 'v';
  } else if constexpr (std::same_as<Value, float>) {
    return 'f';
  } else if constexpr (std::same_as<Value, double>) {
    return 'd';
  } else {
    static_assert(std::is_integral_v<Value>);
    return std::is_signed_v<Value> ? 'i' : 'u';
  }
}
template <class... Parts>
inline constexpr char kKinds[] = {kind_of<Parts>()..., '\0'};

// Floats get the fewest digits that give them back.
std::string join(const char* kinds, const Piece* pieces);
[[noreturn, gnu::cold]] void fail_joined(Error::Code code, const char* kinds, const Piece* pieces);

// message("line ", 3, ": scale ", 0.5f) == "line 3: scale 0.5"
template <class... Parts>
[[gnu::always_inline]] inline std::string message(const Parts&... parts) {
  const Piece pieces[] = {parts...};
  return join(kKinds<Parts...>, pieces);
}

template <class... Parts>
[[noreturn, gnu::always_inline]] inline void fail(Error::Code code, const Parts&... parts) {
  const Piece pieces[] = {parts...};
  fail_joined(code, kKinds<Parts...>, pieces);
}

// Whether text is UTF-8 that is safe to print on a terminal: no control characters, line or
// paragraph separators, or marks that reverse the reading direction.
bool is_printable(std::string_view text) noexcept;

}  // namespace octet::engine
