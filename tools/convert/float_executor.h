// SPDX-License-Identifier: Apache-2.0
// Runs a float graph on the engine's float kernels: the same bits for any batch size, thread count
// and CPU that has the same libm. The yardstick that int8 is measured against and the source of
// calibration ranges.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "kernels/kernels.h"
#include "tools/convert/graph.h"

namespace octet::convert {

class FloatExecutor {
 public:
  // The graph must outlive the executor. table defaults to the best of this CPU.
  explicit FloatExecutor(const Graph& graph, const kernels::Table* table = nullptr);
  ~FloatExecutor();
  FloatExecutor(FloatExecutor&&) noexcept;

  // Called for each value of the graph after it was computed, inputs included: values[i] belongs to
  // sample i / elements. The data is overwritten later in the run.
  using Observer = std::function<void(ValueId value, std::span<const float> data)>;
  // What later nodes and the caller read in its place: as many floats, which live to the end of the
  // run.
  using Replace = std::function<std::span<const float>(ValueId value, std::span<const float> data)>;

  // inputs[i]: batch * sample_elements floats. Gives the outputs in the graph's order, valid until
  // the next run. Throws octet::Error (argument) on a wrong size.
  std::vector<std::span<const float>> run(std::span<const std::span<const float>> inputs,
                                          std::size_t batch, const Observer& observe = {},
                                          const Replace& replace = {});

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace octet::convert
