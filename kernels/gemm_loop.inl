// SPDX-License-Identifier: Apache-2.0
// What the GEMM of every vector table shares: the packed form of the weights and the loops around
// the register block. An instruction set hands in a struct Isa:
//
//   kWidths            the columns that a panel may have, ascending; the last is nr
//   kLanes             columns of a vector
//   kKr                consecutive k of one column that lie side by side
//   kMr                rows of the largest register block
//   kRowsPerPass       rows between two calls of prepare; kAllRows if it has nothing to prepare
//   prepare(task, first, rows)       fills task.scratch from these rows
//   tile<Rows, Width>(task, block)   one register block, fused epilogue included
//   kRowStep                         optional: blocks are multiples of so many rows
//   low_rows(width)                  optional: rows up to which there is every block, 4 or kMr else
//   fits(width, taps, k)             optional: whether a panel may have this width
//   strip_rows(width)                optional: from so many rows on
//   strips(task, block, width, rows) may take rows of a panel its own way; tells how many
//   take_row(task, weights)          optional: may take the first panels of a task of one row its
//                                    own way; tells where the others begin
//   kBytesPerFetch                   optional: Ahead steps once in so many bytes of a panel
//   tap_bytes(width, k)              bytes of a tap of a panel; a multiple of tile's loads
//   place(width, column, k, i)       where in a tap of k the kKr from i on lie, a multiple of kKr
//   finish_tap(width, column, k, w, tap)  optional: makes of a column's weights w in their places
//                                    what a tap holds of them
//
// Steps gives tap_bytes and place their usual form, and kKr.
//
// Packed weights are panels of nr columns, one after the other; the last panel is as narrow as
// kWidths allows. A panel holds its taps one after the other.
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "kernels/kernels.h"
#include "kernels/unroll.inl"

namespace octet::kernels {
namespace {

constexpr std::size_t kAllRows = SIZE_MAX;
constexpr std::size_t kL2 = 1 << 20;  // bytes, of most CPUs at least

// The next panel on its way into L2, by short steps among the products of this one. Weights that L2
// does not hold would keep the first block of a panel waiting and leave nothing to read for the
// blocks below it. A block that is alone, or of few rows, may fetch from its own panel instead.
struct Ahead {
  const std::int8_t* at = nullptr;
  const std::int8_t* end = nullptr;
  std::size_t step = 0;  // bytes, at most a line
  bool alone = false;    // no more than mr rows, and more weights than L2 may hold

  template <std::size_t Steps>
  [[gnu::always_inline]] inline void fetch() {
    if (at >= end) return;
    for (std::size_t i = 0; i < Steps; ++i, at += step) __builtin_prefetch(at, 0, 2);
  }
};

// Where a register block lies. row counts from the task's first row, slot from the first row that
// the last prepare() saw.
struct Block {
  const std::int8_t* panel;
  std::size_t row;
  std::size_t slot;
  std::size_t column;
  std::size_t columns;  // to be stored; the vectors may hold more
  std::size_t rows;     // to be stored; fewer than the block's where kRowStep > 1
  Ahead* ahead;
};

// A tap is ceil(k / kKr) steps, each kKr consecutive k of each column:
//
//     step s:  | column 0: k .. k+kr-1 | column 1: k .. k+kr-1 | ... |   k = kr * s
template <std::size_t kStep>
struct Steps {
  static constexpr std::size_t kKr = kStep;
  static std::size_t tap_bytes(std::size_t width, std::size_t k) {
    return width * round_up(k, kKr);
  }
  static std::size_t place(std::size_t width, std::size_t column, std::size_t, std::size_t i) {
    return i * width + column * kKr;
  }
};

template <class Isa>
struct Gemm {
  static constexpr std::size_t kWidths = sizeof Isa::kWidths / sizeof Isa::kWidths[0];
  static constexpr std::size_t kNr = Isa::kWidths[kWidths - 1];
  static constexpr Tile kTile{Isa::kMr, kNr, Isa::kKr};
  static_assert(kColumnPadding % kNr == 0, "a block may read bias and mult to the panel's end");
  static constexpr std::size_t kRowStep = [] {
    if constexpr (requires { Isa::kRowStep; }) return Isa::kRowStep;
    return std::size_t{1};
  }();

  // The width of the next panel where so many columns are left: the narrowest that holds them, but
  // what would leave a whole vector unused begins with the widest that they fill.
  [[gnu::noinline]] static std::size_t width_index(std::size_t left, std::size_t taps,
                                                   std::size_t k) {
    const auto fits = [&](std::size_t width) {
      if constexpr (requires { Isa::fits(width, taps, k); }) return Isa::fits(width, taps, k);
      return true;
    };
    std::size_t i = 0;
    while (Isa::kWidths[i] < left || !fits(Isa::kWidths[i])) ++i;
    return Isa::kWidths[i] - left < Isa::kLanes ? i : i - 1;
  }

  // Cold: they run once for a model.
  [[gnu::cold]] static std::size_t packed_bytes(std::size_t n, std::size_t taps, std::size_t k) {
    std::size_t bytes = n / kNr * taps * Isa::tap_bytes(kNr, k);
    for (std::size_t first = n / kNr * kNr; first < n;) {
      const std::size_t width = Isa::kWidths[width_index(n - first, taps, k)];
      bytes += taps * Isa::tap_bytes(width, k);
      first += width;
    }
    return round_up(bytes, 64);
  }

  [[gnu::cold]] static void pack(const std::int8_t* w, std::size_t n, std::size_t taps,
                                 std::size_t k, void* packed) {
    memset(packed, 0, packed_bytes(n, taps, k));
    auto* panel = static_cast<std::int8_t*>(packed);
    for (std::size_t first = 0, width; first < n; first += width) {
      const std::size_t left = n - first;
      width = left >= kNr ? kNr : Isa::kWidths[width_index(left, taps, k)];
      const std::size_t columns = n - first < width ? n - first : width;
      for (std::size_t tap = 0; tap < taps; ++tap, panel += Isa::tap_bytes(width, k)) {
        for (std::size_t column = 0; column < columns; ++column) {
          const std::int8_t* in = w + ((first + column) * taps + tap) * k;
          for (std::size_t i = 0; i < k; i += Isa::kKr) {
            const std::size_t count = k - i < Isa::kKr ? k - i : Isa::kKr;
            std::int8_t* out = panel + Isa::place(width, column, k, i);
            for (std::size_t x = 0; x < count; ++x) out[x] = in[i + x];
          }
          if constexpr (requires { Isa::finish_tap; }) Isa::finish_tap(width, column, k, in, panel);
        }
      }
    }
  }

  // The register blocks, by width and rows. Above low_rows odd numbers are left out, and widths
  // that are no multiple of nr / 4: they would be a quarter of a table's code.
  static constexpr std::size_t kLow = Isa::kMr < 4 ? Isa::kMr : 4;
  static constexpr std::size_t low_rows(std::size_t index) {
    if constexpr (requires { Isa::low_rows(kNr); }) return Isa::low_rows(Isa::kWidths[index]);
    return kLow;
  }
  static constexpr bool has_block(std::size_t index, std::size_t rows) {
    return rows % kRowStep == 0 &&
           (rows <= low_rows(index) || (Isa::kWidths[index] % (kNr / 4) == 0 && rows % 2 == 0));
  }
  // Heights that have no block are below kMr, so that the next one is in the table below.
  static_assert([] {
    for (std::size_t i = 0; i < kWidths; ++i) {
      if (!has_block(i, Isa::kMr) && kLow == Isa::kMr) return false;
    }
    return true;
  }());
  using TileFunction = void (*)(const GemmTask&, const Block&);
  struct Tiles {
    TileFunction of[kWidths][Isa::kMr];
  };
  template <std::size_t Index, std::size_t Rows>
  static constexpr void list_tiles(Tiles& tiles) {
    if constexpr (has_block(Index, Rows)) {
      tiles.of[Index][Rows - 1] = Isa::template tile<Rows, Isa::kWidths[Index]>;
    }
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

  // By width: the rows from which on panels go in strips, and up to which they are one block.
  struct RowLimits {
    std::size_t strip[kWidths];
    std::size_t one_block[kWidths];
  };
  static constexpr RowLimits kRowLimits = [] {
    RowLimits rows{};
    for (std::size_t i = 0; i < kWidths; ++i) {
      rows.strip[i] = kAllRows;
      if constexpr (requires { Isa::strip_rows(kNr); }) {
        rows.strip[i] = Isa::strip_rows(Isa::kWidths[i]);
      }
      std::size_t& most = rows.one_block[i];
      while (most < kLow && most + 1 < rows.strip[i] &&
             has_block(i, round_up(most + 1, kRowStep))) {
        ++most;
      }
    }
    return rows;
  }();

  // The blocks of a panel fetch the next one evenly, as far as a step is no shorter than a quarter
  // of a line. A single block would read twice what it multiplies, and gains nothing from the next.
  static Ahead look_ahead(const std::int8_t* next, std::size_t bytes, std::size_t rows) {
    const std::size_t step = Isa::kBytesPerFetch / (rows / Isa::kMr);
    return {next, next + bytes, step < 16 ? 16 : step > 64 ? 64 : step};
  }

  // One panel over the rows of a pass, from the block's on.
  static void rows_of_panel(const GemmTask& task, Block& block, std::size_t index,
                            std::size_t rows) {
    if (rows > kRowLimits.one_block[index]) return many_rows_of_panel(task, block, index, rows);
    block.rows = rows;
    kTiles.of[index][round_up(rows, kRowStep) - 1](task, block);
  }
  // Blocks are of equal height, as far as there are such blocks: 7 rows are 4 + 3, because a block
  // of one row wastes most of its broadcasts and loads.
  [[gnu::noinline]] static void many_rows_of_panel(const GemmTask& task, Block& block,
                                                   std::size_t index, std::size_t rows) {
    if constexpr (requires { Isa::strip_rows(kNr); }) {
      if (rows >= kRowLimits.strip[index]) {
        const std::size_t taken = Isa::strips(task, block, Isa::kWidths[index], rows);
        block.row += taken;
        block.slot += taken;
        rows -= taken;
      }
    }
    const auto tile = [&](std::size_t height) { return kTiles.of[index][height - 1]; };
    while (rows > 0) {
      std::size_t height = rows;
      if (rows > kLow) {
        const bool tall = tile(Isa::kMr) != nullptr;
        const std::size_t blocks =
            tall ? (rows + Isa::kMr - 1) / Isa::kMr : (rows + kLow - 1) / kLow;
        height = (rows + blocks - 1) / blocks;
      }
      height = round_up(height, kRowStep);
      if (tile(height) == nullptr) {
        height = rows > height && tile(height + 1) != nullptr ? height + 1 : (height + 1) / 2;
      }
      block.rows = height < rows ? height : rows;
      tile(height)(task, block);
      block.row += block.rows;
      block.slot += block.rows;
      rows -= block.rows;
    }
  }

  // Panels outside, rows inside: a panel stays in L1 or L2 while all rows of the pass go over it.
  [[gnu::noinline]] static void run_panels(const GemmTask& task, const void* weights) {
    const std::size_t full = task.taps * Isa::tap_bytes(kNr, task.k);
    for (std::size_t row = 0; row < task.m; row += Isa::kRowsPerPass) {
      const std::size_t rows = task.m - row < Isa::kRowsPerPass ? task.m - row : Isa::kRowsPerPass;
      Isa::prepare(task, row, rows);
      Ahead ahead;
      std::size_t n = task.n_begin;
      if constexpr (requires { Isa::take_row(task, weights); }) {
        if (task.m == 1) n = Isa::take_row(task, weights);
      }
      const auto* panel = static_cast<const std::int8_t*>(weights) + n / kNr * full;
      while (n < task.n_end) {
        const std::size_t left = task.n_end - n;
        const std::size_t index = left >= kNr ? kWidths - 1 : width_index(left, task.taps, task.k);
        const std::size_t width = Isa::kWidths[index];
        const std::size_t bytes = width == kNr ? full : task.taps * Isa::tap_bytes(width, task.k);
        if constexpr (requires { Isa::kBytesPerFetch; }) {
          const bool worth = left >= 2 * kNr;  // a narrower one is not
          if (rows > Isa::kMr) {
            ahead = worth ? look_ahead(panel + bytes, bytes, rows) : Ahead{};
          } else if (worth) {
            ahead.alone = (task.n_end - task.n_begin) * task.taps * task.k > kL2;
          }
        }
        Block block{panel, row, 0, n, left < width ? left : width, 0, &ahead};
        rows_of_panel(task, block, index, rows);
        panel += bytes;
        n += width;
      }
      if (task.m - row <= Isa::kRowsPerPass) break;  // kAllRows would wrap
    }
  }

  // Where one panel holds all columns there are no passes and no panels to go through, nothing to
  // fetch ahead and nothing for take_row, which joins panels: for one row of 100 k x 10 that would
  // be a third of the time.
  [[gnu::noinline]] static void run(const GemmTask& task, const void* weights) {
    if (task.n_end > kNr || task.m > Isa::kRowsPerPass) return run_panels(task, weights);
    const std::size_t index = width_index(task.n_end, task.taps, task.k);
    if (Isa::kWidths[index] < task.n_end) return run_panels(task, weights);
    Isa::prepare(task, 0, task.m);
    Ahead none;
    Block block{static_cast<const std::int8_t*>(weights), 0, 0, 0, task.n_end, 0, &none};
    rows_of_panel(task, block, index, task.m);
  }
  static void gemm(const GemmTask& task) { run(task, task.weights); }
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
