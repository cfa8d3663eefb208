// SPDX-License-Identifier: Apache-2.0
// The executors of this build.
#pragma once

#include <doctest/doctest.h>
#include <octet/octet.h>

#include <memory>
#include <vector>

#include "engine/executor.h"

namespace octet::test {

using MakeExecutor = std::unique_ptr<engine::Executor> (*)(std::size_t);

inline std::vector<MakeExecutor> executor_makers() {
  std::vector<MakeExecutor> result = {engine::make_thread_executor};
  try {
    engine::make_tbb_executor(1);
    result.push_back(engine::make_tbb_executor);
  } catch (const octet::Error& error) {
    CHECK(error.code() == octet::Error::Code::unsupported);
  }
  return result;
}

}  // namespace octet::test
