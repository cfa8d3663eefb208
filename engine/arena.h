// SPDX-License-Identifier: Apache-2.0
// 64-byte aligned memory, and where buffers with lifetimes lie in it.
#pragma once

#include <cstddef>
#include <memory>
#include <new>
#include <span>
#include <vector>

namespace octet::engine {

inline constexpr std::size_t kAlignment = 64;

// Memory aligned to kAlignment. Throws std::bad_alloc.
class AlignedBuffer {
 public:
  AlignedBuffer() = default;
  explicit AlignedBuffer(std::size_t bytes);  // not written to: takes no page before it is used
  static AlignedBuffer zeros(std::size_t bytes);

  std::byte* data() const noexcept { return data_.get(); }

 private:
  struct Free {
    void operator()(std::byte* data) const noexcept {
      ::operator delete (data, std::align_val_t{kAlignment});
    }
  };
  std::unique_ptr<std::byte, Free> data_;
};

// A buffer that is needed at the times first to last, both included.
struct Lifetime {
  std::size_t bytes;  // a multiple of kAlignment
  std::size_t first;
  std::size_t last;
};

// offsets[i] belongs to buffer i; bytes is the end of the highest one.
struct Layout {
  std::vector<std::size_t> offsets;
  std::size_t bytes = 0;
};

// Gives buffers whose lifetimes meet disjoint places: the largest first, each into the smallest gap
// that holds it; where they are thousands, the earliest first, in more memory.
Layout place_buffers(std::span<const Lifetime> buffers);

}  // namespace octet::engine
