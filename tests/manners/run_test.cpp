// SPDX-License-Identifier: Apache-2.0
// octet_session_run() on one thread, a million times: no allocation, lock, system call or look at
// the environment; the host's floating-point control word and errno stay. Shows how long runs took.
#include <doctest/doctest.h>
#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <mutex>

#include "kernels/dispatch.h"
#include "tests/engine/host_control.h"
#include "tests/manners/interposed.h"
#include "tests/manners/network.h"
#include "tests/manners/system_calls.h"

namespace octet::test::run_manners_test {
namespace {

constexpr int kRuns = 1000000;
constexpr int kErrno = 4242;

struct Report {
  Calls calls;
  int runs = 0;
  int failed = 0;
  int errno_changed = 0;
  int control_changed = 0;
};

// Runs in a process that may not enter the kernel; from the first run on. Upward rounding and
// flushed denormals, of which a run must leave no trace.
void run_quietly(Host& host, int runs, Report& report) {
#if OCTET_HAS_HOST_CONTROL
  const HostControl control(kControls[6]);
  const Control before = get_control();
#endif
  const Calls first = calls_so_far();
  errno = kErrno;
  for (; report.runs < runs; ++report.runs) {
    report.failed += host.run() != OCTET_OK;
    report.errno_changed += errno != kErrno;
#if OCTET_HAS_HOST_CONTROL
    report.control_changed += get_control() != before;
#endif
  }
  const Calls last = calls_so_far();
  report.calls = {last.allocations - first.allocations, last.locks - first.locks,
                  last.environment - first.environment};
}

void check_quiet(const std::string& path, int runs, const char* isa, std::size_t offset = 0) {
  CAPTURE(path);
  CAPTURE(std::string(isa));
  LoadOptions options{};
  options.isa = isa;
  Host host(path, options, offset);
  const auto observed = observe<Report>([&](Report& report) { run_quietly(host, runs, report); });
  CHECK(observed.finished);
  CHECK(observed.report.runs == runs);
  CHECK(observed.report.failed == 0);
  CHECK(observed.report.errno_changed == 0);
  CHECK(observed.report.control_changed == 0);
  CHECK(observed.report.calls.allocations == 0);
  CHECK(observed.report.calls.locks == 0);
  CHECK(observed.report.calls.environment == 0);
  CHECK(observed.system_calls.count == 0);
  CHECK(observed.system_calls.first == -1);  // its number in <sys/syscall.h>
}

// Whether a test case can count system calls; it skips itself where not.
bool can_observe() {
  const bool can = observe<int>([](int&) {}).allowed;
  if (!can) std::printf("SKIPPED: this kernel has no seccomp filters\n");
  return can;
}

}  // namespace

TEST_CASE("what this program counts, it counts") {
  if (!can_observe()) return;
  static std::mutex mutex;
  const auto observed = observe<Report>([](Report& report) {
    const Calls first = calls_so_far();
    void* volatile memory = std::malloc(1);  // or compilers leave it out
    std::free(memory);
    memory = ::operator new(1);
    ::operator delete(memory);
    const Calls allocated = calls_so_far();
    { const std::lock_guard lock(mutex); }
    const Calls locked = calls_so_far();
    std::getenv("HOME");
    report.calls = {allocated.allocations - first.allocations, locked.locks - allocated.locks,
                    calls_so_far().environment - locked.environment};
    ::getppid();
    ::getpid();
  });
  CHECK(observed.finished);
  CHECK(observed.report.calls.allocations == 4);
  CHECK(observed.report.calls.locks == 2);
  CHECK(observed.report.calls.environment == 1);
  CHECK(observed.system_calls.count == 2);
}

TEST_CASE("a million runs of one sample on one thread ask the system for nothing") {
  if (!can_observe()) return;
  const TemporaryFolder folder;
  const std::string path = folder.write("mlp.octet", mnist_like());
  check_quiet(path, kRuns, kernels::best_table(kernels::detect_cpu()).name);
}

TEST_CASE("nor does any op on any kernel table, aligned or not") {
  if (!can_observe()) return;
  const TemporaryFolder folder;
  const std::string golden = OCTET_SOURCE_DIR "/tests/golden/v";
  for (const std::string& path : {folder.write("mlp.octet", mnist_like()), golden + "1.octet",
                                  golden + "2.octet", golden + "3.octet"}) {
    for (const auto* table : kernels::tables()) {
      if (!kernels::runs_here(*table, kernels::detect_cpu())) continue;
      check_quiet(path, 100, table->name, 0);
      check_quiet(path, 100, table->name, 1);
    }
  }
}

// Shown, not asserted: other programs use this machine too.
TEST_CASE("how long runs of one sample take") {
  const TemporaryFolder folder;
  Host host(folder.write("mlp.octet", mnist_like()));
  cpu_set_t before;
  REQUIRE(::sched_getaffinity(0, sizeof before, &before) == 0);
  const int core = ::sched_getcpu();
  cpu_set_t one;
  CPU_ZERO(&one);
  CPU_SET(static_cast<std::size_t>(core), &one);
  const bool pinned = ::sched_setaffinity(0, sizeof one, &one) == 0;
  using Clock = std::chrono::steady_clock;
  std::vector<std::int64_t> ns(kRuns);
  for (int i = 0; i < 1000; ++i) host.run();
  for (auto& time : ns) {
    const auto start = Clock::now();
    host.run();
    time = std::chrono::nanoseconds(Clock::now() - start).count();
  }
  ::sched_setaffinity(0, sizeof before, &before);
  std::sort(ns.begin(), ns.end());
  const std::int64_t median = ns[kRuns / 2];
  const std::int64_t p99 = ns[kRuns / 100 * 99];
  CHECK(ns.front() > 0);
  std::printf(
      "784-100-100-10, %s, %s core %d, %d runs of one sample: median %lld ns, p99 %lld ns "
      "(%.2f medians), longest %lld ns\n",
      host.model.isa(), pinned ? "pinned to" : "not pinned, on", core, kRuns,
      static_cast<long long>(median), static_cast<long long>(p99),
      static_cast<double>(p99) / static_cast<double>(median), static_cast<long long>(ns.back()));
}

}  // namespace octet::test::run_manners_test
