// SPDX-License-Identifier: Apache-2.0
#include "engine/errors.h"

#include <doctest/doctest.h>

#include <cstdint>

#include "tests/engine/test_error.h"

namespace octet::test::errors_test {

using octet::engine::is_printable;
using octet::engine::message;

TEST_CASE("message joins text and numbers") {
  CHECK(message("a ", std::string("b"), " ", 3, " ", -5, " ", 0.5f, " ", 1e-45f, " ",
                std::uint64_t{1} << 63, " ", std::uint8_t{7}, " ",
                std::int8_t{-7}) == "a b 3 -5 0.5 1e-45 9223372036854775808 7 -7");
  const char* pointer = "c";
  CHECK(message(std::string_view("abc").substr(0, 2), pointer, 0.1f, " ", 0.1, " ", double{0.1f}) ==
        "abc0.1 0.1 0.10000000149011612");
}

TEST_CASE("fail throws the message with its code") {
  CHECK(octet::test::error_of([] {
          octet::engine::fail(octet::Error::Code::limit, "x: ", 2, " > ", 1);
        }) == "limit: x: 2 > 1");
}

TEST_CASE("is_printable takes UTF-8 without control characters") {
  for (const char* text : {"", "fc1.weight", "/a b~!", "µ", "é", "層", "\xF0\x9F\x98\x80",
                           "\xF4\x8F\xBF\xBF", "\xC2\xA0"}) {
    CAPTURE(std::string(text));
    CHECK(is_printable(text));
  }
}

TEST_CASE("is_printable refuses what is no UTF-8 or moves the cursor") {
  const char* texts[] = {"\n",
                         "a\tb",
                         "\x1b[31m",
                         "\x7F",
                         "\xC2\x80",  // C1 control
                         "\xC2\x9B",
                         "\x80",
                         "\xBF",
                         "\xC2",
                         "\xE2\x82",  // cut short
                         "\xC0\xAF",
                         "\xE0\x80\xAF",
                         "\xF0\x80\x80\xAF",  // overlong
                         "\xED\xA0\x80",
                         "\xED\xBF\xBF",  // surrogates
                         "\xF4\x90\x80\x80",
                         "\xF8\x88\x80\x80\x80",
                         "\xFF",  // above U+10FFFF
                         "\xC2\x41",
                         "\xE2\x80\xA8",
                         "\xE2\x80\xA9",  // separators
                         "\xE2\x80\xAE",
                         "\xE2\x81\xA6",
                         "\xD8\x9C",
                         "\xE2\x80\x8F"};  // direction
  for (const char* text : texts) {
    CAPTURE(std::string(text));
    CHECK_FALSE(is_printable(text));
  }
  CHECK_FALSE(is_printable(std::string_view("a\0b", 3)));
}

}  // namespace octet::test::errors_test
