// SPDX-License-Identifier: Apache-2.0
// What a reader of data files fails with.
#pragma once

#include <doctest/doctest.h>
#include <octet/octet.h>

#include <string>
#include <string_view>

#include "tests/tools/idx_bytes.h"

namespace octet::test {

struct Failure {
  bool thrown = false;
  Error::Code code{};
  std::string message;
  bool says(std::string_view part) const { return message.find(part) != std::string::npos; }
};

template <class Call>
Failure failure_of(const Call& call) {
  try {
    call();
  } catch (const Error& error) {
    return {true, error.code(), error.what()};
  }
  return {};
}

// Nothing where a program disables doctest.
inline void check([[maybe_unused]] const Failure& failure, [[maybe_unused]] Error::Code code,
                  [[maybe_unused]] const std::string& text) {
  CAPTURE(failure.message);
  CHECK(failure.thrown);
  CHECK(failure.code == code);
  CHECK(failure.says(text));
}

}  // namespace octet::test
