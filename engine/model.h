// SPDX-License-Identifier: Apache-2.0
// A loaded network: immutable, packed for one kernel table, shared by its handle and its sessions.
#pragma once

#include <octet/octet_c.h>

#include <cstddef>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "engine/graph.h"
#include "engine/plan.h"
#include "engine/storage.h"
#include "kernels/kernels.h"

namespace octet::engine {

struct Model {
  const kernels::Table* table = nullptr;
  Storage storage;
  Plan plan;
  std::deque<std::string> names;  // what the infos point to
  std::vector<octet_tensor_info> inputs;
  std::vector<octet_tensor_info> outputs;

  // Bytes of arena for that many tasks, at least one; the largest size_t where they are more.
  std::size_t arena_bytes(std::size_t tasks) const noexcept;
};

// The graph must have been checked; nothing of it is used afterwards. source stands for the file in
// messages. Throws octet::Error (limit).
std::shared_ptr<const Model> create_model(const Graph& graph, const std::string& source,
                                          const kernels::Table& table, const Limits& limits = {});

// The kernel table to use: the one called isa; if that is null, the one that $OCTET_ISA names, if
// set and not empty; else the best that runs here. Throws octet::Error (cpu) with the choices.
const kernels::Table& choose_table(const char* isa);

}  // namespace octet::engine

struct octet_model {
  std::shared_ptr<const octet::engine::Model> model;
};
