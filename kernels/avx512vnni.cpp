// SPDX-License-Identifier: Apache-2.0
// AVX-512 with VNNI: vpdpbusd multiplies four u8 by four s8 and adds the four products to an int32,
// without saturation (vpdpbusds is the saturating one).
//
// The register block is 6 rows x 4 vectors of 16 columns; per step of 4 k:
//
//               w[step]:   v0   v1   v2   v3     wide vectors: 16 columns x 4 k
//     a[0][k..k+3]  ->    acc  acc  acc  acc     broadcast to all columns
//     ...
//     a[5][k..k+3]  ->    acc  acc  acc  acc     24 accumulators + 4 weights + 1 row <= 32
//
// Panels of 4, 8 and 12 columns, and the last 4 columns of 36, are narrow vectors: 4 columns x 16
// k, one step per 16 k:
//
//               w[group]:  | column 0: k..k+15 | column 1 | column 2 | column 3 |
//     a[0][k..k+15] ->     broadcast to the four lanes of 128 bits
//
// whose four sums per column are added in the end. So 10 columns cost 3 steps of 16 k where wide
// vectors cost 4, 100 columns cost 25 where they cost 28, and a row is read by 16 codes.
#include <immintrin.h>

#include "kernels/make_table.inl"
#include "kernels/tables.h"

namespace octet::kernels {
namespace {

struct Avx512Vnni {
  static constexpr std::size_t kLanes = 16;
  // 100 columns are 64 + 36, 48 are 36 + 12. Other pairs of wide and narrow vectors would save less
  // than the code of five more blocks each is worth.
  static constexpr std::size_t kWidths[] = {4, 8, 12, 16, 32, 36, 64};
  static constexpr std::size_t kKr = 4;
  static constexpr std::size_t kMr = 6;
  static constexpr std::size_t kRowsPerPass = kAllRows;

  static void prepare(const GemmTask&, std::size_t, std::size_t) {}

  // 16 k of a panel: the narrow vectors, then the wide ones of each step. The last group of a tap
  // has no more steps than its k fill.
  static constexpr std::size_t kGroup = 16;
  static std::size_t tap_bytes(std::size_t width, std::size_t k) {
    const std::size_t steps = (k % kGroup + kKr - 1) / kKr;
    const std::size_t last = steps == 0 ? 0 : width % kLanes * kGroup + width / kLanes * 64 * steps;
    return k / kGroup * kGroup * width + last;
  }
  static std::size_t place(std::size_t width, std::size_t column, std::size_t k) {
    const std::size_t group = k / kGroup * kGroup * width;
    const std::size_t wide = width / kLanes;
    if (column >= wide * kLanes) return group + (column - wide * kLanes) * kGroup + k % kGroup;
    const std::size_t vector = k % kGroup / kKr * wide + column / kLanes;
    return group + width % kLanes * kGroup + vector * 64 + column % kLanes * kKr;
  }

  // Independent sums per output: vpdpbusd has a latency of 4 to 5 cycles at one or two per cycle,
  // which small blocks hide only by splitting k.
  static constexpr std::size_t chains(std::size_t accumulators) {
    return accumulators >= 10 ? 1 : accumulators >= 5 ? 2 : 4;
  }

  template <std::size_t Rows, std::size_t Vectors>
  using Acc = __m512i[Rows][Vectors];

  template <std::size_t Rows, std::size_t Vectors>
  [[gnu::always_inline]] static inline void clear(Acc<Rows, Vectors>& acc) {
    unroll<Rows>([&](auto r) { unroll<Vectors>([&](auto v) { acc[r][v] = __m512i{}; }); });
  }
  template <std::size_t Rows, std::size_t Vectors>
  [[gnu::always_inline]] static inline void add(Acc<Rows, Vectors>& acc,
                                                const Acc<Rows, Vectors>& more) {
    unroll<Rows>([&](auto r) {
      unroll<Vectors>([&](auto v) { acc[r][v] = _mm512_add_epi32(acc[r][v], more[r][v]); });
    });
  }
  // Adds row(r) times the panel's next Count vectors to acc[r], and steps over them.
  template <std::size_t Count, std::size_t Rows, std::size_t Vectors, class Row>
  [[gnu::always_inline]] static inline void step(Acc<Rows, Vectors>& acc, const std::int8_t*& panel,
                                                 Row row) {
    if constexpr (Count > 0) {
      __m512i w[Count];
      unroll<Count>([&](auto v) { w[v] = _mm512_load_si512(panel + 64 * v); });
      unroll<Rows>([&](auto r) {
        const __m512i codes = row(r);
        unroll<Count>([&](auto v) { acc[r][v] = _mm512_dpbusd_epi32(acc[r][v], codes, w[v]); });
      });
      panel += 64 * Count;
    }
  }

  // Four codes of a row for all columns of wide vectors, 16 for those of narrow ones.
  [[gnu::always_inline]] static inline __m512i load_step(const std::uint8_t* a) {
    return _mm512_set1_epi32(static_cast<int>(load_word(a)));
  }
  [[gnu::always_inline]] static inline __m512i load_group(const std::uint8_t* a) {
    return _mm512_broadcast_i32x4(_mm_loadu_si128(reinterpret_cast<const __m128i*>(a)));
  }
  // The first count (1 to 15) codes, zeros after them.
  [[gnu::always_inline]] static inline __m128i load_part(const std::uint8_t* a, std::size_t count) {
    return _mm_maskz_loadu_epi8(static_cast<__mmask16>((1u << count) - 1), a);
  }

  // The sums of up to 12 columns from those of narrow vectors.
  template <std::size_t Vectors>
  [[gnu::always_inline]] static inline __m512i gather(const __m512i (&acc)[Vectors]) {
    __m512i sums;  // lane j holds column j of each vector
    if constexpr (Vectors == 1) {
      const __m512i half = _mm512_add_epi32(acc[0], _mm512_shuffle_epi32(acc[0], _MM_PERM_BADC));
      sums = _mm512_add_epi32(half, _mm512_shuffle_epi32(half, _MM_PERM_CDAB));
    } else {
      const __m512i ab = _mm512_add_epi32(_mm512_unpacklo_epi32(acc[0], acc[1]),
                                          _mm512_unpackhi_epi32(acc[0], acc[1]));
      __m512i cd{};
      if constexpr (Vectors == 3) {
        cd = _mm512_add_epi32(_mm512_unpacklo_epi32(acc[2], cd), _mm512_unpackhi_epi32(acc[2], cd));
      }
      sums = _mm512_add_epi32(_mm512_unpacklo_epi64(ab, cd), _mm512_unpackhi_epi64(ab, cd));
    }
    return _mm512_permutexvar_epi32(
        _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15), sums);
  }

  template <std::size_t Rows, std::size_t Width>
  [[gnu::flatten]] static void tile(const GemmTask& task, const Block& block) {
    constexpr std::size_t kWide = Width / kLanes;
    constexpr std::size_t kNarrow = Width % kLanes / 4;
    constexpr std::size_t kVectors = kWide + (kNarrow > 0);
    constexpr std::size_t kChains = kWide == 0 ? 1 : chains(Rows * (kWide + kNarrow));
    // Narrow vectors have one step per group: alone, their chains take the groups in turn.
    constexpr std::size_t kGroups = kWide == 0 && chains(Rows * kNarrow) > 1 ? 2 : 1;
    Acc<Rows, kWide + (kWide == 0)> wide[kChains];  // no array is empty
    Acc<Rows, kNarrow + (kNarrow == 0)> narrow[kGroups];
    unroll<kChains>([&](auto c) { clear(wide[c]); });
    unroll<kGroups>([&](auto c) { clear(narrow[c]); });
    const std::int32_t* bias = task.epilogue.bias + block.column;
    unroll<kWide>([&](auto v) {
      const __m512i start = _mm512_loadu_si512(bias + kLanes * v);
      unroll<Rows>([&](auto r) { wide[0][r][v] = start; });
    });

    const std::int8_t* panel = block.panel;
    for (std::size_t tap = 0; tap < task.taps; ++tap) {
      const std::uint8_t* a[Rows];
      unroll<Rows>([&](auto r) { a[r] = task.rows[tap * task.m + block.row + r]; });
      std::size_t k = 0;
      const auto group = [&](auto chain) __attribute__((always_inline)) {
        step<kNarrow>(narrow[chain], panel, [&](auto r) { return load_group(a[r] + k); });
        unroll<kGroup / kKr>([&](auto s) {
          step<kWide>(wide[s % kChains], panel,
                      [&](auto r) { return load_step(a[r] + k + kKr * s); });
        });
        k += kGroup;
      };
      while (k + kGroups * kGroup <= task.k) unroll<kGroups>(group);
      if constexpr (kGroups > 1) {
        if (k + kGroup <= task.k) unroll<1>(group);
      }
      if (k == task.k) continue;
      step<kNarrow>(narrow[0], panel, [&](auto r) {
        return _mm512_broadcast_i32x4(load_part(a[r] + k, task.k - k));
      });
      if constexpr (kWide > 0) {
        for (; k < task.k; k += kKr) {
          const std::size_t count = task.k - k < kKr ? task.k - k : kKr;
          step<kWide>(wide[0], panel,
                      [&](auto r) { return _mm512_broadcastd_epi32(load_part(a[r] + k, count)); });
        }
      }
    }

    unroll<kChains - 1>([&](auto c) { add(wide[0], wide[c + 1]); });
    unroll<kGroups - 1>([&](auto c) { add(narrow[0], narrow[c + 1]); });
    Acc<Rows, kVectors> acc;
    unroll<Rows>([&](auto r) {
      unroll<kWide>([&](auto v) { acc[r][v] = wide[0][r][v]; });
      if constexpr (kNarrow > 0) {
        acc[r][kWide] =
            _mm512_add_epi32(gather(narrow[0][r]), _mm512_loadu_si512(bias + kLanes * kWide));
      }
    });
    store(task, block, acc);
  }

  // Codes are stored from registers. Floats and sums, which few layers store, are not worth a copy
  // of their code in every block: they go through memory.
  template <std::size_t Rows, std::size_t Vectors>
  [[gnu::always_inline]] static inline void store(const GemmTask& task, const Block& block,
                                                  const Acc<Rows, Vectors>& acc) {
    if (task.epilogue.store == Store::q8) {
      char* c = static_cast<char*>(task.c) + block.row * task.ldc + block.column;
      return store_q8(task, block, acc, c);
    }
    alignas(64) std::int32_t sums[Rows * Vectors * kLanes];
    unroll<Rows>([&](auto r) {
      unroll<Vectors>(
          [&](auto v) { _mm512_store_si512(sums + kLanes * (r * Vectors + v), acc[r][v]); });
    });
    store_words(task, block, sums, Rows, Vectors);
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

  // One vector is not worth packing: it is clamped as floats and truncated.
  template <std::size_t Rows>
  [[gnu::always_inline]] static inline void store_q8(const GemmTask& task, const Block& block,
                                                     const Acc<Rows, 1>& acc, char* c) {
    const Epilogue& e = task.epilogue;
    const __m512 upper = _mm512_set1_ps(static_cast<float>(e.hi - e.zero_point));
    const __m512 lower = _mm512_set1_ps(static_cast<float>(e.lo - e.zero_point));
    const __m512i zero_point = _mm512_set1_epi32(e.zero_point);
    const __m512 mult = _mm512_loadu_ps(e.mult + block.column);
    const __mmask16 lanes = lanes_of(block, 0);
    unroll<Rows>([&](auto r) {
      const __m512 product = _mm512_mul_ps(_mm512_cvtepi32_ps(acc[r][0]), mult);
      const __m512i q = _mm512_cvtps_epi32(_mm512_max_ps(_mm512_min_ps(product, upper), lower));
      const __m128i y = _mm512_cvtepi32_epi8(_mm512_add_epi32(q, zero_point));
      _mm_mask_storeu_epi8(c + r * task.ldc, lanes, y);
    });
  }

  static inline __mmask16 lanes_of(const Block& block, std::size_t v) {
    const std::size_t left = block.columns - kLanes * v;
    return static_cast<__mmask16>(left < kLanes ? (1u << left) - 1 : 0xffffu);
  }

  // sums[rows][vectors][kLanes], as floats or as they are.
  [[gnu::noinline]] static void store_words(const GemmTask& task, const Block& block,
                                            const std::int32_t* sums, std::size_t rows,
                                            std::size_t vectors) {
    const Epilogue& e = task.epilogue;
    const __m512 min = _mm512_set1_ps(e.min);
    const __m512 max = _mm512_set1_ps(e.max);
    char* c = static_cast<char*>(task.c) + block.row * task.ldc + block.column * 4;
    for (std::size_t v = 0; v < vectors; ++v) {
      const __mmask16 lanes = lanes_of(block, v);
      const __m512 mult = _mm512_loadu_ps(e.mult + block.column + kLanes * v);
      for (std::size_t r = 0; r < rows; ++r) {
        const __m512i sum = _mm512_load_si512(sums + kLanes * (r * vectors + v));
        const __m512 y = _mm512_mul_ps(_mm512_cvtepi32_ps(sum), mult);
        const __m512i bits = _mm512_castps_si512(_mm512_min_ps(_mm512_max_ps(y, min), max));
        _mm512_mask_storeu_epi32(c + r * task.ldc + 64 * v, lanes,
                                 e.store == Store::f32 ? bits : sum);
      }
    }
  }
};

}  // namespace

constinit const Table kAvx512VnniTable =
    make_table<Avx512Vnni, xsimd::avx512bw, Sign::u8>("avx512vnni", kAvx512Floats, no_scratch);

}  // namespace octet::kernels
