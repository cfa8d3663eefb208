// SPDX-License-Identifier: Apache-2.0
// The clocks of the measurements. On a machine that others use, wall time measures them too.
#pragma once

#include <time.h>

namespace octet::measure {

inline double seconds_of(clockid_t clock) {
  timespec now{};
  clock_gettime(clock, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

// Seconds that this thread has spent on a CPU.
inline double cpu_seconds() {
  return seconds_of(CLOCK_THREAD_CPUTIME_ID);
}

// Seconds that all threads of the process have spent on a CPU: work that a library hands to a
// thread of its own counts.
inline double process_cpu_seconds() {
  return seconds_of(CLOCK_PROCESS_CPUTIME_ID);
}

inline double wall_seconds() {
  return seconds_of(CLOCK_MONOTONIC);
}

}  // namespace octet::measure
