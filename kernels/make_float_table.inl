// SPDX-License-Identifier: Apache-2.0
// A FloatTable from its parts, all written over xsimd.
#pragma once

#include "kernels/dynamic.inl"
#include "kernels/float_elementwise.inl"
#include "kernels/float_linear.inl"
#include "kernels/group_linear.inl"

namespace octet::kernels {
namespace {

template <class Arch>
constexpr FloatTable make_float_table() {
  using Linear = FloatLinear<Arch>;
  using Grouped = GroupLinear<Arch>;
  static_assert(Grouped::kNr == Linear::kNr, "nr is that of both");
  using Rows = Dynamic<Arch>;
  using Map = FloatElementwise<Arch>;
  return {
      .nr = Linear::kNr,
      .packed_bytes = Linear::packed_bytes,
      .pack_weights = Linear::pack,
      .linear = Linear::run,
      .packed_group_bytes = Grouped::packed_bytes,
      .pack_group_weights = Grouped::pack,
      .group_linear = Grouped::run,
      .range = Rows::range,
      .dequantize_sums = Rows::dequantize_sums,
      .clamp = Map::clamp,
      .add = Map::add,
      .affine = Map::affine,
  };
}

}  // namespace
}  // namespace octet::kernels
