// SPDX-License-Identifier: Apache-2.0
// The tables that the instruction-set files define, for each other and dispatch.cpp alone:
// everybody else asks dispatch.h, because a table may be called only where the CPU runs it.
#pragma once

#include "kernels/kernels.h"

namespace octet::kernels {

extern const FloatTable kAvx2Floats;
extern const FloatTable kAvx512Floats;
extern const FloatTable kNeonFloats;

extern const Table kScalarTable;
extern const Table kAvx2Table;
extern const Table kAvx512VnniTable;
extern const Table kAvxVnniTable;
extern const Table kAvxVnniEvexTable;
extern const Table kNeonTable;
extern const Table kNeonDotprodTable;
extern const Table kNeonI8mmTable;

}  // namespace octet::kernels
