// SPDX-License-Identifier: Apache-2.0
// The most int8 multiply-adds a table's inner loop could do on this core: its instructions on
// registers alone, measured in this process.
#pragma once

#include "kernels/kernels.h"

namespace octet::measure {

// A table's loop on registers: what it is measured by.
struct PeakLoop {
  const char* table;
  void (*run)();
  double operations;  // of one run, which takes about a millisecond
};

// Null for a table without such a loop (scalar). To be timed in turns with what it is compared
// with: on a shared machine the best of many rounds is a speed that nothing keeps up for long.
const PeakLoop* peak_loop(const kernels::Table& table);

// GOPS (a multiply-add counts as two), the best of several rounds; 0 for a table without such a
// loop (scalar). Measured at the first call, then remembered.
double peak_gops(const kernels::Table& table);

}  // namespace octet::measure
