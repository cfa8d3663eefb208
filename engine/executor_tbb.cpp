// SPDX-License-Identifier: Apache-2.0
// oneTBB's task_arena as an executor. The only file that includes oneTBB.
#include "engine/executor.h"

#ifdef OCTET_WITH_TBB

#include <oneapi/tbb/global_control.h>
#include <oneapi/tbb/info.h>
#include <oneapi/tbb/parallel_for.h>
#include <oneapi/tbb/task_arena.h>

#include <algorithm>
#include <atomic>
#include <optional>

namespace octet::engine {
namespace {

class TbbExecutor final : public Executor {
 public:
  explicit TbbExecutor(std::size_t threads) : threads_(threads) {
    // oneTBB starts a thread per core and prints a warning when asked for more.
    using tbb::global_control;
    if (threads > static_cast<std::size_t>(tbb::info::default_concurrency())) {
      more_threads_.emplace(global_control::max_allowed_parallelism, threads);
    }
    const std::size_t allowed =
        global_control::active_value(global_control::max_allowed_parallelism);
    arena_.initialize(static_cast<int>(std::min(threads, allowed)));
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
  std::optional<tbb::global_control> more_threads_;
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
