// SPDX-License-Identifier: Apache-2.0
// Rows of bytes that each lie against an unmapped page, so that reading past a row's end (or, for
// every other row, before its start) is a crash and not luck.
#pragma once

#include <sys/mman.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <new>

namespace octet::test {

class GuardedRows {
 public:
  // For up to max_rows rows of at most a page.
  explicit GuardedRows(std::size_t max_rows)
      : page_(static_cast<std::size_t>(sysconf(_SC_PAGESIZE))), bytes_((2 * max_rows + 1) * page_) {
    void* base = mmap(nullptr, bytes_, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (base == MAP_FAILED) throw std::bad_alloc();
    base_ = static_cast<std::uint8_t*>(base);
    for (std::size_t row = 0; row < max_rows; ++row) {
      if (mprotect(base_ + (2 * row + 1) * page_, page_, PROT_READ | PROT_WRITE) != 0) {
        throw std::bad_alloc();
      }
    }
  }
  ~GuardedRows() { munmap(base_, bytes_); }
  GuardedRows(const GuardedRows&) = delete;
  GuardedRows& operator=(const GuardedRows&) = delete;

  // Row i of that many bytes: three of four rows end at the page's end, one starts at its start.
  std::uint8_t* row(std::size_t i, std::size_t bytes) const {
    std::uint8_t* page = base_ + (2 * i + 1) * page_;
    return i % 4 == 3 ? page : page + page_ - bytes;
  }

 private:
  std::size_t page_;
  std::size_t bytes_;
  std::uint8_t* base_ = nullptr;
};

}  // namespace octet::test
