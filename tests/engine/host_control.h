// SPDX-License-Identifier: Apache-2.0
// The host's floating-point control word: MXCSR on x86, FPCR on 64-bit ARM. OCTET_HAS_HOST_CONTROL
// says whether this CPU has one that is known here.
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
// The four rounding modes, with and without FTZ and DAZ; one with sticky flags set.
inline constexpr Control kControls[] = {0x1f80, 0x3f80, 0x5f80, 0x7f80, 0x9fc0,
                                        0xbfc0, 0xdfc0, 0xffc0, 0x1fbf};

#elif defined(__aarch64__)

using Control = std::uint64_t;
inline Control get_control() {
  Control control;
  __asm__ volatile("mrs %0, fpcr" : "=r"(control));
  return control;
}
inline void set_control(Control control) {
  __asm__ volatile("msr fpcr, %0" : : "r"(control) : "memory");
}
// RMode in bits 22 and 23, FZ in 24, DN in 25.
inline constexpr Control kControls[] = {0x0000000, 0x0400000, 0x0800000, 0x0c00000,
                                        0x1000000, 0x1400000, 0x1800000, 0x3c00000};

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
