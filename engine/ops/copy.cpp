// SPDX-License-Identifier: Apache-2.0
// The steps that no node asks for: 8-bit inputs and outputs whose dtype is not the table's sign are
// flipped, outputs that alias an input or another output are copied.
#include <cstring>

#include "engine/ops/op.h"

namespace octet::engine {
namespace {

struct CopyParams {
  std::size_t bytes;
};

void run_copy(const Step& step, const Block& block, Share) {
  const auto& p = *static_cast<const CopyParams*>(step.params);
  for (std::size_t i = 0; i < block.samples; ++i) {
    std::memcpy(at<std::byte>(block, step.out, i), at<const std::byte>(block, step.in[0], i),
                p.bytes);
  }
}

struct FlipParams {
  decltype(kernels::Table::flip) flip;
  std::size_t bytes;
};

void run_flip(const Step& step, const Block& block, Share) {
  const auto& p = *static_cast<const FlipParams*>(step.params);
  for_elements<std::uint8_t, std::uint8_t>(
      step, block, p.bytes,
      [&](const std::uint8_t* x, std::uint8_t* y, std::size_t n) { p.flip(x, n, y); });
}

}  // namespace

Compiled compile_copy(std::size_t bytes, Storage& storage) {
  return {.run = run_copy, .params = storage.keep(CopyParams{bytes}), .kernel = "copy"};
}

Compiled compile_flip(std::size_t bytes, const kernels::Table& table, Storage& storage) {
  return {.run = run_flip,
          .params = storage.keep(FlipParams{table.flip, bytes}),
          .kernel = message("flip ", table.name)};
}

}  // namespace octet::engine
