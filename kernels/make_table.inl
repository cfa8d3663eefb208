// SPDX-License-Identifier: Apache-2.0
// A table from its parts: the register blocks of Isa (gemm_loop.inl) and, for everything else, the
// xsimd architecture that is nearest to the instruction set.
#pragma once

#include "kernels/dynamic.inl"
#include "kernels/elementwise.inl"
#include "kernels/float_linear.inl"
#include "kernels/gemm_loop.inl"
#include "kernels/group_linear.inl"

namespace octet::kernels {
namespace {

// For instruction sets whose prepare() has nothing to do.
constexpr std::size_t no_scratch(std::size_t, std::size_t) {
  return 0;
}

template <class Isa, class Arch, Sign kSign>
constexpr Table make_table(const char* name,
                           std::size_t (*scratch_bytes)(std::size_t taps, std::size_t k)) {
  using Int8 = Gemm<Isa>;
  using Float = FloatLinear<Arch>;
  using Grouped = GroupLinear<Arch>;
  static_assert(Grouped::kNr == Float::kNr, "float_nr is that of both");
  using Map = Elementwise<Arch, kSign>;
  using Rows = Dynamic<Arch>;
  return {
      .name = name,
      .sign = kSign,
      .tile = Int8::kTile,
      .packed_bytes = Int8::packed_bytes,
      .pack_weights = Int8::pack,
      .scratch_bytes = scratch_bytes,
      .gemm = Int8::run,
      .float_nr = Float::kNr,
      .packed_float_bytes = Float::packed_bytes,
      .pack_float_weights = Float::pack,
      .float_linear = Float::run,
      .packed_group_bytes = Grouped::packed_bytes,
      .pack_group_weights = Grouped::pack,
      .group_linear = Grouped::run,
      .quantize = Map::quantize,
      .dequantize = Map::dequantize,
      .range = Rows::range,
      .dequantize_sums = Rows::dequantize_sums,
      .clamp_q8 = Map::clamp_q8,
      .clamp_f32 = Map::clamp_f32,
      .add_q8 = Map::add_q8,
      .add_f32 = Map::add_f32,
      .affine_f32 = Map::affine_f32,
      .lookup = Map::lookup,
      .flip = Map::flip,
  };
}

}  // namespace
}  // namespace octet::kernels
