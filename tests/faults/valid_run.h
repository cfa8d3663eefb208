// SPDX-License-Identifier: Apache-2.0
// What any file must lead to, whatever its bytes: a typed error that names it, or a valid run.
#pragma once

#include <octet/octet_c.h>

#include <cstddef>
#include <span>
#include <string>

namespace octet::test {

// Loads a model through the C API, under limits that keep a run short, and runs it if it loads:
// on the best kernel table and on the plain loops, which must give the same bytes. error: what the
// load reported. Returns what was wrong with the outcome; nothing if it was as promised.
std::string load_and_run(std::span<const std::byte> file, const char* name, octet_error& error);

}  // namespace octet::test
