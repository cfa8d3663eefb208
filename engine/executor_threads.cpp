// SPDX-License-Identifier: Apache-2.0
// A pool of std::thread. A thread that sleeps, worker or caller, takes about 25 us to wake on
// Linux, longer than many layers take: workers spin for a while after their last task, as the
// caller does for the last tasks of others, and sleep only then. Nothing waits for a worker that
// has no task, so that a run ends although workers sleep, are busy elsewhere or, after fork, are
// not there.
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <thread>
#include <vector>

#include "engine/executor.h"

namespace octet::engine {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::microseconds kSpin{100};

void relax_cpu() noexcept {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

// Spins until done() or the deadline; whether it is done. Yields, for there may be fewer cores than
// threads.
template <class Done>
bool spin(Clock::time_point deadline, Done done) noexcept {
  do {
    for (int i = 0; i < 32; ++i) {
      if (done()) return true;
      relax_cpu();
    }
    std::this_thread::yield();
  } while (Clock::now() < deadline);
  return done();
}

class ThreadExecutor final : public Executor {
 public:
  explicit ThreadExecutor(std::size_t threads) {
    try {
      while (workers_.size() + 1 < threads) workers_.emplace_back([this] { serve(); });
    } catch (...) {
      stop();
      throw;
    }
  }
  ~ThreadExecutor() override { stop(); }

  std::size_t concurrency() const noexcept override { return workers_.size() + 1; }

  void run(std::size_t tasks, octet_task fn, void* context) noexcept override {
    // A run within a task, or beside another session's run, does its work itself: the workers are
    // taken, and waiting for them could wait for this very thread.
    if (tasks <= 1 || workers_.empty() || busy_.exchange(true, std::memory_order_acquire)) {
      for (std::size_t task = 0; task < tasks; ++task) fn(context, task);
      return;
    }
    fn_ = fn;
    context_ = context;
    // The first task is the caller's: a session's parts stay with their core from run to run.
    const std::size_t others = tasks - 1;
    unfinished_.store(static_cast<std::uint32_t>(others), std::memory_order_relaxed);
    const std::uint64_t next_run = (work_.load(std::memory_order_relaxed) >> 32) + 1;
    work_.store(next_run << 32 | others);
    signal_.fetch_add(1);
    const std::size_t useful = std::min(others, workers_.size());
    for (std::size_t awake = awake_.load(); awake < useful; ++awake) signal_.notify_one();
    fn(context, 0);
    take_tasks();
    const auto done = [this] { return unfinished_.load(std::memory_order_acquire) == 0; };
    if (!spin(Clock::now() + kSpin, done)) {
      while (const std::uint32_t left = unfinished_.load(std::memory_order_acquire)) {
        unfinished_.wait(left, std::memory_order_acquire);
      }
    }
    busy_.store(false, std::memory_order_release);
  }

 private:
  bool has_work() const noexcept { return static_cast<std::uint32_t>(work_.load()) != 0; }

  // Whether there was one. Whoever counts work_ down has a task, for which run() waits: fn_ and
  // context_ are this run's until the task is done.
  bool take_tasks() noexcept {
    bool took = false;
    std::uint64_t work = work_.load();
    while (const auto left = static_cast<std::uint32_t>(work)) {
      if (!work_.compare_exchange_weak(work, work - 1)) continue;
      fn_(context_, left);
      if (unfinished_.fetch_sub(1, std::memory_order_acq_rel) == 1) unfinished_.notify_one();
      took = true;
      work = work_.load();
    }
    return took;
  }

  // The order of work_, signal_ and awake_ is sequential consistency: either run() finds this
  // worker asleep and wakes it, or the worker's last look finds the work.
  void serve() noexcept {
    const auto is_called = [this] { return has_work() || stopped_.load(); };
    awake_.fetch_add(1);
    Clock::time_point deadline = Clock::now() + kSpin;
    while (!stopped_.load()) {
      if (take_tasks()) deadline = Clock::now() + kSpin;
      if (spin(deadline, is_called)) continue;
      awake_.fetch_sub(1);
      const std::uint32_t signal = signal_.load();
      if (!is_called()) signal_.wait(signal);
      awake_.fetch_add(1);
      deadline = Clock::now() + kSpin;
    }
  }

  void stop() noexcept {
    // After fork there are no threads to join or detach: what stands for them is left alone.
    if (getpid() != process_) {
      new std::vector<std::thread>(std::move(workers_));
      return;
    }
    stopped_.store(true);
    signal_.fetch_add(1);
    signal_.notify_all();
    for (std::thread& worker : workers_) worker.join();
  }

  const pid_t process_ = getpid();
  std::atomic<bool> busy_{false};
  std::atomic<bool> stopped_{false};
  octet_task fn_ = nullptr;
  void* context_ = nullptr;
  // The run's number in the upper half, below it the last task that nobody has taken, or 0.
  std::atomic<std::uint64_t> work_{0};
  std::atomic<std::uint32_t> unfinished_{0};  // of the workers' tasks
  std::atomic<std::uint32_t> signal_{0};      // changes with each run; workers sleep on it
  std::atomic<std::size_t> awake_{0};         // workers that will look at work_ unwoken
  std::vector<std::thread> workers_;
};

}  // namespace

std::unique_ptr<Executor> make_thread_executor(std::size_t threads) {
  return std::make_unique<ThreadExecutor>(threads);
}

}  // namespace octet::engine
