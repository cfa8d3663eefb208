// SPDX-License-Identifier: Apache-2.0
// The GEMM of amx_int8. A tile is 16 rows of 64 bytes; tdpbusd multiplies one of up to 16 rows x
// 64 k of u8 by one of 64 k x 16 columns of s8, and adds to one of 16 x 16 int32 without
// saturation.
//
// A block is 2 x 2 tiles of sums, or 1 x 4 for up to 16 rows; a step is 64 k:
//
//                              w:  columns 0..15   columns 16..31
//     a[first rows][k..k+63]   ->       sums            sums         4 tiles of sums, 2 of a and 2
//     a[next rows][k..k+63]    ->       sums            sums         of w are all there are
//
// More rows are divided evenly over an even number of tiles: tdpbusd takes a cycle for each, at
// least 8. Where columns are left over for one tile the second is the first again: half as many
// sums would wait for their own products.
//
// Rows are copied, tile by tile, before all columns go over them: tiles of a matrix's own rows
// would come from many lines of L2, and from few sets of L1. A block's sums leave their tiles among
// the first products of the next block, and its codes are stored among the other ones: a dozen
// instructions keep the multiplier of tiles busy for 64 cycles.
//
// What is too small to configure tiles for is avx512vnni's, by weights in its form.
#pragma once

#include <immintrin.h>

#include "kernels/store_512.inl"
#include "kernels/tables.h"

namespace octet::kernels {
namespace {

constexpr std::size_t kTileRow = 64;  // bytes

// Sums of a tile of rows by two tiles of columns, which are to be stored as codes.
struct UnstoredHalf {
  const std::int32_t* sums;  // without their bias
  char* c;
  const std::int32_t* bias;
  const float* mult;
  std::uint32_t mask;     // of the columns
  std::size_t pairs = 0;  // of rows, left
};

// Those of a block.
struct Unstored : Requantize {
  static constexpr std::size_t kRow = 32;  // sums of a row

  UnstoredHalf half;
  UnstoredHalf next;
  const std::size_t rows;  // of a half
  const std::size_t ldc;
  const bool narrows;

  Unstored(const GemmTask& task, std::size_t row_count)
      : Requantize(task.epilogue),
        rows(row_count),
        ldc(task.ldc),
        narrows(narrows_only(task.epilogue)) {}

  std::size_t pairs_of_half() const { return (rows + 1) / 2; }

  // The next pairs of rows, so many. The last of an odd number of rows overlaps the one before.
  [[gnu::always_inline]] inline void store(std::size_t count) {
    UnstoredHalf h = half;  // in registers while it is stored
    while (count > 0 && h.pairs > 0) {
      __m512i bias[2];
      __m512 mult[2];
      unroll<2>([&](auto v) {
        bias[v] = _mm512_loadu_si512(h.bias + 16 * v);
        mult[v] = _mm512_loadu_ps(h.mult + 16 * v);
      });
      do {  // both stay in registers
        if (--h.pairs == 0 && rows % 2 != 0) {
          h.sums -= kRow;
          h.c -= ldc;
        }
        __m512i q[4];
        unroll<4>([&](auto v) {
          const __m512i sum = _mm512_load_si512(h.sums + 16 * v);
          q[v] = round(_mm512_add_epi32(sum, bias[v % 2]), mult[v % 2]);
        });
        const __m512i y = transpose_lanes(narrow(q, narrows));
        _mm256_mask_storeu_epi8(h.c, h.mask, _mm512_castsi512_si256(y));
        _mm256_mask_storeu_epi8(h.c + ldc, h.mask, _mm512_extracti64x4_epi64(y, 1));
        h.sums += 2 * kRow;
        h.c += 2 * ldc;
      } while (--count > 0 && h.pairs > 0);
      if (h.pairs == 0) {
        h = next;
        next.pairs = 0;
      }
    }
    half = h;
  }
  // Where it is not worth a copy of its code.
  [[gnu::noinline]] void store_apart(std::size_t count) { store(count); }
};

// Tiles: those of the CPU, or of an emulation.
template <class Tiles>
struct AmxInt8 {
  static constexpr std::size_t kRows = 16;     // of a tile, at most
  static constexpr std::size_t kColumns = 16;  // of a tile of sums
  static constexpr std::size_t kPair = 2 * kColumns;
  static constexpr std::size_t kKr = 4;
  static constexpr std::size_t kK = kTileRow;  // of a tile, at most
  static constexpr std::size_t kHalfSums = kRows * Unstored::kRow;
  static constexpr std::size_t kL2Bytes = std::size_t{1} << 21;  // where AMX is
  static constexpr std::size_t kChunkBytes = kL2Bytes / 2;       // of weights

  // A tap is so many tiles of so many rows of weights.
  struct KTiles {
    std::size_t count;
    std::size_t height;

    explicit KTiles(std::size_t k)
        : count((k + kK - 1) / kK), height(k < kK ? (k + kKr - 1) / kKr : kK / kKr) {}
    std::size_t weight_bytes() const { return height * kTileRow; }
  };

  static std::size_t scratch_bytes(std::size_t taps, std::size_t k) {
    return 2 * kHalfSums * sizeof(std::int32_t) + 2 * kRows * kK * taps * KTiles(k).count;
  }

  // Packed are pairs of tiles of columns, each its taps and k one after the other; the last may be
  // one tile.
  static std::size_t column_bytes(std::size_t n, std::size_t taps, const KTiles& k) {
    return (n + kColumns - 1) / kColumns * taps * k.count * k.weight_bytes();
  }
  // Before them comes the place of avx512vnni's form, which a task of some columns could not tell.
  static constexpr std::size_t kHeader = 64;
  static const std::int8_t* vnni_form(const void* packed) {
    std::size_t offset;
    memcpy(&offset, packed, sizeof offset);
    return static_cast<const std::int8_t*>(packed) + offset;
  }
  [[gnu::cold]] static std::size_t packed_bytes(std::size_t n, std::size_t taps, std::size_t k) {
    return kHeader + column_bytes(n, taps, KTiles(k)) + kAvx512VnniTable.packed_bytes(n, taps, k);
  }
  [[gnu::cold]] static void pack(const std::int8_t* w, std::size_t n, std::size_t taps,
                                 std::size_t k, void* packed) {
    const KTiles tiles(k);
    auto* out = static_cast<std::int8_t*>(packed);
    const std::size_t offset = kHeader + column_bytes(n, taps, tiles);
    memset(out, 0, offset);
    memcpy(out, &offset, sizeof offset);
    kAvx512VnniTable.pack_weights(w, n, taps, k, out + offset);
    for (std::size_t column = 0; column < n; ++column) {
      const std::size_t first = column / kPair * kPair;
      const std::size_t width = n - first > kColumns ? 2 : 1;
      std::int8_t* to = out + kHeader + column_bytes(first, taps, tiles) +
                        column % kPair / kColumns * tiles.weight_bytes() + column % kColumns * kKr;
      for (std::size_t tap = 0; tap < taps; ++tap) {
        for (std::size_t i = 0; i < k; ++i) {
          const std::size_t tile = (tap * tiles.count + i / kK) * width;
          to[tile * tiles.weight_bytes() + i % kK / kKr * kTileRow + i % kKr] = *w++;
        }
      }
    }
  }

  // A tile of rows by two tiles of columns, or none.
  struct Half {
    std::size_t row;
    std::size_t column;
    std::size_t columns;
  };

  struct Pass {
    const GemmTask& task;
    const KTiles k;
    const std::size_t steps;    // of a block
    const std::size_t rows;     // of a tile
    std::int32_t* const sums;   // [2][kRows][kRow]
    std::uint8_t* const copy;   // [2][steps][rows][kK]
    std::size_t first[2] = {};  // row of each tile
    Half last[2] = {};          // whose sums are in tiles; none at first, when tiles are zeros
    Unstored unstored;
    const std::size_t stored;  // pairs of rows, in each step of a block but its first

    Pass(const GemmTask& t, std::size_t tiles)
        : task(t),
          k(t.k),
          steps(t.taps * k.count),
          rows((t.m + tiles - 1) / tiles),
          sums(static_cast<std::int32_t*>(t.scratch)),
          copy(reinterpret_cast<std::uint8_t*>(sums + 2 * kHalfSums)),
          unstored(t, rows),
          stored(steps > 1 ? (2 * unstored.pairs_of_half() + steps - 2) / (steps - 1) : 0) {}

    // Goes on to the rows of one tile or two. The task's last tile overlaps the one before.
    void copy_rows(std::size_t tile, std::size_t tiles) {
      const std::uint64_t last_codes = ~std::uint64_t{0} >> (k.count * kK - task.k);
      std::uint8_t* to = copy;
      for (std::size_t i = 0; i < tiles; ++i) {
        const std::size_t row = (tile + i) * rows;
        first[i] = row + rows <= task.m ? row : task.m - rows;
        for (std::size_t tap = 0; tap < task.taps; ++tap) {
          const std::uint8_t* const* from = task.rows + tap * task.m + first[i];
          for (std::size_t t = 0; t < k.count; ++t) {
            const auto codes = t + 1 < k.count ? ~std::uint64_t{0} : last_codes;
            for (std::size_t r = 0; r < rows; ++r, to += kK) {
              _mm512_store_si512(to, _mm512_maskz_loadu_epi8(codes, from[r] + t * kK));
            }
          }
        }
      }
      asm volatile("" : : : "memory");  // the compiler does not see what tiles are loaded from
    }
  };

  // Columns of a pair of tiles.
  struct Pair {
    const std::int8_t* w;
    std::size_t second;  // bytes from the first tile of w to the second, 0 if there is none

    Pair(const Pass& pass, std::size_t column, std::size_t columns)
        : w(static_cast<const std::int8_t*>(pass.task.weights) + kHeader +
            column_bytes(column, pass.task.taps, pass.k)),
          second(columns > kColumns ? pass.k.weight_bytes() : 0) {}
  };

  // Two tiles of rows by one pair of tiles of columns, or one by two pairs, of which the second may
  // be the first again.
  template <std::size_t RowTiles>
  static void block(Pass& pass, std::size_t column, std::size_t columns) {
    Pair pair(pass, column, columns);
    const bool has_other = RowTiles == 1 && columns > kPair;
    Pair other(pass, has_other ? column + kPair : column, has_other ? columns - kPair : columns);
    const std::size_t rows_bytes = pass.rows * kK;
    const std::uint8_t* a = pass.copy;
    const std::uint8_t* below = a + pass.steps * rows_bytes;
    const auto step = [&](auto is_first) __attribute__((always_inline)) {
      Tiles::template load<6>(pair.w);
      Tiles::template load<4>(a);
      if constexpr (RowTiles == 2) Tiles::template load<5>(below);
      if constexpr (is_first) start<0>(pass);
      Tiles::template dot<0, 4, 6>();
      if constexpr (RowTiles == 2) {
        if constexpr (is_first) start<2>(pass);
        Tiles::template dot<2, 5, 6>();
        if constexpr (!is_first) pass.unstored.store(pass.stored / 2);
      }
      Tiles::template load<7>(pair.w + pair.second);
      if constexpr (is_first) start<1>(pass);
      Tiles::template dot<1, 4, 7>();
      if constexpr (RowTiles == 2) {
        if constexpr (is_first) start<3>(pass);
        Tiles::template dot<3, 5, 7>();
        if constexpr (!is_first) pass.unstored.store(pass.stored - pass.stored / 2);
      } else {
        Tiles::template load<6>(other.w);
        if constexpr (is_first) start<2>(pass);
        Tiles::template dot<2, 4, 6>();
        Tiles::template load<7>(other.w + other.second);
        if constexpr (is_first) start<3>(pass);
        Tiles::template dot<3, 4, 7>();
        if constexpr (!is_first) pass.unstored.store_apart(pass.stored);
      }
      a += rows_bytes;
      below += rows_bytes;
      pair.w += pass.k.weight_bytes() + pair.second;
      other.w += pass.k.weight_bytes() + other.second;
    };
    pass.unstored.store_apart(SIZE_MAX);  // a block of one step leaves some
    step(std::true_type());
    finish(pass);
    const std::size_t width = columns < kPair ? columns : kPair;
    pass.last[0] = {pass.first[0], column, width};
    pass.last[1] = RowTiles == 2 ? Half{pass.first[1], column, width}
                                 : Half{pass.first[0], column + kPair, columns - width};
    for (std::size_t i = 1; i < pass.steps; ++i) step(std::false_type());
  }

  template <int Tile>
  [[gnu::always_inline]] static inline void store_tile(const Pass& pass) {
    Tiles::template store<Tile>(pass.sums + Tile / 2 * kHalfSums + Tile % 2 * kColumns,
                                Unstored::kRow * sizeof(std::int32_t));
  }
  // The last block's sums leave a tile, and the next block's begin with zeros.
  template <int Tile>
  [[gnu::always_inline]] static inline void start(const Pass& pass) {
    store_tile<Tile>(pass);
    Tiles::template zero<Tile>();
  }

  // What has left the tiles. Codes are left to the next steps; floats and sums are stored.
  [[gnu::noinline]] static void finish(Pass& pass) {
    const GemmTask& task = pass.task;
    const Epilogue& e = task.epilogue;
    for (std::size_t i = 0; i < 2; ++i) {
      const Half& half = pass.last[i];
      if (half.columns == 0) continue;
      const std::int32_t* sums = pass.sums + i * kHalfSums;
      const std::uint32_t mask = ~std::uint32_t{0} >> (kPair - half.columns);
      char* c = static_cast<char*>(task.c) + half.row * task.ldc;
      if (e.store == Store::q8) {
        UnstoredHalf& unstored = i == 0 ? pass.unstored.half : pass.unstored.next;
        unstored = {sums,
                    c + half.column,
                    e.bias + half.column,
                    e.mult + half.column,
                    mask,
                    pass.unstored.pairs_of_half()};
        continue;
      }
      const bool floats = e.store == Store::f32;
      const __m512 min = _mm512_set1_ps(e.min);
      const __m512 max = _mm512_set1_ps(e.max);
      for (std::size_t n = 0; n < half.columns; n += kColumns) {
        const auto lanes = static_cast<__mmask16>(mask >> n);
        const __m512i bias = _mm512_loadu_si512(e.bias + half.column + n);
        const __m512 mult = floats ? _mm512_loadu_ps(e.mult + half.column + n) : __m512{};
        for (std::size_t r = 0; r < pass.rows; ++r) {
          const __m512i sum =
              _mm512_add_epi32(_mm512_load_si512(sums + r * Unstored::kRow + n), bias);
          _mm512_mask_storeu_epi32(c + r * task.ldc + 4 * (half.column + n), lanes,
                                   floats ? scale(sum, mult, min, max) : sum);
        }
      }
    }
  }

  // Columns whose weights stay in L2 while all rows go over them.
  static std::size_t chunk_columns(const Pass& pass) {
    const std::size_t wide = kChunkBytes / column_bytes(2 * kPair, pass.task.taps, pass.k);
    return (wide < 1 ? 1 : wide) * 2 * kPair;
  }

  // Measured: 5 rows need a quarter of the work that 4 need to be worth tiles, and of more rows
  // those beyond 4 count. 4 rows whose weights L2 does not hold wait for the weights by either, and
  // longer by tiles beside a neighbour on the core. Codes of multipliers from one on are rare:
  // there is no code for them here.
  static bool is_for_vnni(const GemmTask& task) {
    const std::size_t n = task.n_end - task.n_begin;
    const std::size_t weights = n * task.taps * task.k;
    return task.m < (weights < kL2Bytes ? 4 : 5) || (n <= kColumns && Tiles::kLeastWork > 0) ||
           (4 * (task.m - 4) + 1) * weights < Tiles::kLeastWork ||
           (task.epilogue.store == Store::q8 && !task.epilogue.below_one);
  }

  static void gemm(const GemmTask& task) {
    is_for_vnni(task) ? avx512vnni_gemm(task, vnni_form(task.weights)) : run(task);
  }

  [[gnu::noinline]] static void run(const GemmTask& task) {
    const bool one = task.m <= kRows;
    const std::size_t tiles = one ? 1 : round_up(task.m, 2 * kRows) / kRows;
    const std::size_t width = one ? 2 * kPair : kPair;
    Pass pass(task, tiles);
    Tiles::configure(pass.rows, pass.k.height);
    const std::size_t chunk = chunk_columns(pass);
    for (std::size_t begin = task.n_begin; begin < task.n_end; begin += chunk) {
      const std::size_t end = task.n_end - begin < chunk ? task.n_end : begin + chunk;
      for (std::size_t tile = 0; tile < tiles; tile += 2) {
        pass.copy_rows(tile, one ? 1 : 2);
        for (std::size_t n = begin; n < end; n += width) {
          const std::size_t columns = end - n < width ? end - n : width;
          one ? block<1>(pass, n, columns) : block<2>(pass, n, columns);
        }
      }
    }
    pass.unstored.store_apart(SIZE_MAX);
    store_tile<0>(pass);
    store_tile<1>(pass);
    store_tile<2>(pass);
    store_tile<3>(pass);
    finish(pass);
    pass.unstored.store_apart(SIZE_MAX);
    Tiles::release();
  }
};

}  // namespace
}  // namespace octet::kernels
