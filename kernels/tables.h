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
extern const Table kAmxInt8Table;
extern const Table kAmxInt8EmulatedTable;
extern const Table kAvx512VnniTable;
extern const Table kAvxVnniTable;
extern const Table kAvxVnniEvexTable;
extern const Table kNeonTable;
extern const Table kNeonDotprodTable;
extern const Table kNeonI8mmTable;

// avx512vnni's gemm by weights in its form that lie elsewhere.
void avx512vnni_gemm(const GemmTask& task, const void* weights);

// What the tables of AMX do themselves. The rest is avx512vnni's, whose file defines them.
namespace amx_int8 {
std::size_t packed_bytes(std::size_t n, std::size_t taps, std::size_t k);
void pack_weights(const std::int8_t* w, std::size_t n, std::size_t taps, std::size_t k,
                  void* packed);
std::size_t scratch_bytes(std::size_t taps, std::size_t k);
void gemm(const GemmTask& task);
void gemm_emulated(const GemmTask& task);
}  // namespace amx_int8

}  // namespace octet::kernels
