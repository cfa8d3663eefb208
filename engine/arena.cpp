// SPDX-License-Identifier: Apache-2.0
// Greedy best fit by size (Pisarchyk and Lee, "Efficient Memory Management for Deep Neural Net
// Inference", 2020), by time where buffers are many, and aligned allocation.
#include "engine/arena.h"

#include <sys/mman.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <limits>
#include <numeric>
#include <set>
#include <utility>

namespace octet::engine {

AlignedBuffer::AlignedBuffer(std::size_t bytes)
    : data_(static_cast<std::byte*>(::operator new (bytes, std::align_val_t{kAlignment}))) {}

AlignedBuffer AlignedBuffer::zeros(std::size_t bytes) {
  AlignedBuffer buffer(bytes);
#ifdef MADV_POPULATE_WRITE
  // One call for the pages of a large one; the kernel may not know it.
  constexpr std::size_t kPage = 4096;  // or more, and then nothing comes of the call
  const std::size_t before = kPage - reinterpret_cast<std::uintptr_t>(buffer.data()) % kPage;
  if (bytes >= before + 8 * kPage) {
    const int error = errno;
    ::madvise(buffer.data() + before, (bytes - before) / kPage * kPage, MADV_POPULATE_WRITE);
    errno = error;
  }
#endif
  std::memset(buffer.data(), 0, bytes);
  return buffer;
}

namespace {

bool meet(const Lifetime& a, const Lifetime& b) {
  return a.first <= b.last && b.first <= a.last;
}

// The indices of buffers, by what they have there; equals by index.
std::vector<std::uint32_t> order_by(std::span<const Lifetime> buffers, std::size_t Lifetime::*what,
                                    bool descending = false) {
  const std::size_t flipped = descending ? SIZE_MAX : 0;
  std::vector<std::uint32_t> order(buffers.size());
  std::iota(order.begin(), order.end(), 0u);
  std::sort(order.begin(), order.end(), [&](std::uint32_t a, std::uint32_t b) {
    return std::pair(buffers[a].*what ^ flipped, a) < std::pair(buffers[b].*what ^ flipped, b);
  });
  return order;
}

Layout place_by_size(std::span<const Lifetime> buffers) {
  Layout layout;
  layout.offsets.resize(buffers.size());
  std::vector<std::size_t> placed;  // ascending by offset
  for (const std::uint32_t i : order_by(buffers, &Lifetime::bytes, true)) {
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

// As an allocator would: each buffer into the smallest gap that buffers before it left.
Layout place_by_time(std::span<const Lifetime> buffers) {
  Layout layout;
  layout.offsets.resize(buffers.size());
  std::set<std::pair<std::size_t, std::size_t>> gaps;  // bytes, offset
  const std::vector<std::uint32_t> ends = order_by(buffers, &Lifetime::last);
  auto ended = ends.begin();
  for (const std::uint32_t i : order_by(buffers, &Lifetime::first)) {
    const Lifetime& buffer = buffers[i];
    for (; buffers[*ended].last < buffer.first; ++ended) {  // stops at this buffer itself
      if (buffers[*ended].bytes > 0) gaps.emplace(buffers[*ended].bytes, layout.offsets[*ended]);
    }
    if (buffer.bytes == 0) continue;
    const auto gap = gaps.lower_bound({buffer.bytes, 0});
    if (gap == gaps.end()) {
      layout.offsets[i] = layout.bytes;
      layout.bytes += buffer.bytes;
      continue;
    }
    const auto [bytes, offset] = *gap;
    gaps.erase(gap);
    layout.offsets[i] = offset;
    if (bytes > buffer.bytes) gaps.emplace(bytes - buffer.bytes, offset + buffer.bytes);
  }
  return layout;
}

}  // namespace

Layout place_buffers(std::span<const Lifetime> buffers) {
  // By size takes the square of their number: milliseconds here, seconds where a file may go.
  constexpr std::size_t kMaxBySize = 4096;
  return buffers.size() <= kMaxBySize ? place_by_size(buffers) : place_by_time(buffers);
}

}  // namespace octet::engine
