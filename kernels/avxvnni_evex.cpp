// SPDX-License-Identifier: Apache-2.0
// The twin of avxvnni in EVEX encoding, for CPUs with AVX-512 VNNI, which choose avx512vnni: tests
// and benchmarks run the 256-bit kernel through it where there is no AVX-VNNI.
#include "kernels/avxvnni.inl"
#include "kernels/tables.h"

namespace octet::kernels {
namespace {

struct Evex {
  [[gnu::always_inline]] static inline __m256i dot(__m256i acc, __m256i a, __m256i w) {
    return _mm256_dpbusd_epi32(acc, a, w);
  }
};

}  // namespace

constinit const Table kAvxVnniEvexTable = vnni_256_table<Evex>("avxvnni_evex");

}  // namespace octet::kernels
