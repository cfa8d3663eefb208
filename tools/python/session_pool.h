// SPDX-License-Identifier: Apache-2.0
// A model and what its runs need: an executor, and a session for each run at a time. Not safe
// between threads: Python's global interpreter lock guards it.
#pragma once

#include <octet/octet.h>
#include <sys/types.h>

#include <cstddef>
#include <memory>
#include <vector>

namespace octet::python {

class SessionPool {
 public:
  // threads >= 1 of an executor that all sessions share. Throws Error.
  SessionPool(Model model, std::size_t threads);
  SessionPool(const SessionPool&) = delete;
  SessionPool& operator=(const SessionPool&) = delete;
  ~SessionPool();

  const Model& model() const noexcept { return model_; }

  // A session that no other run has. Throws Error.
  Session take();
  void give_back(Session session) noexcept;

 private:
  void forget_threads_of_parent() noexcept;

  Model model_;
  std::unique_ptr<Executor> executor_;  // null for one thread
  pid_t process_;                       // that made it
  std::size_t sessions_ = 0;
  std::vector<Session> idle_;  // with room for all sessions
};

}  // namespace octet::python
