// SPDX-License-Identifier: Apache-2.0
// oneTBB's task_arena as an executor. The only file that includes oneTBB.
#include "engine/executor.h"

#ifdef OCTET_WITH_TBB

#include <oneapi/tbb/parallel_for.h>
#include <oneapi/tbb/task_arena.h>

#include <algorithm>
#include <atomic>
#include <limits>

namespace octet::engine {
namespace {

class TbbExecutor final : public Executor {
 public:
  explicit TbbExecutor(std::size_t threads)
      : threads_(threads),
        arena_(static_cast<int>(
            std::min<std::size_t>(threads, std::numeric_limits<std::int16_t>::max()))) {
    arena_.initialize();
  }

  std::size_t concurrency() const noexcept override { return threads_; }

  void run(std::size_t tasks, octet_task fn, void* context) noexcept override {
    std::atomic<std::size_t> next{0};
    const auto take_tasks = [&] {
      for (std::size_t task; (task = next.fetch_add(1, std::memory_order_relaxed)) < tasks;) {
        fn(context, task);
      }
    };
    try {
      arena_.execute([&] {
        tbb::parallel_for(
            std::size_t{0}, tasks, [&](std::size_t) { take_tasks(); }, tbb::simple_partitioner());
      });
    } catch (...) {
      // oneTBB could not allocate or start a thread; bodies that began have ended.
    }
    take_tasks();
  }

 private:
  const std::size_t threads_;
  tbb::task_arena arena_;
};

}  // namespace

std::unique_ptr<Executor> make_tbb_executor(std::size_t threads) {
  return std::make_unique<TbbExecutor>(threads);
}

}  // namespace octet::engine

#else

#include "engine/errors.h"

namespace octet::engine {

std::unique_ptr<Executor> make_tbb_executor(std::size_t) {
  fail(Error::Code::unsupported,
       "this build has no oneTBB; configure it with -DOCTET_WITH_TBB=ON or use the executor of "
       "std::thread");
}

}  // namespace octet::engine

#endif
