// SPDX-License-Identifier: Apache-2.0
// Loops over the rows and vectors of a register block, unrolled by the front end.
#pragma once

#include <stddef.h>

#include <utility>

namespace octet::kernels {
namespace {

// f(0), ..., f(N - 1) with each index a constant. Register blocks are arrays, and GCC keeps an
// array in registers only if every index into it is a constant before its scalar replacement runs:
// #pragma unroll comes too late. For the same reason tile() is to be [[gnu::flatten]].
template <std::size_t... I, class F>
[[gnu::always_inline]] inline void unroll(std::index_sequence<I...>, [[maybe_unused]] F f) {
  (f(std::integral_constant<std::size_t, I>{}), ...);
}
template <std::size_t N, class F>
[[gnu::always_inline]] inline void unroll(F f) {
  unroll(std::make_index_sequence<N>{}, f);
}

}  // namespace
}  // namespace octet::kernels
