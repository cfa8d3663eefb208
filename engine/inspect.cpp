// SPDX-License-Identifier: Apache-2.0
// inspect(): the plan in words.
#include "engine/inspect.h"

#include "engine/model.h"

namespace octet::engine {

ModelInfo inspect(const octet_model* model) {
  const Plan& plan = model->model->plan;
  return {plan.nodes, plan.block_samples, plan.task_bytes};
}

}  // namespace octet::engine
