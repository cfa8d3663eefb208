// SPDX-License-Identifier: Apache-2.0
// The floating-point environment that octet's arithmetic is defined in: round to nearest even,
// denormals neither flushed nor taken for zero, no traps.
#pragma once

#if defined(__x86_64__)
#include <xmmintrin.h>
#elif defined(__aarch64__)
#include <cstdint>
#else
#include <cfenv>
#endif

namespace octet::engine {

// Sets that environment in the calling thread; the destructor restores what the host had, its
// sticky flags included. Arithmetic that depends on it must be behind a call that is not inlined:
// compilers move float operations across the change.
class FloatEnvironment {
 public:
#if defined(__x86_64__)
  FloatEnvironment() noexcept : mxcsr_(_mm_getcsr()) {
    _mm_setcsr(0x1f80);
  }
  ~FloatEnvironment() {
    _mm_setcsr(mxcsr_);
  }
#elif defined(__aarch64__)
  FloatEnvironment() noexcept {
    __asm__ volatile("mrs %0, fpcr\n\tmrs %1, fpsr" : "=r"(fpcr_), "=r"(fpsr_));
    __asm__ volatile("msr fpcr, %0" : : "r"(std::uint64_t{0}) : "memory");
  }
  ~FloatEnvironment() {
    __asm__ volatile("msr fpcr, %0\n\tmsr fpsr, %1" : : "r"(fpcr_), "r"(fpsr_) : "memory");
  }
#else
  FloatEnvironment() noexcept {
    std::feholdexcept(&host_);
    std::fesetround(FE_TONEAREST);
  }
  ~FloatEnvironment() {
    std::fesetenv(&host_);
  }
#endif
  FloatEnvironment(const FloatEnvironment&) = delete;
  FloatEnvironment& operator=(const FloatEnvironment&) = delete;

 private:
#if defined(__x86_64__)
  unsigned mxcsr_;
#elif defined(__aarch64__)
  std::uint64_t fpcr_;
  std::uint64_t fpsr_;
#else
  std::fenv_t host_;
#endif
};

}  // namespace octet::engine
