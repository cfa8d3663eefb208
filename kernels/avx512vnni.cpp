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
// Panels of 4 columns, and the last 4 of 36, are narrow vectors: 4 columns x 16 k, one step per 16
// k:
//
//               w[group]:  | column 0: k..k+15 | column 1 | column 2 | column 3 |
//     a[0][k..k+15] ->     broadcast to the four lanes of 128 bits
//
// whose four sums per column are added in the end. So 100 columns cost 25 vectors per 16 k where
// wide ones alone would cost 28, and a row is read by 16 codes. Panels of 10 and 12 columns:
// paired_512.inl.
#include <immintrin.h>

#include "kernels/make_table.inl"
#include "kernels/one_row_512.inl"
#include "kernels/tables.h"

namespace octet::kernels {
namespace {

struct Avx512Vnni : OneRow512 {
  // 100 columns are 64 + 36, 48 are 36 + 12. Other pairs of wide and narrow vectors would save less
  // than the code of their blocks is worth.
  static constexpr std::size_t kWidths[] = {4, 10, 12, 16, 32, 36, 64};
  static constexpr std::size_t kMr = 6;
  static constexpr std::size_t kRowsPerPass = kAllRows;

  static void prepare(const GemmTask&, std::size_t, std::size_t) {}

  // 16 k of a panel: the narrow vectors, then the wide ones of each step. The last group of a tap
  // has no more steps than its k fill.
  static std::size_t tap_bytes(std::size_t width, std::size_t k) {
    if (is_paired(width)) return paired_bytes(width, k);
    const std::size_t steps = (k % kGroup + kKr - 1) / kKr;
    const std::size_t last = steps == 0 ? 0 : width % kLanes * kGroup + width / kLanes * 64 * steps;
    return k / kGroup * kGroup * width + last;
  }
  // What does not fill a narrow vector, or a step of wide ones, stands behind zeros there: it meets
  // the last 16, or 4, codes of a row.
  static std::size_t place(std::size_t width, std::size_t column, std::size_t k, std::size_t i) {
    if (is_paired(width)) return paired_place(width, column, k, i);
    const auto zeros = [&](std::size_t size) { return i / size < k / size ? 0 : size - k % size; };
    const std::size_t group = i / kGroup * kGroup * width;
    const std::size_t wide = width / kLanes;
    if (column >= wide * kLanes) {
      return group + (column - wide * kLanes) * kGroup + zeros(kGroup) + i % kGroup;
    }
    const std::size_t vector = i % kGroup / kKr * wide + column / kLanes;
    return group + width % kLanes * kGroup + vector * 64 + column % kLanes * kKr + zeros(kKr);
  }

  template <std::size_t Rows, std::size_t Width>
  [[gnu::flatten]] static void tile(const GemmTask& task, const Block& block) {
    if constexpr (is_paired(Width)) {
      PairedSums<Rows, Width> sums;
      sums.start(block);
      const std::int8_t* panel = block.panel;
      const std::uint8_t* a[Rows];
      find_rows(task, 0, block.row, a);
      sums.add(panel, a, 0, task.k);
      sums.join_chains();
      store<Rows, Width>(task, block, sums);
    } else {
      Sums<Rows, Width> sums;
      add_taps(task, block, sums);
      store<Rows, Width>(task, block, sums);
    }
  }

  template <std::size_t Rows, std::size_t Width>
  [[gnu::always_inline]] static inline void add_taps(const GemmTask& task, const Block& block,
                                                     Sums<Rows, Width>& sums) {
    using S = Sums<Rows, Width>;
    sums.start(task.epilogue.bias + block.column);
    const std::int8_t* panel = block.panel;
    std::size_t tap = 0;
    do {
      const std::uint8_t* a[Rows];
      find_rows(task, tap, block.row, a);
      std::size_t k = 0;
      const auto group = [&](auto chain) __attribute__((always_inline)) {
        S::fetch_own(*block.ahead, panel);
        S::fetch_group(*block.ahead);
        sums.add_group(panel, a, k, chain);
        k += kGroup;
      };
      while (k + S::kGroups * kGroup <= task.k) unroll<S::kGroups>(group);
      if constexpr (S::kGroups > 1) {
        if (k + kGroup <= task.k) unroll<1>(group);
      }
      if (k < task.k) sums.template add_rest<false>(panel, a, k, task.k);
    } while (++tap < task.taps);
    sums.join_chains();
  }

  // Codes are stored from registers, but where products may reach 2^31 and a row is more than one
  // vector. Those, floats and sums, which few layers store, are not worth a copy of their code in
  // every block: they go through memory.
  template <std::size_t Rows, std::size_t Width, class S>
  [[gnu::always_inline]] static inline void store(const GemmTask& task, const Block& block,
                                                  const S& sums) {
    const Epilogue& e = task.epilogue;
    char* c = static_cast<char*>(task.c) + block.row * task.ldc + block.column;
    if constexpr (S::kOfFour) {
      if (e.store == Store::q8 && e.below_one) {
        using Stored = RowCodes<S>;
        const auto at = [&](std::size_t r, std::size_t v) {
          return v < S::kWide ? sums.wide[0][r][v] : sums.narrow[0][r][v - S::kWide];
        };
        const bool narrows = Width == 36 && narrows_only(e);
        return Stored(task, block).store(at, c, task.ldc, Stored::masks(block), narrows);
      }
    }
    Acc<Rows, S::kVectors> acc;
    unroll<Rows>([&](auto r) { sums.finish(e.bias + block.column, r, acc[r]); });
    if constexpr (!S::kOfFour) {
      if (e.store == Store::q8 && (e.below_one || Codes<S::kVectors>::kAnyProducts)) {
        const Codes<S::kVectors> codes(task, block);
        const bool narrows = Rows == 4 && Width == 64 && narrows_only(e);  // elsewhere not worth it
        const __mmask64 mask = bytes_of<S::kVectors>(block);
        return unroll<Rows>([&](auto r) { codes.store(acc[r], c + r * task.ldc, mask, narrows); });
      }
    }
    alignas(64) std::int32_t words[Rows * S::kVectors * kLanes];
    unroll<Rows>([&](auto r) {
      unroll<S::kVectors>(
          [&](auto v) { _mm512_store_si512(words + kLanes * (r * S::kVectors + v), acc[r][v]); });
    });
    if (e.store == Store::q8) return store_any_codes(task, block, words, Rows, S::kVectors);
    std::size_t rows = Rows;
    asm("" : "+r"(rows));  // or GCC would make a copy of the function for each number
    store_words<S::kVectors>(task, block, words, rows);
  }
};

constexpr Table kTable =
    make_table<Avx512Vnni, xsimd::avx512bw, Sign::u8>("avx512vnni", kAvx512Floats, no_scratch);

[[maybe_unused]] constexpr Table amx_table(const char* name, void (*gemm)(const GemmTask&)) {
  Table table = kTable;
  table.name = name;
  static_assert(Gemm<Avx512Vnni>::kNr == 64, "columns are divided alike");
  table.tile = {16, 64, 4};
  table.tile_speed = 4;
  table.forms = 2;
  table.packed_bytes = amx_int8::packed_bytes;
  table.pack_weights = amx_int8::pack_weights;
  table.scratch_bytes = amx_int8::scratch_bytes;
  table.gemm = gemm;
  return table;
}

}  // namespace

constinit const Table kAvx512VnniTable = kTable;
#ifdef OCTET_HAS_AMX_INT8
void avx512vnni_gemm(const GemmTask& task, const void* weights) {
  Gemm<Avx512Vnni>::run(task, weights);
}
constinit const Table kAmxInt8Table = amx_table("amx_int8", amx_int8::gemm);
#endif
#ifdef OCTET_HAS_AMX_INT8_EMULATED
constinit const Table kAmxInt8EmulatedTable =
    amx_table("amx_int8_emulated", amx_int8::gemm_emulated);
#endif

}  // namespace octet::kernels
