// SPDX-License-Identifier: Apache-2.0
// How elementwise functions go over their elements.
#pragma once

#include <stddef.h>
#include <string.h>

#include "kernels/unroll.inl"

namespace octet::kernels {
namespace {

// Where blocks of an input are read from: where it is, or a copy with zeros behind it if it is
// shorter than one. V: vectors.inl.
template <class V, std::size_t kBlock, class X>
struct BlockInput {
  const X* x;
  alignas(64) X copy[kBlock];

  BlockInput(const BlockInput&) = delete;
  BlockInput(const X* from, std::size_t n) : x(from) {
    if (n >= kBlock) return;
    V::template load_part<kBlock>(from, n, copy);
    x = copy;
  }
};

// block(y + i, x + i...) for blocks of kBlock elements that cover all n. The last one, which may
// overlap the one before, comes first and is stored last, so that y may equal an input.
template <class V, std::size_t kBlock, class Block, class Y, class... X>
[[gnu::always_inline]] inline void for_blocks(std::size_t n, Block block, Y* y, const X*... x) {
  const auto run = [&](const auto&... in) __attribute__((always_inline)) {
    alignas(64) Y last[kBlock];
    const std::size_t before_last = n < kBlock ? 0 : n - kBlock;
    std::size_t i = before_last;
    Y* to = last;
    for (std::size_t next = 0;; next += kBlock) {
      block(to, in.x + i...);
      if (next >= before_last) break;
      i = next;
      to = y + i;
    }
    if (n >= kBlock) {
      memcpy(y + before_last, last, sizeof last);
    } else {
      V::template store_part<kBlock>(last, n, y);
    }
  };
  run(BlockInput<V, kBlock, X>(x, n)...);
}

// The same for blocks of V::kTogether vectors of floats; f(x + i...) is one of them, and
// always_inline because it is called for each.
template <class V, class Function, class... X>
[[gnu::always_inline]] inline void for_vectors(std::size_t n, Function f, float* y, const X*... x) {
  using F = typename V::F;
  const auto block = [&](float* to, const X*... from) __attribute__((always_inline)) {
    F r[V::kTogether];
    unroll<V::kTogether>([&](auto v) { r[v] = f(from + v * F::size...); });
    unroll<V::kTogether>([&](auto v) { r[v].store_unaligned(to + v * F::size); });
  };
  for_blocks<V, V::kTogether * F::size>(n, block, y, x...);
}

}  // namespace
}  // namespace octet::kernels
