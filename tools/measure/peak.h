// SPDX-License-Identifier: Apache-2.0
// The most int8 multiply-adds a table's inner loop could do on this core: its instructions on
// registers alone, measured in this process.
#pragma once

#include "kernels/kernels.h"

namespace octet::measure {

// GOPS (a multiply-add counts as two), the best of several rounds; 0 for a table without such a
// loop (scalar). Measured at the first call, then remembered.
double peak_gops(const kernels::Table& table);

}  // namespace octet::measure
