// SPDX-License-Identifier: Apache-2.0
// Panels of up to 10 and 12 columns (avx512vnni.cpp): 8 columns, then the last 2 or 4.
//
//                      lane 0                          lane 1                       ..
//   16 k of the 8:   | 0: k..k+7     | 1: k+8..k+15  | 2: k..k+7 | 3: k+8..k+15 | ..
//                    | 1: k..k+7     | 0: k+8..k+15  | 3: k..k+7 | 2: k+8..k+15 | ..
//   a[r][k..k+15] -> in every lane of 128 bits
//
//   32 k of 2:       | 8: k..k+15                    | 8: k+16..k+31             | 9 | 9
//   a[r][k..k+31] -> in both halves
//
//   16 k of 4:       | 8                             | 9                         | 10 | 11
//   a[r][k..k+15] -> in every lane
//
// So 10 and 12 columns are whole vectors, a row is read by 16 codes or 32, and the sums of two
// columns come to lie side by side, which saves shuffles where four rows are stored.
#pragma once

#include <immintrin.h>

#include "kernels/sums_512.inl"

namespace octet::kernels {
namespace {

struct Paired512 : Vnni512 {
  static constexpr std::size_t kPaired = 8;  // columns
  static constexpr bool is_paired(std::size_t width) { return width == 10 || width == 12; }
  // Only those of rows that are long enough to be loaded without a mask, and of one tap.
  static constexpr bool fits(std::size_t width, std::size_t taps, std::size_t k) {
    return !is_paired(width) || (taps == 1 && k >= kLongest);
  }
  static constexpr std::size_t kLongest = 32;  // k of a vector
  static constexpr std::size_t low_rows(std::size_t width) { return is_paired(width) ? 2 : 4; }
  // A panel is groups of as many k as a vector of the last columns has: that one, then those of 8
  // columns.
  static constexpr std::size_t group_of(std::size_t width) { return 64 / (width - kPaired); }

  // What fills no group meets the last codes of a row, and stands behind zeros: a vector of the
  // last columns, and of the 8 columns one for each 8 k, a column to a qword.
  static std::size_t paired_bytes(std::size_t width, std::size_t k) {
    const std::size_t group = group_of(width);
    const std::size_t rest = k % group;
    return k / group * (group * kPaired + 64) + (rest > 0 ? 64 + round_up(rest, 8) * kPaired : 0);
  }
  static std::size_t paired_place(std::size_t width, std::size_t column, std::size_t k,
                                  std::size_t i) {
    const std::size_t group = group_of(width);
    const std::size_t first = i / group * (group * kPaired + 64);
    const auto zeros = [&](std::size_t size) { return i / size < k / size ? 0 : size - k % size; };
    if (column >= kPaired) return first + (column - kPaired) * group + zeros(group) + i % group;
    std::size_t vector = i % group / 8, qword = column;
    if (i / group < k / group) {
      qword = column / 2 * 2 + vector % 2;
      vector = vector / 2 * 2 + (vector + column) % 2;
    }
    return first + 64 + vector * 64 + qword * 8 + zeros(8) + i % 8;
  }

  // So many codes in every part of a vector of so many bytes.
  template <std::size_t Count>
  [[gnu::always_inline]] static inline __m512i load(const std::uint8_t* a) {
    if constexpr (Count == 8) {
      std::int64_t codes;
      memcpy(&codes, a, sizeof codes);
      return _mm512_set1_epi64(codes);
    } else if constexpr (Count == 16) {
      return load_group(a);
    } else {
      return _mm512_broadcast_i64x4(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(a)));
    }
  }

  // The sums of a block of 1, 2 or 4 rows.
  template <std::size_t Rows, std::size_t Width>
  struct PairedSums {
    static constexpr std::size_t kVectors = 1;
    static constexpr bool kOfFour = false;
    static constexpr std::size_t kLastK = group_of(Width);
    // Few rows take groups of 16 k in turn, and what fills none apart.
    static constexpr std::size_t kChains = Rows < 4 ? 3 : 1;
    using RowPointers = const std::uint8_t* const (&)[Rows];

    Acc<Rows, 2> paired[kChains];
    Acc<Rows, 1> last[kChains];
    bool has_last;  // or the block has no more than 8 columns

    [[gnu::always_inline]] inline void start(const Block& block) {
      has_last = Width == 12 || block.columns > kPaired;
      unroll<kChains>([&](auto c) {
        clear(paired[c]);
        clear(last[c]);
      });
    }
    [[gnu::always_inline]] inline void start(const Block& block, const std::int32_t* bias) {
      start(block);
      const __m512i all = _mm512_loadu_si512(bias);
      const __m512i first = _mm512_maskz_permutexvar_epi32(
          0x5555, _mm512_setr_epi32(0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7), all);
      const __m512i second = _mm512_maskz_permutexvar_epi32(
          Width == 10 ? 0x0101 : 0x1111,
          Width == 10 ? _mm512_setr_epi32(8, 8, 8, 8, 8, 8, 8, 8, 9, 9, 9, 9, 9, 9, 9, 9)
                      : _mm512_setr_epi32(8, 8, 8, 8, 9, 9, 9, 9, 10, 10, 10, 10, 11, 11, 11, 11),
          all);
      unroll<Rows>([&](auto r) {
        paired[0][r][0] = first;
        last[0][r][0] = second;
      });
    }

    template <class Chain, class Row>
    [[gnu::always_inline]] inline void add_last(Chain chain, const std::int8_t*& panel, Row row) {
      if (has_last) {
        step<1>(last[chain], panel, row);
      } else {
        panel += 64;
      }
    }
    template <class Chain>
    [[gnu::always_inline]] inline void add_group(const std::int8_t*& panel, RowPointers a,
                                                 std::size_t k, Chain chain) {
      add_last(chain, panel, [&](auto r) { return load<kLastK>(a[r] + k); });
      unroll<kLastK / 16>([&](auto i) {
        step<2>(paired[kChains == 1 ? 0 : chain + i], panel,
                [&](auto r) { return load_group(a[r] + k + 16 * i); });
      });
    }
    // From k, where a group begins, to the end of the rows.
    [[gnu::always_inline]] inline void add(const std::int8_t*& panel, RowPointers a, std::size_t k,
                                           std::size_t end) {
      constexpr std::size_t kTurns = kChains == 1 || kLastK == 32 ? 1 : 2;
      const auto group = [&](auto chain) __attribute__((always_inline)) {
        add_group(panel, a, k, chain);
        k += kLastK;
      };
      while (k + kTurns * kLastK <= end) unroll<kTurns>(group);
      if constexpr (kTurns > 1) {
        if (k + kLastK <= end) unroll<1>(group);
      }
      if (k == end) return;
      constexpr std::integral_constant<std::size_t, kChains - 1> kRest;
      add_last(kRest, panel, [&](auto r) { return load<kLastK>(a[r] + end - kLastK); });
      for (; k + 8 < end; k += 8) {
        step<1>(paired[0], panel, [&](auto r) { return load<8>(a[r] + k); });
      }
      step<1>(paired[kRest], panel, [&](auto r) { return load<8>(a[r] + end - 8); });
    }

    // Into the first chain.
    [[gnu::always_inline]] inline void join_chains() {
      unroll<kChains - 1>([&](auto c) {
        Vnni512::add(paired[0], paired[c + 1]);
        Vnni512::add(last[0], last[c + 1]);
      });
    }

    // Those of a row in the order of its columns, with their bias.
    [[gnu::always_inline]] inline void finish(const std::int32_t* bias, std::size_t r,
                                              __m512i (&row)[1]) const {
      __m512i x =
          _mm512_add_epi32(paired[0][r][0], _mm512_shuffle_epi32(paired[0][r][1], _MM_PERM_BADC));
      x = _mm512_add_epi32(x, _mm512_shuffle_epi32(x, _MM_PERM_CDAB));
      __m512i y = last[0][r][0];
      if constexpr (Width == 10) y = _mm512_add_epi32(y, _mm512_shuffle_i64x2(y, y, 0xb1));
      y = add_lanes(y);
      constexpr int kSecond = Width == 10 ? 24 : 20;
      row[0] = _mm512_add_epi32(
          _mm512_permutex2var_epi32(
              x, _mm512_setr_epi32(0, 2, 4, 6, 8, 10, 12, 14, 16, kSecond, 24, 28, 0, 0, 0, 0), y),
          _mm512_loadu_si512(bias));
    }

    // Those of four rows, of which start had the bias: lane l of [0] and [1] holds columns 2 l and
    // 2 l + 1 of rows 0 and 1, of rows 2 and 3. In [2] the lanes are rows 0 and 1, then 2 and 3 of
    // columns 8 and 9, and the same of 10 and 11.
    [[gnu::always_inline]] inline void finish(__m512i (&four)[3]) const {
      const auto& p = paired[0];
      unroll<2>([&](auto i) {
        constexpr std::size_t r = 2 * i;
        four[i] = _mm512_add_epi32(add_pairs<0x88, 0xdd>(p[r][0], p[r + 1][0]),
                                   add_pairs<0x22, 0x77>(p[r][1], p[r + 1][1]));
      });
      const auto& l = last[0];
      const __m512i sums = add_dwords(l[0][0], l[1][0], l[2][0], l[3][0]);
      if constexpr (Width == 10) {
        four[2] = _mm512_add_epi32(
            _mm512_permutexvar_epi32(
                _mm512_setr_epi32(0, 8, 1, 9, 2, 10, 3, 11, 0, 0, 0, 0, 0, 0, 0, 0), sums),
            _mm512_permutexvar_epi32(
                _mm512_setr_epi32(4, 12, 5, 13, 6, 14, 7, 15, 0, 0, 0, 0, 0, 0, 0, 0), sums));
      } else {
        four[2] = _mm512_permutexvar_epi32(
            _mm512_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7, 8, 12, 9, 13, 10, 14, 11, 15), sums);
      }
    }
    // Two dwords of each lane of x, then two of y, by the one selector, plus those by the other.
    template <int kOne, int kOther>
    [[gnu::always_inline]] static inline __m512i add_pairs(__m512i x, __m512i y) {
      const __m512 a = _mm512_castsi512_ps(x), b = _mm512_castsi512_ps(y);
      return _mm512_add_epi32(_mm512_castps_si512(_mm512_shuffle_ps(a, b, kOne)),
                              _mm512_castps_si512(_mm512_shuffle_ps(a, b, kOther)));
    }
  };

  // The multipliers of what finish leaves of four rows.
  struct PairMult {
    __m512 of_paired;
    __m512 of_last;

    [[gnu::always_inline]] inline PairMult(const GemmTask& task, const Block& block) {
      const Epilogue& e = task.epilogue;
      const __m512 all = e.store == Store::s32 ? __m512{} : _mm512_loadu_ps(e.mult + block.column);
      of_paired = _mm512_permutexvar_ps(
          _mm512_setr_epi32(0, 1, 0, 1, 2, 3, 2, 3, 4, 5, 4, 5, 6, 7, 6, 7), all);
      of_last = _mm512_permutexvar_ps(
          _mm512_setr_epi32(8, 9, 8, 9, 8, 9, 8, 9, 10, 11, 10, 11, 10, 11, 10, 11), all);
    }
    [[gnu::always_inline]] inline __m512 operator[](std::size_t v) const {
      return v < 2 ? of_paired : of_last;
    }
  };

  // Four rows as codes.
  struct PairCodes : Requantize {
    PairMult mult;
    __mmask16 lanes;
    bool narrows;

    [[gnu::always_inline]] inline PairCodes(const GemmTask& task, const Block& block)
        : Requantize(task.epilogue),
          mult(task, block),
          lanes(lanes_of(block, 0)),
          narrows(narrows_only(task.epilogue)) {}

    [[gnu::always_inline]] inline void store(const __m512i (&four)[3], char* const (&c)[4]) const {
      __m512i q[4] = {};
      unroll<3>([&](auto v) { q[v] = round(four[v], mult[v]); });
      // Word r of lane l: columns 2 l and 2 l + 1 of row r. Words 4 and 5 are those of [2].
      const __m512i rows = _mm512_permutexvar_epi16(
          _mm512_setr_epi64(0x0018'0010'0008'0000, 0x0014'0004, 0x0019'0011'0009'0001, 0x0015'0005,
                            0x001a'0012'000a'0002, 0x001c'000c, 0x001b'0013'000b'0003, 0x001d'000d),
          narrow(q, narrows));
      unroll<4>(
          [&](auto r) { _mm_mask_storeu_epi8(c[r], lanes, _mm512_extracti32x4_epi32(rows, r)); });
    }
  };

  // Four rows as floats or as they are.
  struct PairWords {
    PairMult mult;
    __m512 min;
    __m512 max;
    __mmask16 lanes;
    bool floats;

    [[gnu::always_inline]] inline PairWords(const GemmTask& task, const Block& block)
        : mult(task, block),
          min(_mm512_set1_ps(task.epilogue.min)),
          max(_mm512_set1_ps(task.epilogue.max)),
          lanes(lanes_of(block, 0)),
          floats(task.epilogue.store == Store::f32) {}

    [[gnu::always_inline]] inline void store(const __m512i (&four)[3], char* const (&c)[4]) const {
      __m512i words[3];
      unroll<3>([&](auto v) { words[v] = floats ? scale(four[v], mult[v], min, max) : four[v]; });
      unroll<4>([&](auto r) {
        constexpr int kOdd = r % 2, kLast = 8 + r;
        const __m512i pairs =
            _mm512_setr_epi64(kOdd, 2 + kOdd, 4 + kOdd, 6 + kOdd, kLast, kLast + 4, 0, 0);
        _mm512_mask_storeu_epi32(c[r], lanes,
                                 _mm512_permutex2var_epi64(words[r / 2], pairs, words[2]));
      });
    }
  };

  // Rows from 3 on, four at a time, each four stored among the products of the next: see Strips512.
  // The last four may have been there in part, and 3 rows are the third twice.
  template <std::size_t Width, class Stored>
  [[gnu::flatten]] static void paired_strip(const GemmTask& task, const Block& block,
                                            std::size_t rows) {
    using S = PairedSums<4, Width>;
    constexpr std::integral_constant<std::size_t, 0> kFirst;
    const Stored stored(task, block);
    const std::size_t k = task.k, ldc = task.ldc;
    const std::size_t bytes = task.epilogue.store == Store::q8 ? 1 : 4;
    char* const c = static_cast<char*>(task.c) + block.row * ldc + block.column * bytes;
    const std::uint8_t* const* from = task.rows + block.row;
    const std::size_t blocks = (rows + 3) / 4;
    const std::size_t last = rows > 4 ? rows - 4 : 0;
    const std::size_t fourth = rows > 3 ? 3 : 2;
    S first, sums;
    first.start(block, task.epilogue.bias + block.column);
    char* to = c;
    for (std::size_t i = 0;; ++i) {
      const std::size_t row = 4 * i < last ? 4 * i : last;
      const std::uint8_t* const a[4] = {from[row], from[row + 1], from[row + 2],
                                        from[row + fourth]};
      const std::int8_t* panel = block.panel;
      __m512i four[3];
      if (i > 0) sums.finish(four);
      sums = first;
      if (i < blocks) {
        unroll<kLongest / S::kLastK>(
            [&](auto g) { sums.add_group(panel, a, S::kLastK * g, kFirst); });
      }
      if (i > 0) {
        stored.store(four, {to, to + ldc, to + 2 * ldc, to + fourth * ldc});
        if (i == blocks) return;
      }
      to = c + row * ldc;
      sums.add(panel, a, kLongest, k);
    }
  }
  // Whether it took the rows: floats and sums of 12 columns are too rare for a strip of their own.
  static bool paired_strip(const GemmTask& task, const Block& block, std::size_t width,
                           std::size_t rows) {
    const bool codes = task.epilogue.store == Store::q8;
    if (width == 10) {
      codes ? paired_strip<10, PairCodes>(task, block, rows)
            : paired_strip<10, PairWords>(task, block, rows);
      return true;
    }
    if (codes) paired_strip<12, PairCodes>(task, block, rows);
    return codes;
  }
};

}  // namespace
}  // namespace octet::kernels
