// SPDX-License-Identifier: Apache-2.0
// How the command ends where an exception finds no way out.
#pragma once

namespace octet::command {

// For std::set_terminate. CLI11 allocates in functions that it declares noexcept: memory that is
// out ends there, and is the same error as elsewhere. All else aborts.
[[noreturn]] void terminate() noexcept;

}  // namespace octet::command
