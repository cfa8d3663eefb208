// SPDX-License-Identifier: Apache-2.0
// One row of 16 k and more over several panels at once (avx512vnni.cpp). The ends of a block of one
// row and 64 columns take as long as the products of 100 k, and one stream of weights from L2
// arrives slower than four. So 256 columns are a block of four panels, 97 to 100 one of the last
// two:
//
//                 panel 0     panel 1     panel 2     panel 3
//   a[k..k+3] ->  v0 .. v3    v0 .. v3    v0 .. v3    v0 .. v3        one chain of 16 sums
//   a[k..k+3] ->  v0 .. v3    v0 v1, and a narrow one per 16 k        two chains of 6, one of 1
#pragma once

#include "kernels/strips_512.inl"

namespace octet::kernels {
namespace {

struct OneRow512 : Strips512 {
  // The first column that is left.
  static std::size_t take_row(const GemmTask& task, const void* weights) {
    std::size_t n = task.n_begin;
    if (task.n_end - n <= 96 || task.taps != 1 || task.k < kGroup) return n;
    const std::size_t bytes = 64 * round_up(task.k, kKr);  // of a panel
    const auto* panel = static_cast<const std::int8_t*>(weights) + n / 64 * bytes;
    for (; task.n_end - n >= 256; n += 256, panel += 4 * bytes) {
      join_four(task, Block{panel, 0, 0, n, 256, 0, nullptr}, bytes);
    }
    const std::size_t left = task.n_end - n;
    if (left <= 96 || left > 100) return n;
    join_last(task, Block{panel, 0, 0, n, left, 0, nullptr}, panel + bytes);
    return task.n_end;
  }

  // Adds the products of four codes and the next vectors of a panel.
  template <std::size_t Count>
  [[gnu::always_inline]] static inline void add_vectors(__m512i* sums, __m512i codes,
                                                        const std::int8_t* w) {
    unroll<Count>([&](auto v) {
      sums[v] = _mm512_dpbusd_epi32(sums[v], codes, _mm512_load_si512(w + 64 * v));
    });
  }

  [[gnu::flatten]] static void join_four(const GemmTask& task, const Block& block,
                                         std::size_t panel_bytes) {
    const std::uint8_t* a = task.rows[block.row];
    const std::int32_t* bias = task.epilogue.bias + block.column;
    __m512i sums[16];
    unroll<16>([&](auto v) { sums[v] = _mm512_loadu_si512(bias + kLanes * v); });
    const std::int8_t* panel = block.panel;
    const auto add_step = [&](const std::uint8_t* codes) __attribute__((always_inline)) {
      const __m512i four = load_step(codes);
      const std::int8_t* w = panel;
      unroll<4>([&](auto p) {
        add_vectors<4>(sums + 4 * p, four, w);
        w += panel_bytes;
      });
      panel += 256;
    };
    std::size_t k = 0;
    for (; k + kKr <= task.k; k += kKr) add_step(a + k);
    if (k < task.k) add_step(a + task.k - kKr);
    store_row<4, 4, 4, 4>(task, block, sums);
  }

  [[gnu::flatten]] static void join_last(const GemmTask& task, const Block& block,
                                         const std::int8_t* second) {
    const std::uint8_t* a = task.rows[block.row];
    const std::int32_t* bias = task.epilogue.bias + block.column;
    const std::int8_t* first = block.panel;
    __m512i sums[7];
    unroll<6>([&](auto v) { sums[v] = _mm512_loadu_si512(bias + kLanes * v); });
    __m512i other[6] = {};
    __m512i narrow[1] = {};
    const auto add_group = [&](const std::uint8_t* codes) __attribute__((always_inline)) {
      add_vectors<1>(narrow, load_group(codes), second);
      second += 64;
    };
    const auto add_step = [&](__m512i * to, const std::uint8_t* codes)
        __attribute__((always_inline)) {
      const __m512i four = load_step(codes);
      add_vectors<4>(to, four, first);
      add_vectors<2>(to + 4, four, second);
      first += 256;
      second += 128;
    };
    std::size_t k = 0;
    for (; k + kGroup <= task.k; k += kGroup) {
      add_group(a + k);
      unroll<4>([&](auto s) { add_step(s % 2 == 0 ? sums : other, a + k + kKr * s); });
    }
    if (k < task.k) {
      add_group(a + task.k - kGroup);
      for (; k + kKr < task.k; k += kKr) add_step(sums, a + k);
      add_step(sums, a + task.k - kKr);
    }
    unroll<6>([&](auto v) { sums[v] = _mm512_add_epi32(sums[v], other[v]); });
    sums[6] = _mm512_add_epi32(transpose_lanes(add_lanes(narrow[0])),
                               _mm512_loadu_si512(bias + kLanes * 6));
    store_row<4, 3>(task, block, sums);
  }

  // Panels of so many vectors. Codes are stored from registers, the rest through memory.
  template <std::size_t... Vectors>
  [[gnu::always_inline]] static inline void store_row(const GemmTask& task, const Block& block,
                                                      const __m512i* sums) {
    const Epilogue& e = task.epilogue;
    if (e.store == Store::q8 && e.below_one) {
      char* c = static_cast<char*>(task.c) + block.row * task.ldc + block.column;
      std::size_t first = 0;
      const auto store = [&](auto count) __attribute__((always_inline)) {
        const Block panel = from_column(block, first);
        __m512i of_panel[count];
        unroll<count>([&](auto v) { of_panel[v] = sums[v]; });
        Codes<count>(task, panel).store(of_panel, c + first, bytes_of<count>(panel), false);
        sums += count;
        first += 64;
      };
      return (store(std::integral_constant<std::size_t, Vectors>{}), ...);
    }
    constexpr std::size_t kAll = (Vectors + ...);
    alignas(64) std::int32_t memory[kAll * kLanes];
    unroll<kAll>([&](auto v) { _mm512_store_si512(memory + kLanes * v, sums[v]); });
    store_apart(task, block, memory, kAll);
  }
  [[gnu::noinline]] static void store_apart(const GemmTask& task, Block block,
                                            const std::int32_t* sums, std::size_t vectors) {
    if (task.epilogue.store == Store::q8) return store_any_codes(task, block, sums, 1, vectors);
    for (; block.columns >= 64; block = from_column(block, 64), sums += 4 * kLanes) {
      store_words<4>(task, block, sums, 1);
    }
    if (block.columns > 0) store_words<3>(task, block, sums, 1);
  }
};

}  // namespace
}  // namespace octet::kernels
