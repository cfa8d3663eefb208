// SPDX-License-Identifier: Apache-2.0
// AVX-512 with VNNI: vpdpbusd multiplies four u8 by four s8 and adds the four products to an int32,
// without saturation (vpdpbusds is the saturating one).
//
// The register block is 6 rows x 4 vectors of 16 columns; per step of 4 k:
//
//               w[step]:   v0   v1   v2   v3     zmm, 16 columns x 4 k
//     a[0][k..k+3]  ->    acc  acc  acc  acc     broadcast to all columns
//     ...
//     a[5][k..k+3]  ->    acc  acc  acc  acc     24 accumulators + 4 weights + 1 row <= 32
#include <immintrin.h>

#include "kernels/make_table.inl"
#include "kernels/tables.h"

namespace octet::kernels {
namespace {

struct Avx512Vnni {
  static constexpr std::size_t kLanes = 16;
  // A last vector of up to 4 columns is an xmm: half the work of a zmm where zmm instructions take
  // two passes, and 100 columns are 6 * 16 + 4.
  static constexpr std::size_t kWidths[] = {4, 16, 20, 32, 36, 48, 52, 64};
  static constexpr std::size_t kKr = 4;
  static constexpr std::size_t kMr = 6;
  static constexpr std::size_t kRowsPerPass = kAllRows;

  static void prepare(const GemmTask&, std::size_t, std::size_t) {}

  // Independent sums per output: vpdpbusd has a latency of 4 to 5 cycles at one or two per cycle,
  // which small blocks hide only by splitting k.
  static constexpr std::size_t chains(std::size_t accumulators) {
    return accumulators >= 8 ? 1 : accumulators >= 3 ? 2 : 4;
  }

  template <std::size_t Rows, std::size_t Vectors>
  using Acc = __m512i[Rows][Vectors];

  template <std::size_t Width, std::size_t Rows, std::size_t Vectors>
  [[gnu::always_inline]] static inline void step(Acc<Rows, Vectors>& acc, const std::int8_t* panel,
                                                 const std::uint32_t (&a)[Rows]) {
    constexpr std::size_t kWhole = Width / kLanes;
    __m512i w[kWhole + 1];
    unroll<kWhole>([&](auto v) { w[v] = _mm512_loadu_si512(panel + 64 * v); });
    unroll<Rows>([&](auto r) {
      const __m512i row = _mm512_set1_epi32(static_cast<int>(a[r]));
      unroll<kWhole>([&](auto v) { acc[r][v] = _mm512_dpbusd_epi32(acc[r][v], row, w[v]); });
      if constexpr (Vectors > kWhole) {
        const __m128i narrow =
            _mm_load_si128(reinterpret_cast<const __m128i*>(panel + 64 * kWhole));
        acc[r][kWhole] = _mm512_castsi128_si512(_mm_dpbusd_epi32(
            _mm512_castsi512_si128(acc[r][kWhole]), _mm512_castsi512_si128(row), narrow));
      }
    });
  }

  template <std::size_t Rows, std::size_t Width>
  [[gnu::flatten]] static void tile(const GemmTask& task, const Block& block) {
    static_assert(Width % kLanes == 0 || Width % kLanes == 4);
    constexpr std::size_t kVectors = (Width + kLanes - 1) / kLanes;
    constexpr std::size_t kChains = chains(Rows * kVectors);
    constexpr std::size_t kStep = Width * kKr;
    Acc<Rows, kVectors> acc[kChains];
    unroll<kVectors>([&](auto v) {
      const __m512i bias = _mm512_loadu_si512(task.epilogue.bias + block.column + kLanes * v);
      unroll<Rows>([&](auto r) {
        acc[0][r][v] = bias;
        unroll<kChains - 1>([&](auto c) { acc[c + 1][r][v] = _mm512_setzero_si512(); });
      });
    });

    const std::int8_t* panel = block.panel;
    for (std::size_t tap = 0; tap < task.taps; ++tap) {
      const std::uint8_t* a[Rows];
      unroll<Rows>([&](auto r) { a[r] = task.rows[tap * task.m + block.row + r]; });
      std::uint32_t words[Rows];
      std::size_t k = 0;
      for (; k + kKr * kChains <= task.k; k += kKr * kChains, panel += kStep * kChains) {
        unroll<kChains>([&](auto c) {
          unroll<Rows>([&](auto r) { words[r] = load_word(a[r] + k + kKr * c); });
          step<Width>(acc[c], panel + kStep * c, words);
        });
      }
      if constexpr (kChains > 1) {
        for (; k + kKr <= task.k; k += kKr, panel += kStep) {
          unroll<Rows>([&](auto r) { words[r] = load_word(a[r] + k); });
          step<Width>(acc[0], panel, words);
        }
      }
      if (k < task.k) {
        unroll<Rows>([&](auto r) { words[r] = load_part(a[r] + k, task.k - k); });
        step<Width>(acc[0], panel, words);
        panel += kStep;
      }
    }

    unroll<kChains - 1>([&](auto c) {
      unroll<Rows>([&](auto r) {
        unroll<kVectors>(
            [&](auto v) { acc[0][r][v] = _mm512_add_epi32(acc[0][r][v], acc[c + 1][r][v]); });
      });
    });
    store(task, block, acc[0]);
  }

  template <std::size_t Rows, std::size_t Vectors>
  [[gnu::always_inline]] static inline void store(const GemmTask& task, const Block& block,
                                                  const Acc<Rows, Vectors>& acc) {
    char* c = static_cast<char*>(task.c) + block.row * task.ldc;
    switch (task.epilogue.store) {
      case Store::q8:
        return store_q8(task, block, acc, c + block.column);
      case Store::f32:
        return store_f32(task, block, acc, c + block.column * sizeof(float));
      case Store::s32:
        return store_s32(task, block, acc, c + block.column * sizeof(std::int32_t));
    }
  }

  // The upper bound is applied as a float, because a product of 2^31 or more would convert to
  // INT_MIN; what is too low converts to INT_MIN rightly, saturates while narrowing and meets lo as
  // a byte. Packing works within 128-bit lanes: the permutation puts the columns in order.
  template <std::size_t Rows, std::size_t Vectors>
  [[gnu::always_inline]] static inline void store_q8(const GemmTask& task, const Block& block,
                                                     const Acc<Rows, Vectors>& acc, char* c) {
    const Epilogue& e = task.epilogue;
    const __m512 upper = _mm512_set1_ps(static_cast<float>(e.hi - e.zero_point));
    const __m512i lower = _mm512_set1_epi8(static_cast<char>(e.lo));
    const __m512i zero_point = _mm512_set1_epi16(static_cast<short>(e.zero_point));
    const __m512i order = _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
    const __mmask64 mask = ~std::uint64_t{0} >> (64 - block.columns);
    __m512 mult[Vectors];
    unroll<Vectors>([&](auto v) { mult[v] = _mm512_loadu_ps(e.mult + block.column + kLanes * v); });
    unroll<Rows>([&](auto r) {
      __m512i q[4] = {};
      unroll<Vectors>([&](auto v) {
        const __m512 product = _mm512_mul_ps(_mm512_cvtepi32_ps(acc[r][v]), mult[v]);
        q[v] = _mm512_cvtps_epi32(_mm512_min_ps(product, upper));
      });
      const __m512i low = _mm512_adds_epi16(_mm512_packs_epi32(q[0], q[1]), zero_point);
      const __m512i high = _mm512_adds_epi16(_mm512_packs_epi32(q[2], q[3]), zero_point);
      const __m512i bytes = _mm512_max_epu8(_mm512_packus_epi16(low, high), lower);
      const __m512i y = _mm512_permutexvar_epi32(order, bytes);
      if (Vectors == 4 && block.columns == 64) {
        _mm512_storeu_si512(c + r * task.ldc, y);
      } else {
        _mm512_mask_storeu_epi8(c + r * task.ldc, mask, y);
      }
    });
  }

  static inline __mmask16 lanes_of(const Block& block, std::size_t v) {
    const std::size_t left = block.columns - kLanes * v;
    return static_cast<__mmask16>(left < kLanes ? (1u << left) - 1 : 0xffffu);
  }

  template <std::size_t Rows, std::size_t Vectors>
  [[gnu::always_inline]] static inline void store_f32(const GemmTask& task, const Block& block,
                                                      const Acc<Rows, Vectors>& acc, char* c) {
    const Epilogue& e = task.epilogue;
    const __m512 min = _mm512_set1_ps(e.min);
    const __m512 max = _mm512_set1_ps(e.max);
    unroll<Vectors>([&](auto v) {
      const __m512 mult = _mm512_loadu_ps(e.mult + block.column + kLanes * v);
      const __mmask16 lanes = lanes_of(block, v);
      unroll<Rows>([&](auto r) {
        const __m512 y = _mm512_mul_ps(_mm512_cvtepi32_ps(acc[r][v]), mult);
        _mm512_mask_storeu_ps(c + r * task.ldc + 64 * v, lanes,
                              _mm512_min_ps(_mm512_max_ps(y, min), max));
      });
    });
  }

  template <std::size_t Rows, std::size_t Vectors>
  [[gnu::always_inline]] static inline void store_s32(const GemmTask& task, const Block& block,
                                                      const Acc<Rows, Vectors>& acc, char* c) {
    unroll<Vectors>([&](auto v) {
      const __mmask16 lanes = lanes_of(block, v);
      unroll<Rows>(
          [&](auto r) { _mm512_mask_storeu_epi32(c + r * task.ldc + 64 * v, lanes, acc[r][v]); });
    });
  }
};

}  // namespace

constinit const Table kAvx512VnniTable =
    make_table<Avx512Vnni, xsimd::avx512bw, Sign::u8>("avx512vnni", no_scratch);

}  // namespace octet::kernels
