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

#include <type_traits>

#include "kernels/make_table.inl"
#include "kernels/store_512.inl"
#include "kernels/sums_512.inl"
#include "kernels/tables.h"

namespace octet::kernels {
namespace {

struct Avx512Vnni : Vnni512 {
  // 100 columns are 64 + 36, 48 are 36 + 12. Other pairs of wide and narrow vectors would save less
  // than the code of five more blocks each is worth.
  static constexpr std::size_t kWidths[] = {4, 8, 12, 16, 32, 36, 64};
  static constexpr std::size_t kMr = 6;
  static constexpr std::size_t kRowsPerPass = kAllRows;
  static constexpr std::size_t kStripBlocks = 2;
  static constexpr std::size_t kStripRows = 4 * kStripBlocks;
  static constexpr std::size_t kStripGroups = 4;  // of k, at least

  static void prepare(const GemmTask&, std::size_t, std::size_t) {}

  // 16 k of a panel: the narrow vectors, then the wide ones of each step. The last group of a tap
  // has no more steps than its k fill.
  static std::size_t tap_bytes(std::size_t width, std::size_t k) {
    const std::size_t steps = (k % kGroup + kKr - 1) / kKr;
    const std::size_t last = steps == 0 ? 0 : width % kLanes * kGroup + width / kLanes * 64 * steps;
    return k / kGroup * kGroup * width + last;
  }
  // What does not fill a narrow vector, or a step of wide ones, stands behind zeros there: it meets
  // the last 16, or 4, codes of a row.
  static std::size_t place(std::size_t width, std::size_t column, std::size_t k, std::size_t i) {
    const auto zeros = [&](std::size_t size) { return i / size < k / size ? 0 : size - k % size; };
    const std::size_t group = i / kGroup * kGroup * width;
    const std::size_t wide = width / kLanes;
    if (column >= wide * kLanes) {
      return group + (column - wide * kLanes) * kGroup + zeros(kGroup) + i % kGroup;
    }
    const std::size_t vector = i % kGroup / kKr * wide + column / kLanes;
    return group + width % kLanes * kGroup + vector * 64 + column % kLanes * kKr + zeros(kKr);
  }

  template <std::size_t Rows>
  [[gnu::always_inline]] static inline void find_rows(const GemmTask& task, std::size_t tap,
                                                      std::size_t row,
                                                      const std::uint8_t* (&a)[Rows]) {
    unroll<Rows>([&](auto r) { a[r] = task.rows[tap * task.m + row + r]; });
  }

  template <std::size_t Rows, std::size_t Width>
  [[gnu::flatten]] static void tile(const GemmTask& task, const Block& block) {
    using S = Sums<Rows, Width>;
    S sums;
    const std::int32_t* bias = task.epilogue.bias + block.column;
    sums.start(bias);
    const std::int8_t* panel = block.panel;
    for (std::size_t tap = 0; tap < task.taps; ++tap) {
      const std::uint8_t* a[Rows];
      find_rows(task, tap, block.row, a);
      std::size_t k = 0;
      const auto group = [&](auto chain) __attribute__((always_inline)) {
        S::fetch_group(*block.ahead);
        sums.add_group(panel, a, k, chain);
        k += kGroup;
      };
      while (k + S::kGroups * kGroup <= task.k) unroll<S::kGroups>(group);
      if constexpr (S::kGroups > 1) {
        if (k + kGroup <= task.k) unroll<1>(group);
      }
      if (k < task.k) sums.template add_rest<false>(panel, a, k, task.k);
    }
    sums.join_chains();
    Acc<Rows, S::kVectors> acc;
    unroll<Rows>([&](auto r) {
      finish<S::kWide, S::kNarrow>(bias, sums.wide[0][r], sums.narrow[0][r], acc[r]);
    });
    store(task, block, acc);
  }

  static Block from_column(Block block, std::size_t first) {
    block.column += first;
    block.columns -= first;
    return block;
  }

  // Blocks of Rows rows below each other. Storing a block of 100 k takes as long as a fifth of its
  // products, and out-of-order execution does not reach from one block's products to the next's:
  // here each block is stored among the products of the next, two rows to a group of k. Until then
  // its sums wait in memory: every register holds sums, weights or a row.
  template <std::size_t Rows, std::size_t Width>
  [[gnu::flatten]] static void strip(const GemmTask& task, const Block& block, std::size_t blocks) {
    using S = Sums<Rows, Width>;
    constexpr std::size_t kVectors = S::kWide + S::kNarrow;
    constexpr std::integral_constant<std::size_t, 0> kFirst;
    static_assert(Rows % 2 == 0 && Rows <= 2 * kStripGroups);
    const std::int32_t* bias = task.epilogue.bias + block.column;
    struct {
      Codes<S::kWide, Products::below_int32_max> wide;
      CodesOfFour<1> narrow;
    } const constants{{task, block},
                      {task, from_column(block, S::kNarrow > 0 ? kLanes * S::kWide : 0)}};
    const auto* codes = &constants;
    char* c = static_cast<char*>(task.c) + block.row * task.ldc + block.column;
    __m512i memory[Rows][kVectors];
    __m512i(*before)[kVectors] = memory;
    asm volatile("" : "+r"(codes), "+r"(before) : : "memory");  // or GCC would use registers
    const auto store_row = [&](std::size_t r) __attribute__((always_inline)) {
      __m512i row[S::kWide];
      unroll<S::kWide>([&](auto v) { row[v] = before[r][v]; });
      codes->wide.store(row, c + r * task.ldc);
    };
    const auto store_narrow = [&]() __attribute__((always_inline)) {
      if constexpr (S::kNarrow > 0) {
        static_assert(Rows == 4 && S::kNarrow == 1);
        constexpr std::size_t kAt = S::kWide;
        const __m512i rounded[1] = {
            codes->narrow.round(0, before[0][kAt], before[1][kAt], before[2][kAt], before[3][kAt])};
        codes->narrow.store(rounded, c + kLanes * S::kWide, task.ldc);
      }
    };
    for (std::size_t i = 0; i < blocks; ++i) {
      const std::uint8_t* a[Rows];
      find_rows(task, 0, block.row + i * Rows, a);
      const std::int8_t* panel = block.panel;
      S sums;
      sums.start(bias);
      std::size_t k = 0;
      unroll<Rows / 2>([&](auto pair) {
        if (i > 0) {
          store_row(2 * pair);
          store_row(2 * pair + 1);
        }
        S::fetch_group(*block.ahead);
        sums.add_group(panel, a, k, kFirst);
        k += kGroup;
      });
      if (i > 0) store_narrow();
      for (; k + kGroup <= task.k; k += kGroup) {
        S::fetch_group(*block.ahead);
        sums.add_group(panel, a, k, kFirst);
      }
      if (k < task.k) sums.template add_rest<true>(panel, a, k, task.k);
      sums.join_chains();
      unroll<Rows>([&](auto r) {
        unroll<S::kWide>([&](auto v) { before[r][v] = sums.wide[0][r][v]; });
        unroll<S::kNarrow>([&](auto v) { before[r][S::kWide + v] = sums.narrow[0][r][v]; });
      });
      if (i > 0) c += Rows * task.ldc;
    }
    for (std::size_t r = 0; r < Rows; ++r) {
      store_row(r);
      asm("" : "+r"(r));  // a loop
    }
    store_narrow();
  }

  // The same of 4 rows by narrow vectors, whose sums leave room for those of the block before.
  template <std::size_t Vectors>
  [[gnu::flatten]] static void narrow_strip(const GemmTask& task, const Block& block,
                                            std::size_t blocks) {
    using S = Sums<4, 4 * Vectors>;
    constexpr std::integral_constant<std::size_t, 0> kFirst;
    static_assert(Vectors < 4 && kStripGroups >= 4);
    const CodesOfFour<Vectors> constants(task, block);
    const CodesOfFour<Vectors>* codes = &constants;
    asm("" : "+r"(codes));  // read from memory each time
    char* c = static_cast<char*>(task.c) + block.row * task.ldc + block.column;
    S before;
    __m512i rounded[Vectors];
    const auto store_part = [&](auto r) __attribute__((always_inline)) {
      if constexpr (r < Vectors) {
        const auto& n = before.narrow[0];
        rounded[r] = codes->round(r, n[0][r], n[1][r], n[2][r], n[3][r]);
      } else if constexpr (r == 3) {
        codes->store(rounded, c, task.ldc);
      }
    };
    for (std::size_t i = 0; i < blocks; ++i) {
      const std::uint8_t* a[4];
      find_rows(task, 0, block.row + 4 * i, a);
      const std::int8_t* panel = block.panel;
      S sums;
      clear(sums.narrow[0]);
      std::size_t k = 0;
      unroll<4>([&](auto r) {
        if (i > 0) store_part(r);
        sums.add_group(panel, a, k, kFirst);
        k += kGroup;
      });
      for (; k + kGroup <= task.k; k += kGroup) sums.add_group(panel, a, k, kFirst);
      if (k < task.k) sums.template add_rest<true>(panel, a, k, task.k);
      unroll<4>([&](auto r) {
        unroll<Vectors>([&](auto v) { before.narrow[0][r][v] = sums.narrow[0][r][v]; });
      });
      if (i > 0) c += 4 * task.ldc;
    }
    unroll<4>(store_part);
  }

  // Of the rows of a panel those that go in strips come first; gives their number. They fill blocks
  // and leave no row alone.
  static std::size_t strips(const GemmTask& task, const Block& block, std::size_t width,
                            std::size_t rows) {
    const Epilogue& e = task.epilogue;
    if (e.store != Store::q8 || !e.below_one || task.taps != 1) return 0;
    if (task.k < kGroup * kStripGroups) return 0;
    const std::size_t height = width == 64 ? 6 : 4;
    if (rows < kStripBlocks * height) return 0;
    const std::size_t blocks = rows / height - (rows % height == 1);
    if (width == 64) {
      strip<6, 64>(task, block, blocks);
    } else if (width == 36) {
      strip<4, 36>(task, block, blocks);
    } else if (width == 12) {
      narrow_strip<3>(task, block, blocks);
    } else {
      return 0;
    }
    return blocks * height;
  }

  // Codes are stored from registers. Floats and sums, which few layers store, are not worth a copy
  // of their code in every block: they go through memory.
  template <std::size_t Rows, std::size_t Vectors>
  [[gnu::always_inline]] static inline void store(const GemmTask& task, const Block& block,
                                                  const Acc<Rows, Vectors>& acc) {
    if (task.epilogue.store == Store::q8) {
      char* c = static_cast<char*>(task.c) + block.row * task.ldc + block.column;
      const Codes<Vectors> codes(task, block);
      return unroll<Rows>([&](auto r) { codes.store(acc[r], c + r * task.ldc); });
    }
    alignas(64) std::int32_t sums[Rows * Vectors * kLanes];
    unroll<Rows>([&](auto r) {
      unroll<Vectors>(
          [&](auto v) { _mm512_store_si512(sums + kLanes * (r * Vectors + v), acc[r][v]); });
    });
    store_words(task, block, sums, Rows, Vectors);
  }
};

}  // namespace

constinit const Table kAvx512VnniTable =
    make_table<Avx512Vnni, xsimd::avx512bw, Sign::u8>("avx512vnni", kAvx512Floats, no_scratch);

}  // namespace octet::kernels
