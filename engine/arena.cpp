// SPDX-License-Identifier: Apache-2.0
// Greedy best fit by size (Pisarchyk and Lee, "Efficient Memory Management for Deep Neural Net
// Inference", 2020), and aligned allocation.
#include "engine/arena.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <numeric>

namespace octet::engine {

AlignedBuffer::AlignedBuffer(std::size_t bytes)
    : data_(static_cast<std::byte*>(::operator new (bytes, std::align_val_t{kAlignment}))) {
  std::memset(data_.get(), 0, bytes);
}

namespace {

bool meet(const Lifetime& a, const Lifetime& b) {
  return a.first <= b.last && b.first <= a.last;
}

}  // namespace

Layout place_buffers(std::span<const Lifetime> buffers) {
  std::vector<std::size_t> order(buffers.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return buffers[a].bytes > buffers[b].bytes;
  });

  Layout layout;
  layout.offsets.resize(buffers.size());
  std::vector<std::size_t> placed;  // ascending by offset
  for (const std::size_t i : order) {
    const Lifetime& buffer = buffers[i];
    std::size_t best = 0;
    std::size_t best_gap = std::numeric_limits<std::size_t>::max();
    std::size_t end = 0;  // of the buffers so far that are alive at the same time
    for (const std::size_t j : placed) {
      if (!meet(buffer, buffers[j])) continue;
      const std::size_t start = layout.offsets[j];
      if (start >= end + buffer.bytes && start - end < best_gap) {
        best = end;
        best_gap = start - end;
      }
      end = std::max(end, start + buffers[j].bytes);
    }
    if (best_gap == std::numeric_limits<std::size_t>::max()) best = end;
    layout.offsets[i] = best;
    layout.bytes = std::max(layout.bytes, best + buffer.bytes);
    placed.insert(
        std::upper_bound(placed.begin(), placed.end(), best,
                         [&](std::size_t at, std::size_t j) { return at < layout.offsets[j]; }),
        i);
  }
  return layout;
}

}  // namespace octet::engine
