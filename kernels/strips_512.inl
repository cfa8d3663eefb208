// SPDX-License-Identifier: Apache-2.0
// Register blocks below each other whose stores are hidden (avx512vnni.cpp).
#pragma once

#include "kernels/paired_512.inl"

namespace octet::kernels {
namespace {

struct Strips512 : Paired512 {
  // From so many rows on panels go in strips.
  static constexpr std::size_t strip_rows(std::size_t width) {
    return width == 64 ? 12 : width == 36 ? 8 : is_paired(width) ? 3 : kAllRows;
  }
  // Of k, at least: a block is stored among so many.
  static constexpr std::size_t kStripGroups = 2;

  template <std::size_t Rows>
  [[gnu::always_inline]] static inline void find_rows(const GemmTask& task, std::size_t tap,
                                                      std::size_t row,
                                                      const std::uint8_t* (&a)[Rows]) {
    unroll<Rows>([&](auto r) { a[r] = task.rows[tap * task.m + row + r]; });
  }

  // Which bytes of a row, and of its narrow columns, are to be stored.
  struct Masks {
    __mmask64 wide;
    __mmask16 narrow;
  };

  // The codes of a block, by as many rows as are stored together.
  template <class S>
  struct RowCodes {
    static constexpr std::size_t kRows = S::kNarrow > 0 ? 4 : 1;
    static constexpr std::size_t kWide = S::kWide == 0 ? 1 : S::kWide;  // no array is empty
    Codes<kWide> wide;
    CodesOfFour narrow;

    static Block narrow_part(const Block& block) {
      return from_column(block, S::kNarrow > 0 ? kLanes * S::kWide : 0);
    }
    [[gnu::always_inline]] inline RowCodes(const GemmTask& task, const Block& block)
        : wide(task, block), narrow(task, narrow_part(block)) {}

    static Masks masks(const Block& block) {
      return {bytes_of<kWide>(block), lanes_of(narrow_part(block), 0)};
    }

    // sums(r, v): the wide vectors of row r, then the narrow ones.
    template <class Sums>
    [[gnu::always_inline]] inline void store(Sums sums, char* c, std::size_t ldc, Masks to,
                                             bool narrows) const {
      if constexpr (S::kNarrow == 0) {
        __m512i row[S::kWide];
        unroll<S::kWide>([&](auto v) { row[v] = sums(0, v); });
        wide.store(row, c, to.wide, narrows);
      } else {
        static_assert(S::kWide == 0 || S::kWide == 2);
        if constexpr (S::kWide == 2) {
          wide.store_two({sums(0, 0), sums(0, 1), sums(1, 0), sums(1, 1)}, c, ldc, narrows);
          wide.store_two({sums(2, 0), sums(2, 1), sums(3, 0), sums(3, 1)}, c + 2 * ldc, ldc,
                         narrows);
        }
        constexpr std::size_t kAt = S::kWide;
        narrow.store(add_dwords(sums(0, kAt), sums(1, kAt), sums(2, kAt), sums(3, kAt)),
                     c + kLanes * S::kWide, ldc, to.narrow, narrows);
      }
    }
  };

  // Blocks of Rows rows below each other. Storing a block of 100 k takes as long as a fifth of its
  // products, and out-of-order execution does not reach from one block's products to the next's:
  // here each block is stored among the products of the next, some rows to a group of k. Until then
  // its sums wait in memory: every register holds sums, weights or a row.
  template <std::size_t Rows, std::size_t Width>
  [[gnu::flatten]] static void strip(const GemmTask& task, const Block& block, std::size_t blocks) {
    using S = Sums<Rows, Width>;
    constexpr std::size_t kVectors = S::kWide + S::kNarrow;
    constexpr std::integral_constant<std::size_t, 0> kFirst;
    const std::int32_t* bias = task.epilogue.bias + block.column;
    using Stored = RowCodes<S>;
    const Masks masks = Stored::masks(block);
    const struct {
      Stored rows;
      bool narrows;
    } constants{{task, block}, narrows_only(task.epilogue)};
    const auto* codes = &constants;
    // Rows that are stored before a group of k.
    constexpr std::size_t kAtOnce = S::kNarrow > 0 ? 8 : 3;
    static_assert(Rows % kAtOnce == 0 && Rows / kAtOnce <= kStripGroups);
    __m512i memory[Rows][kVectors];
    __m512i(*before)[kVectors] = memory;
    asm volatile("" : "+r"(codes), "+r"(before) : : "memory");  // or GCC would use registers
    char* c = static_cast<char*>(task.c) + block.row * task.ldc + block.column;
    const auto store_rows = [&](std::size_t first) __attribute__((always_inline)) {
      const auto sums = [&](std::size_t r, std::size_t v) { return before[first + r][v]; };
      codes->rows.store(sums, c + first * task.ldc, task.ldc, masks, codes->narrows);
    };
    for (std::size_t i = 0; i < blocks; ++i) {
      const std::uint8_t* a[Rows];
      find_rows(task, 0, block.row + i * Rows, a);
      const std::int8_t* panel = block.panel;
      S sums;
      sums.start(bias);
      std::size_t k = 0;
      unroll<Rows / kAtOnce>([&](auto g) {
        if (i > 0) {
          unroll<kAtOnce / Stored::kRows>(
              [&](auto u) { store_rows(g * kAtOnce + u * Stored::kRows); });
        }
        S::fetch_group(*block.ahead);
        sums.add_group(panel, a, k, kFirst);
        k += kGroup;
      });
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
    for (std::size_t r = 0; r < Rows; r += Stored::kRows) {
      store_rows(r);
      asm("" : "+r"(r));  // a loop
    }
  }

  // Of the rows of a panel, strip_rows at least, those that go in strips come first; gives their
  // number. Those of wide vectors fill blocks and leave no row alone.
  static std::size_t strips(const GemmTask& task, const Block& block, std::size_t width,
                            std::size_t rows) {
    const Epilogue& e = task.epilogue;
    if (e.store == Store::q8 && !e.below_one) return 0;
    if (is_paired(width)) return paired_strip(task, block, width, rows) ? rows : 0;
    if (e.store != Store::q8 || task.taps != 1 || task.k < kGroup * kStripGroups) return 0;
    const std::size_t height = width == 64 ? 6 : 8;
    const std::size_t blocks = rows / height - (rows % height == 1);
    if (blocks == 0) return 0;
    width == 64 ? strip<6, 64>(task, block, blocks) : strip<8, 36>(task, block, blocks);
    return blocks * height;
  }
};

}  // namespace
}  // namespace octet::kernels
