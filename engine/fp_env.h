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
// compilers move float operations across the change. Nothing is written that is so already: another
// value in MXCSR takes an Emerald Rapids 22 ns, as long as a small layer; the same one, or reading
// it, takes nothing.
class FloatEnvironment {
 public:
#if defined(__x86_64__)
  FloatEnvironment() noexcept : mxcsr_(_mm_getcsr()) {
    if ((mxcsr_ & ~kFlags) != kControl) _mm_setcsr(kControl);
  }
  ~FloatEnvironment() {
    if (_mm_getcsr() != mxcsr_) _mm_setcsr(mxcsr_);
  }
#elif defined(__aarch64__)
  FloatEnvironment() noexcept {
    __asm__ volatile("mrs %0, fpcr\n\tmrs %1, fpsr" : "=r"(fpcr_), "=r"(fpsr_));
    if (fpcr_ != 0) __asm__ volatile("msr fpcr, %0" : : "r"(std::uint64_t{0}) : "memory");
  }
  ~FloatEnvironment() {
    std::uint64_t fpsr;
    if (fpcr_ != 0) __asm__ volatile("msr fpcr, %0" : : "r"(fpcr_) : "memory");
    __asm__ volatile("mrs %0, fpsr" : "=r"(fpsr) : : "memory");
    if (fpsr != fpsr_) __asm__ volatile("msr fpsr, %0" : : "r"(fpsr_) : "memory");
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
  static constexpr unsigned kFlags = 0x3f;      // sticky
  static constexpr unsigned kControl = 0x1f80;  // what is to be set, no flag raised
  unsigned mxcsr_;
#elif defined(__aarch64__)
  std::uint64_t fpcr_;
  std::uint64_t fpsr_;
#else
  std::fenv_t host_;
#endif
};

}  // namespace octet::engine
