// SPDX-License-Identifier: Apache-2.0
// Floats in the vectors of 64-bit NEON.
#include "kernels/make_float_table.inl"
#include "kernels/tables.h"

namespace octet::kernels {

constinit const FloatTable kNeonFloats = make_float_table<xsimd::neon64>();

}  // namespace octet::kernels
