// SPDX-License-Identifier: Apache-2.0
// Floats in the vectors of AVX-512.
#include "kernels/make_float_table.inl"
#include "kernels/tables.h"

namespace octet::kernels {

constinit const FloatTable kAvx512Floats = make_float_table<xsimd::avx512bw>();

}  // namespace octet::kernels
