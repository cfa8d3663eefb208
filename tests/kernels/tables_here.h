// SPDX-License-Identifier: Apache-2.0
// The tables that this CPU runs, best first.
#pragma once

#include <vector>

#include "kernels/dispatch.h"

namespace octet::kernels {

inline const std::vector<const Table*>& tables_here() {
  static const std::vector<const Table*> here = [] {
    std::vector<const Table*> result;
    for (const Table* table : tables()) {
      if (runs_here(*table, detect_cpu())) result.push_back(table);
    }
    return result;
  }();
  return here;
}

}  // namespace octet::kernels
