// SPDX-License-Identifier: Apache-2.0
// The clock of the benchmarks: on a machine that others use, wall time measures them.
#pragma once

#include <time.h>

namespace octet::bench {

// Seconds that this thread has spent on a CPU.
inline double cpu_seconds() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

}  // namespace octet::bench
