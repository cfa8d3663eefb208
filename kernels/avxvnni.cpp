// SPDX-License-Identifier: Apache-2.0
// AVX-VNNI: the 256-bit VNNI kernel in its VEX encoding, for CPUs that have no AVX-512.
#include "kernels/avxvnni.inl"
#include "kernels/tables.h"

namespace octet::kernels {
namespace {

struct Vex {
  [[gnu::always_inline]] static inline __m256i dot(__m256i acc, __m256i a, __m256i w) {
    return _mm256_dpbusd_avx_epi32(acc, a, w);
  }
};

}  // namespace

constinit const Table kAvxVnniTable = vnni_256_table<Vex>("avxvnni");

}  // namespace octet::kernels
