// SPDX-License-Identifier: Apache-2.0
// The executors that ship with octet, behind the struct of functions that sessions see.
#pragma once

#include <octet/octet_c.h>

#include <cstddef>
#include <memory>

namespace octet::engine {

// May be used by several threads at a time, and from within its own tasks.
class Executor {
 public:
  virtual ~Executor() = default;
  // Tasks that may run at the same time, the calling thread's included.
  virtual std::size_t concurrency() const noexcept = 0;
  // Calls fn(context, task) once for each task in [0, tasks), in any order; returns when all are
  // done. tasks <= concurrency().
  virtual void run(std::size_t tasks, octet_task fn, void* context) noexcept = 0;
};

// threads >= 1, the calling thread included. Throw std::system_error or std::bad_alloc; make_tbb
// throws octet::Error (unsupported) in a build without oneTBB.
std::unique_ptr<Executor> make_thread_executor(std::size_t threads);
std::unique_ptr<Executor> make_tbb_executor(std::size_t threads);

}  // namespace octet::engine
