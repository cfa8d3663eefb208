// SPDX-License-Identifier: Apache-2.0
// Sessions are made when all others run, and kept.
#include "tools/python/session_pool.h"

#include <unistd.h>

#include <utility>

#include "tools/command/network.h"

namespace octet::python {

SessionPool::SessionPool(Model model, std::size_t threads)
    : model_(std::move(model)), process_(::getpid()) {
  if (auto executor = command::make_executor(threads)) {
    executor_ = std::make_unique<Executor>(std::move(*executor));
  }
}

SessionPool::~SessionPool() {
  forget_threads_of_parent();
}

Session SessionPool::take() {
  forget_threads_of_parent();
  if (idle_.empty()) {
    idle_.reserve(sessions_ + 1);
    Session session = executor_ ? Session(model_, *executor_) : Session(model_);
    ++sessions_;
    return session;
  }
  Session session = std::move(idle_.back());
  idle_.pop_back();
  return session;
}

void SessionPool::give_back(Session session) noexcept {
  idle_.push_back(std::move(session));
}

// A process that was forked has none of the executor's threads: waiting for them would not end.
// Its runs are on the calling thread.
void SessionPool::forget_threads_of_parent() noexcept {
  if (!executor_ || process_ == ::getpid()) return;
  idle_.clear();
  static_cast<void>(executor_.release());  // its destruction would join them
}

}  // namespace octet::python
