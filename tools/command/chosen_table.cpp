// SPDX-License-Identifier: Apache-2.0
#include "tools/command/chosen_table.h"

#include <cstdlib>
#include <string>

#include "engine/errors.h"

namespace octet::command {

ChosenTable chosen_table(const kernels::CpuFeatures& cpu) {
  const char* forced = std::getenv("OCTET_ISA");
  if (forced == nullptr || *forced == '\0') return {kernels::best_table(cpu), false};
  const kernels::Table* table = kernels::find_table(forced);
  if (table != nullptr && kernels::runs_here(*table, cpu)) return {*table, true};
  std::string choices;
  for (const auto* other : kernels::tables()) {
    if (kernels::runs_here(*other, cpu)) choices += std::string(" ") + other->name;
  }
  engine::fail(
      Error::Code::cpu, "OCTET_ISA=", forced,
      table == nullptr ? ": this build has no such table" : ": this CPU lacks it or Linux refuses",
      "; choices:", choices);
}

}  // namespace octet::command
