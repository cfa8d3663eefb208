// SPDX-License-Identifier: Apache-2.0
#include "tests/faults/allocations.h"

#include <malloc.h>

#include <atomic>
#include <cstdlib>
#include <new>

namespace octet::test::allocations {
namespace {

std::atomic<std::size_t> call_count{0};
std::atomic<std::size_t> live_bytes{0};
std::atomic<std::size_t> peak_bytes{0};
std::atomic<std::size_t> first_failing{0};  // a value of call_count
std::atomic<bool> all_fail{false};
std::atomic<bool> failed{false};

bool is_refused() noexcept {
  const std::size_t call = ++call_count;
  const std::size_t first = first_failing;
  if (first == 0 || call < first || (call > first && !all_fail)) return false;
  failed = true;
  return true;
}

void* allocate(std::size_t bytes, std::size_t alignment) noexcept {
  if (is_refused()) return nullptr;
  const std::size_t size = bytes == 0 ? 1 : bytes;
  void* memory =
      alignment <= alignof(std::max_align_t)
          ? std::malloc(size)
          : std::aligned_alloc(alignment, (size + alignment - 1) / alignment * alignment);
  if (memory == nullptr) return nullptr;
  const std::size_t now = live_bytes += ::malloc_usable_size(memory);
  std::size_t before = peak_bytes;
  while (before < now && !peak_bytes.compare_exchange_weak(before, now)) {
  }
  return memory;
}

void* allocate_or_throw(std::size_t bytes, std::size_t alignment) {
  void* memory = allocate(bytes, alignment);
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}

void release(void* memory) noexcept {
  if (memory == nullptr) return;
  live_bytes -= ::malloc_usable_size(memory);
  std::free(memory);
}

constexpr std::size_t kDefault = alignof(std::max_align_t);

}  // namespace

std::size_t calls() noexcept {
  return call_count;
}
std::size_t live() noexcept {
  return live_bytes;
}
std::size_t peak() noexcept {
  return peak_bytes;
}
void reset_peak() noexcept {
  peak_bytes = live_bytes.load();
}
void fail(std::size_t index, bool all_after) noexcept {
  if (index != 0) failed = false;
  all_fail = all_after;
  first_failing = index == 0 ? 0 : call_count + index;
}
bool has_failed() noexcept {
  return failed;
}

}  // namespace octet::test::allocations

using namespace octet::test::allocations;

// All forms that programs call: AddressSanitizer has its own for those that are left out.
void* operator new(std::size_t bytes) {
  return allocate_or_throw(bytes, kDefault);
}
void* operator new[](std::size_t bytes) {
  return allocate_or_throw(bytes, kDefault);
}
void* operator new(std::size_t bytes, std::align_val_t alignment) {
  return allocate_or_throw(bytes, static_cast<std::size_t>(alignment));
}
void* operator new(std::size_t bytes, const std::nothrow_t&) noexcept {
  return allocate(bytes, kDefault);
}
void* operator new[](std::size_t bytes, const std::nothrow_t&) noexcept {
  return allocate(bytes, kDefault);
}
void operator delete(void* memory) noexcept {
  release(memory);
}
void operator delete[](void* memory) noexcept {
  release(memory);
}
void operator delete(void* memory, std::size_t) noexcept {
  release(memory);
}
void operator delete[](void* memory, std::size_t) noexcept {
  release(memory);
}
void operator delete(void* memory, std::align_val_t) noexcept {
  release(memory);
}
void operator delete(void* memory, std::size_t, std::align_val_t) noexcept {
  release(memory);
}
void operator delete(void* memory, const std::nothrow_t&) noexcept {
  release(memory);
}
