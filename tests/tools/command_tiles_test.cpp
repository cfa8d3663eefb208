// SPDX-License-Identifier: Apache-2.0
// Linux may refuse tiles to a process: then the best table is the next one. Here a seccomp filter
// refuses, which outlives exec.
#if defined(__x86_64__) && defined(__linux__)
#include <doctest/doctest.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>

#include "kernels/dispatch.h"
#include "tests/tools/shell.h"

namespace octet::test::command_tiles_test {

namespace {

// From now on arch_prctl(ARCH_REQ_XCOMP_PERM, ...) gives EPERM in this process and its children.
bool refuse_tiles() {
  sock_filter code[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_arch_prctl, 0, 3),
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, args)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0x1023, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  const sock_fprog program{static_cast<unsigned short>(std::size(code)), code};
  return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
         prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

// In a child: 0 if the command chooses another table and runs it, and refuses amx_int8 by name.
int check_refused() {
  if (!refuse_tiles()) return 2;
  const auto cpu = octet_command({"cpu", "--json"}, "OCTET_ISA=").json();
  if (cpu["features"]["amx_int8"] != true || cpu["chosen"] != "avx512vnni") return 3;
  if (octet_command({"bench", "--kernels", "64,100,100"}, "OCTET_ISA=").status != 0) return 4;
  const Result forced = octet_command({"bench", "--kernels", "64,100,100"}, "OCTET_ISA=amx_int8");
  return fails_cleanly(forced, 1) && forced.says("Linux refuses") ? 0 : 5;
}

}  // namespace

TEST_CASE("command: without leave to use tiles the best table is avx512vnni") {
  if (!kernels::detect_cpu().amx_int8) {
    MESSAGE("SKIPPED: this machine has no AMX");
    return;
  }
  const pid_t child = fork();
  REQUIRE(child >= 0);
  if (child == 0) _exit(check_refused());
  int status = 0;
  REQUIRE(waitpid(child, &status, 0) == child);
  REQUIRE(WIFEXITED(status));
  if (WEXITSTATUS(status) == 2) {
    MESSAGE("SKIPPED: no seccomp filter is possible here");
    return;
  }
  CHECK(WEXITSTATUS(status) == 0);
}

}  // namespace octet::test::command_tiles_test

#endif
