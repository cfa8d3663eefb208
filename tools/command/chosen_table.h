// SPDX-License-Identifier: Apache-2.0
// The kernel table that a model would run on here.
#pragma once

#include "kernels/dispatch.h"

namespace octet::command {

struct ChosenTable {
  const kernels::Table& table;
  bool forced;  // by $OCTET_ISA
};

// As Model::load chooses: $OCTET_ISA, else the best. Throws octet::Error (cpu) if the variable
// names no table that runs here.
ChosenTable chosen_table(const kernels::CpuFeatures& cpu);

}  // namespace octet::command
