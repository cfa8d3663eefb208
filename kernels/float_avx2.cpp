// SPDX-License-Identifier: Apache-2.0
// Floats in the vectors of AVX2, without FMA: products are rounded before they are added.
#include "kernels/make_float_table.inl"
#include "kernels/tables.h"

namespace octet::kernels {

constinit const FloatTable kAvx2Floats = make_float_table<xsimd::avx2>();

}  // namespace octet::kernels
