// SPDX-License-Identifier: Apache-2.0
// What operator new gives, counted, and made to fail: a program that links this has it replaced.
#pragma once

#include <cstddef>

namespace octet::test::allocations {

// Calls of operator new since the program began.
std::size_t calls() noexcept;

// Bytes that operator new has given and operator delete has not taken back, as malloc rounds them,
// and the most of them since reset_peak().
std::size_t live() noexcept;
std::size_t peak() noexcept;
void reset_peak() noexcept;

// From now on the call number `index`, counted from 1, fails: it alone, or all from it on. 0: none.
void fail(std::size_t index, bool all_after = false) noexcept;
// Whether one has failed since the last fail() of an index.
bool has_failed() noexcept;

}  // namespace octet::test::allocations
