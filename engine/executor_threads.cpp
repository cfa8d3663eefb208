// SPDX-License-Identifier: Apache-2.0
// A pool of std::thread whose workers sleep between runs.
#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <vector>

#include "engine/executor.h"

namespace octet::engine {
namespace {

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
    std::unique_lock lock(mutex_);
    fn_ = fn;
    context_ = context;
    next_ = 0;
    tasks_ = unfinished_ = tasks;
    lock.unlock();
    for (std::size_t i = 1; i < tasks; ++i) wake_.notify_one();
    lock.lock();
    take_tasks(lock);
    done_.wait(lock, [this] { return unfinished_ == 0; });
    lock.unlock();
    busy_.store(false, std::memory_order_release);
  }

 private:
  void take_tasks(std::unique_lock<std::mutex>& lock) noexcept {
    while (next_ < tasks_) {
      const std::size_t task = next_++;
      lock.unlock();
      fn_(context_, task);
      lock.lock();
      if (--unfinished_ == 0) done_.notify_one();
    }
  }

  void serve() noexcept {
    std::unique_lock lock(mutex_);
    while (true) {
      wake_.wait(lock, [this] { return stopped_ || next_ < tasks_; });
      if (stopped_) return;
      take_tasks(lock);
    }
  }

  void stop() noexcept {
    {
      const std::lock_guard lock(mutex_);
      stopped_ = true;
    }
    wake_.notify_all();
    for (std::thread& worker : workers_) worker.join();
  }

  std::atomic<bool> busy_{false};
  std::mutex mutex_;  // guards what follows, up to the workers
  std::condition_variable wake_;
  std::condition_variable done_;
  octet_task fn_ = nullptr;
  void* context_ = nullptr;
  std::size_t tasks_ = 0;
  std::size_t next_ = 0;
  std::size_t unfinished_ = 0;
  bool stopped_ = false;
  std::vector<std::thread> workers_;
};

}  // namespace

std::unique_ptr<Executor> make_thread_executor(std::size_t threads) {
  return std::make_unique<ThreadExecutor>(threads);
}

}  // namespace octet::engine
