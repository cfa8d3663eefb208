// SPDX-License-Identifier: Apache-2.0
#include "tools/command/terminate.h"

#include <cstdio>
#include <cstdlib>
#include <exception>
#include <new>

namespace octet::command {

void terminate() noexcept {
  try {
    if (std::current_exception() != nullptr) throw;
  } catch (const std::bad_alloc&) {
    std::fputs("octet: out of memory\n", stderr);
    std::_Exit(1);
  } catch (...) {
  }
  std::abort();
}

}  // namespace octet::command
