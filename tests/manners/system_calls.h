// SPDX-License-Identifier: Apache-2.0
// Runs code in a process that may not enter the kernel: each system call is refused and counted.
#pragma once

#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <new>
#include <optional>
#include <type_traits>

namespace octet::test {

struct SystemCalls {
  long count = 0;
  long first = -1;  // its number
};

// From here on this process may return from signal handlers and exit, and nothing else. False where
// the kernel has no seccomp filters or does not allow them. *calls must be shared memory.
bool refuse_system_calls(SystemCalls* calls) noexcept;

// What f(Report&), in a child process that may not enter the kernel, reported; nothing where that
// is not possible here. A child that dies reports no `finished`.
template <class Report>
struct Observed {
  bool allowed = false;
  bool finished = false;
  SystemCalls system_calls;
  Report report{};
};
template <class Report, class Function>
Observed<Report> observe(Function f) {
  static_assert(std::is_trivially_copyable_v<Report>);
  using Shared = Observed<Report>;
  void* memory =
      ::mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) throw std::bad_alloc();
  auto* shared = new (memory) Shared;
  const pid_t child = ::fork();
  if (child == 0) {
    shared->allowed = refuse_system_calls(&shared->system_calls);
    if (shared->allowed) f(shared->report);
    shared->finished = true;
    ::_exit(0);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  const Shared result = *shared;
  ::munmap(memory, sizeof(Shared));
  return result;
}

}  // namespace octet::test
