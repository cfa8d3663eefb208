// SPDX-License-Identifier: Apache-2.0
// What the GEMM of every vector table shares: the packed form of the weights and the loops around
// the register block. An instruction set hands in a struct Isa:
//
//   kWidths            the columns that a panel may have, ascending; the last is nr
//   kKr                consecutive k of one column that lie side by side
//   kMr                rows of the largest register block
//   kRowsPerPass       rows between two calls of prepare; kAllRows if it has nothing to prepare
//   prepare(task, first, rows)       fills task.scratch from these rows
//   tile<Rows, Width>(task, block)   one register block, fused epilogue included
//
// Packed weights are panels of nr columns, one after the other; the last panel is as narrow as
// kWidths allows. A panel holds its taps one after the other, each ceil(k / kKr) steps long; a step
// is kKr consecutive k of each column:
//
//     step s of a panel:  | column 0: k .. k+kr-1 | column 1: k .. k+kr-1 | ... |   k = kr * s
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "kernels/kernels.h"
#include "kernels/unroll.inl"

namespace octet::kernels {
namespace {

constexpr std::size_t kAllRows = SIZE_MAX;

// Where a register block lies. row counts from the task's first row, slot from the first row that
// the last prepare() saw.
struct Block {
  const std::int8_t* panel;
  std::size_t row;
  std::size_t slot;
  std::size_t column;
  std::size_t columns;  // to be stored; the vectors may hold more
};

template <class Isa>
struct Gemm {
  static constexpr std::size_t kWidths = sizeof Isa::kWidths / sizeof Isa::kWidths[0];
  static constexpr std::size_t kNr = Isa::kWidths[kWidths - 1];
  static constexpr Tile kTile{Isa::kMr, kNr, Isa::kKr};
  static_assert(kColumnPadding % kNr == 0, "a block may read bias and mult to the panel's end");

  // Which width a panel of that many columns has.
  static std::size_t width_index(std::size_t columns) {
    std::size_t i = 0;
    while (Isa::kWidths[i] < columns) ++i;
    return i;
  }

  // Bytes of one packed column.
  static std::size_t column_bytes(std::size_t taps, std::size_t k) {
    return taps * round_up(k, Isa::kKr);
  }

  static std::size_t packed_bytes(std::size_t n, std::size_t taps, std::size_t k) {
    const std::size_t last = n % kNr;
    const std::size_t columns = n - last + (last == 0 ? 0 : Isa::kWidths[width_index(last)]);
    return round_up(columns * column_bytes(taps, k), 64);
  }

  static void pack(const std::int8_t* w, std::size_t n, std::size_t taps, std::size_t k,
                   void* packed) {
    memset(packed, 0, packed_bytes(n, taps, k));
    for (std::size_t j = 0; j < n; ++j) {
      const std::size_t first = j / kNr * kNr;
      const std::size_t columns = n - first < kNr ? n - first : kNr;
      const std::size_t step = Isa::kWidths[width_index(columns)] * Isa::kKr;
      auto* out = static_cast<std::int8_t*>(packed) + first * column_bytes(taps, k) +
                  (j - first) * Isa::kKr;
      for (std::size_t tap = 0; tap < taps; ++tap) {
        const std::int8_t* in = w + (j * taps + tap) * k;
        for (std::size_t i = 0; i < k; i += Isa::kKr, out += step) {
          for (std::size_t x = 0; x < Isa::kKr && i + x < k; ++x) out[x] = in[i + x];
        }
      }
    }
  }

  // The register blocks, by width and rows.
  using TileFunction = void (*)(const GemmTask&, const Block&);
  struct Tiles {
    TileFunction of[kWidths][Isa::kMr];
  };
  template <std::size_t Index, std::size_t Rows>
  static constexpr void list_tiles(Tiles& tiles) {
    tiles.of[Index][Rows - 1] = Isa::template tile<Rows, Isa::kWidths[Index]>;
    if constexpr (Rows > 1) {
      list_tiles<Index, Rows - 1>(tiles);
    } else if constexpr (Index > 0) {
      list_tiles<Index - 1, Isa::kMr>(tiles);
    }
  }
  static constexpr Tiles kTiles = [] {
    Tiles tiles{};
    list_tiles<kWidths - 1, Isa::kMr>(tiles);
    return tiles;
  }();

  // One panel over the rows of a pass. Blocks are of equal height, give or take one: 7 rows are
  // 4 + 3, because a block of one row wastes most of its broadcasts and loads.
  static void rows_of_panel(const GemmTask& task, Block block, std::size_t rows) {
    const TileFunction* tiles = kTiles.of[width_index(block.columns)];
    for (std::size_t blocks = (rows + Isa::kMr - 1) / Isa::kMr; blocks > 0; --blocks) {
      const std::size_t height = blocks == 1 ? rows : (rows + blocks - 1) / blocks;
      tiles[height - 1](task, block);
      block.row += height;
      block.slot += height;
      rows -= height;
    }
  }

  // Panels outside, rows inside: a panel stays in L1 or L2 while all rows of the pass go over it.
  static void run(const GemmTask& task) {
    const auto* weights = static_cast<const std::int8_t*>(task.weights);
    const std::size_t bytes = column_bytes(task.taps, task.k);
    for (std::size_t row = 0; row < task.m; row += Isa::kRowsPerPass) {
      const std::size_t rows = task.m - row < Isa::kRowsPerPass ? task.m - row : Isa::kRowsPerPass;
      Isa::prepare(task, row, rows);
      for (std::size_t n = task.n_begin; n < task.n_end; n += kNr) {
        const std::size_t columns = task.n_end - n < kNr ? task.n_end - n : kNr;
        rows_of_panel(task, Block{weights + n * bytes, row, 0, n, columns}, rows);
      }
      if (task.m - row <= Isa::kRowsPerPass) break;  // kAllRows would wrap
    }
  }
};

// The first count (1 to 3) bytes as the low bytes of a word, zeros above them. Reads nothing else.
inline std::uint32_t load_part(const std::uint8_t* from, std::size_t count) {
  std::uint32_t word = from[0];
  if (count > 1) word |= std::uint32_t{from[1]} << 8;
  if (count > 2) word |= std::uint32_t{from[2]} << 16;
  return word;
}

inline std::uint32_t load_word(const void* from) {
  std::uint32_t word;
  memcpy(&word, from, sizeof word);
  return word;
}

}  // namespace
}  // namespace octet::kernels
