// SPDX-License-Identifier: Apache-2.0
// lookup and requantize: 8 bits -> 8 bits through a table of 256 entries. A lookup's table is the
// file's; a requantize's is computed here, dequantize then quantize of each code.
#include <algorithm>
#include <array>

#include "engine/ops/codes.h"
#include "engine/ops/op_table.h"

namespace octet::engine {
namespace {

using Bytes = std::array<std::uint8_t, 256>;

struct Params {
  decltype(kernels::Table::lookup) lookup;
  std::size_t elements;
  Bytes table;  // indexed by the byte in memory
};

void run(const Step& step, const Block& block, Share) {
  const auto& p = *static_cast<const Params*>(step.params);
  for_elements<std::uint8_t, std::uint8_t>(
      step, block, p.elements, [&](const std::uint8_t* x, std::uint8_t* y, std::size_t n) {
        p.lookup(x, n, p.table.data(), y);
      });
}

Compiled compile(const OpContext& context, const Bytes& table) {
  return {.run = run,
          .params = context.storage.keep(
              Params{context.table.lookup, sample_elements(context.output()), table}),
          .kernel = context.kernel("lookup"),
          .parameter_bytes = table.size()};
}

}  // namespace

Compiled compile_lookup(const OpContext& context) {
  const kernels::Sign sign = context.table.sign;
  const Tensor& table = context.input(1);
  // Entry i is for the lowest code + i: byte i of a u8 tensor, the flipped byte of an s8 one.
  const unsigned flip_index = sign == kernels::Sign::u8 ? 0x00 : 0x80;
  const unsigned flip_value = code_shift(table.dtype, sign) == 0 ? 0x00 : 0x80;
  Bytes bytes;
  for (unsigned i = 0; i < 256; ++i) {
    bytes[i ^ flip_index] = static_cast<std::uint8_t>(element<std::uint8_t>(table, i) ^ flip_value);
  }
  return compile(context, bytes);
}

Compiled compile_requantize(const OpContext& context) {
  const Tensor& x = context.input(0);
  const kernels::Sign sign = context.table.sign;
  Bytes bytes;
  for (unsigned i = 0; i < 256; ++i) bytes[i] = static_cast<std::uint8_t>(i);
  std::array<float, 256> reals;
  context.table.dequantize(bytes.data(), 256, x.scale, shifted_zero_point(x, sign), reals.data());
  context.table.quantize(reals.data(), 256, quantize_params(context.output(), sign), bytes.data());
  return compile(context, bytes);
}

}  // namespace octet::engine
