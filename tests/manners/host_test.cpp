// SPDX-License-Identifier: Apache-2.0
// What loading, running and failing leave of a host as it was: signal handlers, standard output,
// open files, threads, environment; idle threads; files that shrink.
#include <doctest/doctest.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <clocale>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <filesystem>
#include <thread>

#include "tests/engine/test_error.h"
#include "tests/manners/interposed.h"
#include "tests/manners/network.h"

namespace octet::test::host_manners_test {
namespace {

constexpr int kSignals = 65;

struct Process {
  std::array<struct sigaction, kSignals> actions{};
  sigset_t blocked{};
  std::string locale;
  std::size_t files = 0;
  std::size_t threads = 0;
  mode_t mask = 0;
};

std::size_t entries(const char* folder) {
  const std::filesystem::directory_iterator begin(folder);
  return static_cast<std::size_t>(std::distance(begin, {}));
}

Process state() {
  Process now;
  for (int i = 1; i < kSignals; ++i)
    ::sigaction(i, nullptr, &now.actions[static_cast<std::size_t>(i)]);
  ::pthread_sigmask(SIG_BLOCK, nullptr, &now.blocked);
  now.locale = std::setlocale(LC_ALL, nullptr);
  now.files = entries("/proc/self/fd");
  now.threads = entries("/proc/self/task");
  now.mask = ::umask(0);
  ::umask(now.mask);
  return now;
}

void check_same(const Process& now, const Process& before) {
  for (std::size_t i = 1; i < kSignals; ++i) {
    CAPTURE(i);
    CHECK(bool{now.actions[i].sa_handler == before.actions[i].sa_handler});
    CHECK(now.actions[i].sa_flags == before.actions[i].sa_flags);
  }
  CHECK(std::memcmp(&now.blocked, &before.blocked, sizeof now.blocked) == 0);
  CHECK(now.locale == before.locale);
  CHECK(now.files == before.files);
  CHECK(now.threads == before.threads);
  CHECK(now.mask == before.mask);
}

// Everything that a host may do with octet, and every kind of mistake.
void use_octet(const std::string& good, const TemporaryFolder& folder) {
  for (const int copy : {0, 1}) {
    LoadOptions options{};
    options.copy = copy;
    Host host(good, options);
    CHECK(host.run() == OCTET_OK);
    CHECK(host.session.run(Input{}, Output{}) == OCTET_ARGUMENT);
    options.isa = "abacus";
    CHECK(error_of([&] { Model::load(good, options); }).starts_with("cpu: "));
    options = {};
    options.copy = copy;
    options.limits.arena_bytes = 64;
    CHECK(error_of([&] { Model::load(good, options); }).starts_with("limit: "));
    options = {};
    options.copy = copy;
    CHECK(error_of([&] { Model::load(folder / "none", options); }).starts_with("io: "));
    CHECK(error_of([&] { Model::load(folder.path(), options); }).starts_with("io: "));
    const std::string damaged =
        folder.write("damaged", folder.read("mlp.octet").replace(99, 1, "?"));
    CHECK(error_of([&] { Model::load(damaged, options); }).starts_with("format: "));
    const std::string cut = folder.write("cut", folder.read("mlp.octet").substr(0, 5000));
    CHECK(error_of([&] { Model::load(cut, options); }).starts_with("format: "));
  }
  const Executor executor = Executor::threads(3);
  Host host(good, executor);
  CHECK(host.run() == OCTET_OK);
  CHECK(error_of([&] { Executor::threads(0); }).starts_with("argument: "));
  CHECK(error_of([&] { Executor::threads(100000); }).starts_with("limit: "));
}

// Sends a descriptor to memory for a scope, and knows how many bytes came.
class Captured {
 public:
  explicit Captured(int descriptor)
      : descriptor_(descriptor),
        before_(::dup(descriptor)),
        memory_(::memfd_create("captured", 0)) {
    ::dup2(memory_, descriptor_);
  }
  Captured(const Captured&) = delete;
  Captured& operator=(const Captured&) = delete;
  ~Captured() {
    ::dup2(before_, descriptor_);
    ::close(before_);
    ::close(memory_);
  }
  long bytes() const {
    struct stat info {};
    ::fstat(memory_, &info);
    return static_cast<long>(info.st_size);
  }

 private:
  int descriptor_;
  int before_;
  int memory_;
};

double cpu_seconds() {
  timespec time{};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
}

}  // namespace

TEST_CASE("signals, files, threads and the locale are as they were") {
  const TemporaryFolder folder;
  const std::string path = folder.write("mlp.octet", mnist_like());
  const Process before = state();
  use_octet(path, folder);
  // A thread that was joined may stay in /proc for a moment.
  for (int i = 0; i < 1000 && entries("/proc/self/task") > before.threads; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  check_same(state(), before);
}

TEST_CASE("nothing is printed") {
  const TemporaryFolder folder;
  const std::string path = folder.write("mlp.octet", mnist_like());
  std::fflush(nullptr);
  long written = 0;
  {
    const Captured out(STDOUT_FILENO);
    const Captured err(STDERR_FILENO);
    use_octet(path, folder);
    std::fflush(nullptr);
    written = out.bytes() + err.bytes();
  }
  CHECK(written == 0);
}

TEST_CASE("of the environment, loading asks for OCTET_ISA alone; nothing asks afterwards") {
  const TemporaryFolder folder;
  const std::string path = folder.write("mlp.octet", mnist_like());
  take_environment_names();
  const Model model = Model::load(path);
  CHECK(take_environment_names() == std::vector<std::string>{"OCTET_ISA"});
  LoadOptions options{};
  options.isa = model.isa();
  Host host(path, options);
  CHECK(host.run() == OCTET_OK);
  const Executor executor = Executor::threads(2);
  Session another(host.model, executor);
  CHECK(take_environment_names().empty());
}

TEST_CASE("idle threads of an executor use no CPU") {
  const TemporaryFolder folder;
  const Executor executor = Executor::threads(4);
  Host host(folder.write("mlp.octet", mnist_like()), executor);
  CHECK(host.run() == OCTET_OK);
  const octet_executor* threads = executor.handle();
  std::atomic<int> calls{0};
  threads->run(
      threads->self, 4, [](void* count, std::size_t) { ++*static_cast<std::atomic<int>*>(count); },
      &calls);
  CHECK(calls == 4);
  std::this_thread::sleep_for(std::chrono::milliseconds(20));  // until they lie down
  const double before = cpu_seconds();
  std::this_thread::sleep_for(std::chrono::milliseconds(200));
  const double used = cpu_seconds() - before;
  std::printf("3 idle threads of an executor: %.3f ms of CPU time in 200 ms\n", used * 1e3);
  CHECK(used < 0.02);  // one that spins uses 0.2
}

TEST_CASE("a file may shrink once it is loaded, mapped or copied") {
  const TemporaryFolder folder;
  for (const int copy : {0, 1}) {
    const std::string path = folder.write("mlp.octet", mnist_like());
    LoadOptions options{};
    options.copy = copy;
    Host host(path, options);
    CHECK(host.run() == OCTET_OK);
    const auto expected = host.outputs();
    REQUIRE(::truncate(path.c_str(), 0) == 0);
    Session another(host.model);
    CHECK(host.run() == OCTET_OK);
    CHECK(host.outputs() == expected);
  }
}

TEST_CASE("a file that shrinks while it is copied is an error of its own") {
  const TemporaryFolder folder;
  const auto bytes = mnist_like();
  LoadOptions options{};
  options.copy = 1;
  for (const long left : {0L, 1000L, static_cast<long>(bytes.size()) - 1}) {
    const std::string path = folder.write("mlp.octet", bytes);
    before_next_read([&] { CHECK(::truncate(path.c_str(), left) == 0); });
    CHECK(error_of([&] { Model::load(path, options); }) ==
          "io: " + path + ": was shortened from " + std::to_string(bytes.size()) + " to " +
              std::to_string(left) + " bytes while it was read");
  }
}

// A page takes longer to come than a small network to run.
TEST_CASE("sessions take no page of their arenas before they run") {
  const TemporaryFolder folder;
  const Model model = Model::load(folder.write("mlp.octet", mnist_like()));
  constexpr std::size_t kSessions = 64;  // more than memory that was freed before can hold
  const std::size_t pages = kSessions * octet_session_arena_bytes(model.handle(), 1) / 4096;
  std::vector<Session> sessions;
  sessions.reserve(kSessions);
  rusage before{};
  rusage after{};
  ::getrusage(RUSAGE_THREAD, &before);
  for (std::size_t i = 0; i < kSessions; ++i) sessions.emplace_back(model);
  ::getrusage(RUSAGE_THREAD, &after);
  CHECK(static_cast<std::size_t>(after.ru_minflt - before.ru_minflt) < pages / 8);
}

}  // namespace octet::test::host_manners_test
