// SPDX-License-Identifier: Apache-2.0
// Creating a model from a checked graph, and choosing its kernel table.
#include "engine/model.h"

#include <algorithm>
#include <cstdlib>
#include <limits>

#include "engine/errors.h"
#include "engine/fp_env.h"
#include "kernels/dispatch.h"

namespace octet::engine {
namespace {

octet_tensor_info describe(const Tensor& tensor, std::deque<std::string>& names) {
  octet_tensor_info info{};
  info.name = names.emplace_back(tensor.name).c_str();
  info.dtype = static_cast<octet_dtype>(tensor.dtype);
  info.rank = static_cast<std::uint32_t>(tensor.shape.size());
  std::copy(tensor.shape.begin(), tensor.shape.end(), info.shape);
  info.sample_bytes = sample_elements(tensor) * dtype_bytes(tensor.dtype);
  info.scale = tensor.scale;
  info.zero_point = tensor.zero_point;
  return info;
}

// "avx2, scalar; not on this CPU: avx512vnni"
std::string choices(const kernels::CpuFeatures& cpu) {
  std::string here;
  std::string elsewhere;
  for (const kernels::Table* table : kernels::tables()) {
    std::string& list = kernels::runs_here(*table, cpu) ? here : elsewhere;
    if (!list.empty()) list += ", ";
    list += table->name;
  }
  return elsewhere.empty() ? here : here + "; in this build but not on this CPU: " + elsewhere;
}

}  // namespace

std::size_t Model::arena_bytes(std::size_t tasks) const noexcept {
  tasks = std::max<std::size_t>(tasks, 1);
  constexpr std::size_t kMost = std::numeric_limits<std::size_t>::max();
  return plan.task_bytes > kMost / tasks ? kMost : plan.task_bytes * tasks;
}

std::shared_ptr<const Model> create_model(const Graph& graph, const std::string& source,
                                          const kernels::Table& table, const Limits& limits) {
  const FloatEnvironment environment;
  auto model = std::make_shared<Model>();
  model->table = &table;
  model->plan = make_plan(graph, source, table, limits, model->storage);
  for (const GraphInput& input : graph.inputs) {
    octet_tensor_info info = describe(graph.tensors[input.tensor], model->names);
    info.has_normalization = input.has_normalization;
    info.mean = input.normalization.mean;
    info.std = input.normalization.std;
    model->inputs.push_back(info);
  }
  for (const std::uint32_t output : graph.outputs) {
    model->outputs.push_back(describe(graph.tensors[output], model->names));
  }
  return model;
}

const kernels::Table& choose_table(const char* isa) {
  const kernels::CpuFeatures cpu = kernels::detect_cpu();
  const char* from = "option isa";
  if (isa == nullptr) {
    isa = std::getenv("OCTET_ISA");
    from = "OCTET_ISA";
    if (isa == nullptr || *isa == '\0') return kernels::best_table(cpu);
  }
  const kernels::Table* table = kernels::find_table(isa);
  if (table == nullptr) {
    fail(Error::Code::cpu, from, " is '", isa,
         "', which is no instruction set of this build: ", choices(cpu));
  }
  if (!kernels::runs_here(*table, cpu)) {
    fail(Error::Code::cpu, from, " is '", isa,
         "', which this CPU lacks or Linux refuses: ", choices(cpu));
  }
  return *table;
}

}  // namespace octet::engine
