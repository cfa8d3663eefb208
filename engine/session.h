// SPDX-License-Identifier: Apache-2.0
// A session: the arena of one run at a time, and the run itself.
#pragma once

#include <octet/octet_c.h>

#include <atomic>
#include <cstddef>
#include <memory>
#include <span>

#include "engine/arena.h"
#include "engine/model.h"
#include "engine/schedule.h"

struct octet_session {
 public:
  // Throws octet::Error (argument: the arena or the executor is not usable), std::bad_alloc.
  octet_session(std::shared_ptr<const octet::engine::Model> model,
                const octet_session_options& options);

  // octet_session_run().
  octet_status run(std::span<const octet_input> inputs, std::span<const octet_output> outputs,
                   std::size_t batch) noexcept;

 private:
  struct Run;
  bool is_valid(std::span<const octet_input> inputs, std::span<const octet_output> outputs,
                std::size_t batch) const noexcept;

  std::shared_ptr<const octet::engine::Model> model_;
  octet_executor executor_{};
  std::size_t concurrency_ = 1;
  octet::engine::AlignedBuffer own_arena_;
  std::byte* arena_ = nullptr;
};
