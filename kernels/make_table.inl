// SPDX-License-Identifier: Apache-2.0
// A table from its parts: the register blocks of Isa (gemm_loop.inl), for the rest on codes the
// xsimd architecture that is nearest to the instruction set, and the floats of its vectors.
#pragma once

#include "kernels/elementwise.inl"
#include "kernels/gemm_loop.inl"
#include "kernels/tables.h"

namespace octet::kernels {
namespace {

// For instruction sets whose prepare() has nothing to do.
constexpr std::size_t no_scratch(std::size_t, std::size_t) {
  return 0;
}

template <class Isa, class Arch, Sign kSign>
constexpr Table make_table(const char* name, const FloatTable& f32,
                           std::size_t (*scratch_bytes)(std::size_t taps, std::size_t k)) {
  using Int8 = Gemm<Isa>;
  using Map = Elementwise<Arch, kSign>;
  return {
      .name = name,
      .sign = kSign,
      .f32 = &f32,
      .tile = Int8::kTile,
      .tile_speed = 1,
      .forms = 1,
      .packed_bytes = Int8::packed_bytes,
      .pack_weights = Int8::pack,
      .scratch_bytes = scratch_bytes,
      .gemm = Int8::gemm,
      .quantize = Map::quantize,
      .dequantize = Map::dequantize,
      .clamp_q8 = Map::clamp_q8,
      .add_q8 = Map::add_q8,
      .lookup = Map::lookup,
      .flip = Map::flip,
  };
}

}  // namespace
}  // namespace octet::kernels
