// SPDX-License-Identifier: Apache-2.0
// What a call throws, as text to compare: "format: net.octet: ...", or "nothing".
#pragma once

#include <octet/octet.h>

#include <string>

namespace octet::test {

template <class Call>
std::string error_of(Call&& call) {
  try {
    call();
  } catch (const Error& error) {
    constexpr const char* kNames[] = {"ok",    "io",       "format", "unsupported",
                                      "limit", "argument", "cpu"};
    return std::string(kNames[static_cast<int>(error.code())]) + ": " + error.what();
  }
  return "nothing";
}

}  // namespace octet::test
