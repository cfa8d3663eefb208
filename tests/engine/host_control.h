// SPDX-License-Identifier: Apache-2.0
// The host's floating-point control word and its sticky flags: MXCSR on x86, FPCR and above it FPSR
// on 64-bit ARM. OCTET_HAS_HOST_CONTROL says whether this CPU has one that is known here.
#pragma once

#if defined(__x86_64__)
#include <xmmintrin.h>
#define OCTET_HAS_HOST_CONTROL 1
#elif defined(__aarch64__)
#include <cstdint>
#define OCTET_HAS_HOST_CONTROL 1
#else
#define OCTET_HAS_HOST_CONTROL 0
#endif

namespace octet::test {

#if defined(__x86_64__)

using Control = unsigned;
inline Control get_control() {
  return _mm_getcsr();
}
inline void set_control(Control control) {
  _mm_setcsr(control);
}
// The four rounding modes, with and without FTZ and DAZ; either alone; one with sticky flags set;
// one that traps denormals.
inline constexpr Control kControls[] = {0x1f80, 0x3f80, 0x5f80, 0x7f80, 0x9fc0, 0xbfc0,
                                        0xdfc0, 0xffc0, 0x9f80, 0x1fc0, 0x1fbf, 0x1e80};

#elif defined(__aarch64__)

using Control = std::uint64_t;
inline Control get_control() {
  Control control;
  Control flags;
  __asm__ volatile("mrs %0, fpcr\n\tmrs %1, fpsr" : "=r"(control), "=r"(flags) : : "memory");
  return flags << 32 | control;
}
inline void set_control(Control control) {
  __asm__ volatile("msr fpcr, %0\n\tmsr fpsr, %1"
                   :
                   : "r"(control & 0xffffffff), "r"(control >> 32)
                   : "memory");
}
// RMode in bits 22 and 23, FZ in 24, DN in 25; one with all sticky flags but one.
inline constexpr Control kControls[] = {0x0000000, 0x0400000, 0x0800000,
                                        0x0c00000, 0x1000000, 0x1400000,
                                        0x1800000, 0x3c00000, 0x0800008f00000000};

#endif

#if OCTET_HAS_HOST_CONTROL

// Sets a control word for a scope.
class HostControl {
 public:
  explicit HostControl(Control control) : before_(get_control()) { set_control(control); }
  HostControl(const HostControl&) = delete;
  HostControl& operator=(const HostControl&) = delete;
  ~HostControl() { set_control(before_); }

 private:
  Control before_;
};

#endif

}  // namespace octet::test
