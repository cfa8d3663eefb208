// SPDX-License-Identifier: Apache-2.0
// A run allocates nothing: every operator new of the test program counts.
#include <doctest/doctest.h>

#include <atomic>
#include <cstdlib>
#include <new>

#include "tests/engine/networks.h"
#include "tests/engine/run_graph.h"

namespace octet::test::allocation_test {
namespace {

std::atomic<std::size_t> allocations{0};

void* allocate(std::size_t bytes, std::size_t alignment) {
  allocations.fetch_add(1, std::memory_order_relaxed);
  const std::size_t size = (bytes + alignment - 1) / alignment * alignment;
  void* memory = std::aligned_alloc(alignment, size == 0 ? alignment : size);
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}

}  // namespace
}  // namespace octet::test::allocation_test

using octet::test::allocation_test::allocate;

// The other forms call these, but AddressSanitizer has a nothrow form of its own.
void* operator new(std::size_t bytes) {
  return allocate(bytes, alignof(std::max_align_t));
}
void* operator new(std::size_t bytes, std::align_val_t alignment) {
  return allocate(bytes, static_cast<std::size_t>(alignment));
}
void* operator new(std::size_t bytes, const std::nothrow_t&) noexcept {
  try {
    return allocate(bytes, alignof(std::max_align_t));
  } catch (const std::bad_alloc&) {
    return nullptr;
  }
}
void operator delete(void* memory) noexcept {
  std::free(memory);
}
void operator delete(void* memory, std::size_t) noexcept {
  std::free(memory);
}
void operator delete(void* memory, std::align_val_t) noexcept {
  std::free(memory);
}
void operator delete(void* memory, std::size_t, std::align_val_t) noexcept {
  std::free(memory);
}

namespace octet::test::allocation_test {

TEST_CASE("a run allocates nothing, on one thread and on several, aligned and not") {
  struct Case {
    GraphBuilder network;
    std::size_t batch;
  };
  std::vector<Case> cases;
  cases.push_back({every_op_graph(), 600});
  cases.push_back({mlp({100, 70, 50, 10}), 50});
  cases.push_back({mlp({150, 300, 7}), 1});
  for (const Case& c : cases) {
    for (const std::size_t threads : {1u, 3u}) {
      for (const std::size_t misalignment : {0u, 1u}) {
        const auto executor = octet::engine::make_thread_executor(threads);
        const octet_executor functions = handle(*executor);
        const auto model = make_eager(make_model(c.network.graph, *tables_here().front()));
        octet_session session(model, {&functions, nullptr, 0});
        std::vector<Bytes> memory;
        std::vector<octet_input> inputs;
        std::vector<octet_output> outputs;
        for (const auto& info : model->inputs) {
          const std::size_t bytes = c.batch * info.sample_bytes;
          inputs.push_back({memory.emplace_back(bytes + 1).data() + misalignment, bytes});
        }
        for (const auto& info : model->outputs) {
          const std::size_t bytes = c.batch * info.sample_bytes;
          outputs.push_back({memory.emplace_back(bytes + 1).data() + misalignment, bytes});
        }
        const std::size_t before = allocations;
        const octet_status status = session.run(inputs, outputs, c.batch);
        const std::size_t after = allocations;
        CHECK(status == OCTET_OK);
        CHECK(after == before);
        CHECK(before > 0);
      }
    }
  }
}

}  // namespace octet::test::allocation_test
