# SPDX-License-Identifier: Apache-2.0
# Cross-builds for 64-bit ARM on Debian: its cross compiler, arm64 libraries by multiarch, qemu to
# run the tests. QEMU_CPU chooses the emulated CPU (max, cortex-a76, cortex-a72).
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR aarch64)
set(CMAKE_C_COMPILER aarch64-linux-gnu-gcc)
set(CMAKE_CXX_COMPILER aarch64-linux-gnu-g++)
set(CMAKE_LIBRARY_ARCHITECTURE aarch64-linux-gnu)

# Headers are shared between architectures (/usr/include); the host's libraries must stay unseen.
set(CMAKE_IGNORE_PREFIX_PATH /usr/local)
set(CMAKE_IGNORE_PATH /usr/lib/x86_64-linux-gnu /lib/x86_64-linux-gnu)
set(ENV{PKG_CONFIG_LIBDIR} /usr/lib/aarch64-linux-gnu/pkgconfig:/usr/share/pkgconfig)

# Without -L: the arm64 libraries come with a C library of their own, and qemu hangs when they meet
# the one of the cross compiler.
set(CMAKE_CROSSCOMPILING_EMULATOR qemu-aarch64-static)
