// SPDX-License-Identifier: Apache-2.0
// What a program asks of the C library: the functions of this file's source stand before those of
// libc, count their calls and pass them on.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace octet::test {

struct Calls {
  std::uint64_t allocations = 0;  // malloc and its kin, so operator new too; and free
  std::uint64_t locks = 0;        // mutexes, read-write locks, semaphores, guards of local statics
  std::uint64_t environment = 0;  // getenv
};

// Of all threads, since the program began.
Calls calls_so_far() noexcept;

// The names that getenv was asked for since the last call of this function, in order.
std::vector<std::string> take_environment_names();

// Called once, by the next read() before it reads.
void before_next_read(std::function<void()> hook);

}  // namespace octet::test
