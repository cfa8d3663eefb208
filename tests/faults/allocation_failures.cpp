// SPDX-License-Identifier: Apache-2.0
// Every allocation of the C API fails once, alone and with all after it: each call must say that
// memory is out, leave nothing behind, and succeed when it is tried again.
//   octet_allocation_failures
#include <octet/octet_c.h>
#include <sys/resource.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <string>
#include <vector>

#include "tests/engine/model_bytes.h"
#include "tests/faults/allocations.h"

namespace {

using namespace octet::test;
using Bytes = std::vector<std::byte>;

// Texts come without memory of their own: a message that allocates would be counted.
void must(bool holds, const char* what, std::size_t index, const char* detail) {
  if (holds) return;
  std::fprintf(stderr, "octet_allocation_failures: %s, allocation %zu: %s\n", what, index, detail);
  std::exit(1);
}

// One call of the C API that makes something.
struct Call {
  const char* name;
  const char* subject;  // what an error names first; null: nothing
  // Makes it: *made is null or the handle. A handle is freed by `release`.
  std::function<octet_status(void** made, octet_error* error)> make;
  std::function<void(void* made)> release;
};

void succeed(const Call& call, std::size_t index) {
  void* made = nullptr;
  octet_error error{};
  must(call.make(&made, &error) == OCTET_OK && made != nullptr, call.name, index, error.message);
  call.release(made);
}

// Fails allocation 1, 2, ... until the call needs no more. Returns how many failed.
std::size_t fail_each(const Call& call, bool all_after) {
  succeed(call, 0);  // what is made once for all calls is made
  for (std::size_t index = 1;; ++index) {
    const std::size_t before = allocations::live();
    int something = 0;
    void* made = &something;  // must become null
    octet_error error{};
    allocations::fail(index, all_after);
    const octet_status status = call.make(&made, &error);
    const bool failed = allocations::has_failed();
    allocations::fail(0);
    if (status == OCTET_OK) {
      call.release(made);
      if (!failed) return index - 1;
      // The standard library sorts without the memory that it asks for first.
      must(allocations::live() == before, call.name, index, "memory is left");
      continue;
    }
    char expected[1100];
    std::snprintf(expected, sizeof expected, "%s%sout of memory",
                  call.subject != nullptr ? call.subject : "", call.subject != nullptr ? ": " : "");
    must(failed && status == OCTET_LIMIT, call.name, index, octet_status_name(status));
    must(error.status == OCTET_LIMIT, call.name, index, "error.status differs");
    must(std::strcmp(error.message, expected) == 0, call.name, index, error.message);
    must(made == nullptr, call.name, index, "something half-made is left");
    must(allocations::live() == before, call.name, index, "memory is left");
    succeed(call, index);
    must(allocations::live() == before, call.name, index, "memory is left by the next attempt");
  }
}

octet_status load(const char* path, bool copy, void** made, octet_error* error) {
  const octet_load_options options{nullptr, copy ? 1 : 0, {}};
  auto* model = static_cast<octet_model*>(*made);
  const octet_status status = octet_model_load(path, &options, &model, error);
  *made = model;
  return status;
}

octet_status parse(std::span<const std::byte> file, void** made, octet_error* error) {
  auto* model = static_cast<octet_model*>(*made);
  const octet_status status =
      octet_model_parse(file.data(), file.size(), "net.octet", nullptr, &model, error);
  *made = model;
  return status;
}

void free_model(void* made) {
  octet_model_free(static_cast<octet_model*>(made));
}

using Create = octet_status (*)(std::size_t, octet_executor*, octet_error*);

// octet_executor_free() takes the struct, so that is what is made here: one at a time.
octet_status make_executor(Create create, void** made, octet_error* error) {
  static octet_executor executor;
  executor.self = *made;
  const octet_status status = create(4, &executor, error);
  *made = executor.self != nullptr ? &executor : nullptr;
  return status;
}

void free_executor(void* made) {
  octet_executor_free(static_cast<octet_executor*>(made));
}

octet_status make_session(const octet_model* model, const octet_executor* executor, void** made,
                          octet_error* error) {
  const octet_session_options options{executor, nullptr, 0};
  auto* session = static_cast<octet_session*>(*made);
  const octet_status status = octet_session_create(model, &options, &session, error);
  *made = session;
  return status;
}

void free_session(void* made) {
  octet_session_free(static_cast<octet_session*>(made));
}

// A run must not allocate at all, so none of it can fail.
void run_without_memory(const octet_model* model, const octet_executor* executor) {
  octet_session* session = nullptr;
  const octet_session_options options{executor, nullptr, 0};
  must(octet_session_create(model, &options, &session, nullptr) == OCTET_OK, "run", 0, "session");
  constexpr std::size_t kBatch = 200;
  std::vector<Bytes> memory;
  std::vector<octet_input> inputs;
  std::vector<octet_output> outputs;
  octet_tensor_info info{};
  for (std::size_t i = 0; octet_model_input(model, i, &info) == OCTET_OK; ++i) {
    const Bytes& bytes = memory.emplace_back(kBatch * info.sample_bytes, std::byte{17});
    inputs.push_back({bytes.data(), bytes.size()});
  }
  for (std::size_t i = 0; octet_model_output(model, i, &info) == OCTET_OK; ++i) {
    Bytes& bytes = memory.emplace_back(kBatch * info.sample_bytes);
    outputs.push_back({bytes.data(), bytes.size()});
  }
  const auto run = [&] {
    return octet_session_run(session, inputs.data(), inputs.size(), outputs.data(), outputs.size(),
                             kBatch);
  };
  must(run() == OCTET_OK, "run", 0, "with memory");
  const std::vector<Bytes> expected = memory;
  allocations::fail(1, true);
  const octet_status status = run();
  const bool failed = allocations::has_failed();
  allocations::fail(0);
  must(status == OCTET_OK && !failed, "run", 1, "allocates");
  must(memory == expected, "run", 1, "gives other bytes without memory");
  octet_session_free(session);
}

// Threads that cannot be started, where the address space has a limit: an error, no threads left.
void run_out_of_threads() {
  std::FILE* statm = std::fopen("/proc/self/statm", "r");
  unsigned long pages = 0;
  if (statm == nullptr || std::fscanf(statm, "%lu", &pages) != 1) pages = 0;
  if (statm != nullptr) std::fclose(statm);
  rlimit before{};
  if (pages == 0 || ::getrlimit(RLIMIT_AS, &before) != 0) {
    std::printf("SKIPPED: threads that cannot start: the address space cannot be limited\n");
    return;
  }
  rlimit small = before;
  small.rlim_cur = pages * 4096 + (std::size_t{64} << 20);
  ::setrlimit(RLIMIT_AS, &small);
  octet_executor executor{};
  octet_error error{};
  const octet_status status = octet_thread_executor_create(1000, &executor, &error);
  ::setrlimit(RLIMIT_AS, &before);
  must(status == OCTET_LIMIT && executor.self == nullptr, "threads", 0, error.message);
  must(std::strncmp(error.message, "cannot start 1000 threads: ", 27) == 0, "threads", 0,
       error.message);
  must(octet_thread_executor_create(8, &executor, &error) == OCTET_OK, "threads", 0, error.message);
  octet_executor_free(&executor);
  std::printf("1000 threads in 64 MiB: %s\n", octet_status_name(status));
}

}  // namespace

int main() {
  std::size_t failed = 0;
  for (const std::string& path : {kGolden, kGolden2, kGolden3}) {
    const ModelBytes file(path);
    const Bytes shifted = [&] {
      Bytes bytes(file.bytes.size() + 1);
      std::memcpy(bytes.data() + 1, file.bytes.data(), file.bytes.size());
      return bytes;
    }();
    octet_model* model = nullptr;
    octet_executor executor{};
    must(octet_model_load(path.c_str(), nullptr, &model, nullptr) == OCTET_OK, "load", 0, "golden");
    must(octet_thread_executor_create(3, &executor, nullptr) == OCTET_OK, "threads", 0, "3");
    std::vector<Call> calls = {
        {"load, mapped", path.c_str(),
         [&](void** made, octet_error* e) { return load(path.c_str(), false, made, e); },
         free_model},
        {"load, copied", path.c_str(),
         [&](void** made, octet_error* e) { return load(path.c_str(), true, made, e); },
         free_model},
        {"parse", "net.octet",
         [&](void** made, octet_error* e) { return parse(file.bytes, made, e); }, free_model},
        {"parse, misaligned", "net.octet",
         [&](void** made, octet_error* e) { return parse(std::span(shifted).subspan(1), made, e); },
         free_model},
        {"session", nullptr,
         [&](void** made, octet_error* e) { return make_session(model, nullptr, made, e); },
         free_session},
        {"session of 3 tasks", nullptr,
         [&](void** made, octet_error* e) { return make_session(model, &executor, made, e); },
         free_session},
    };
    if (path == kGolden) {
      calls.push_back({"thread executor", nullptr,
                       [](void** made, octet_error* e) {
                         return make_executor(octet_thread_executor_create, made, e);
                       },
                       free_executor});
      octet_executor tbb{};
      if (octet_tbb_executor_create(2, &tbb, nullptr) == OCTET_OK) {
        octet_executor_free(&tbb);
        calls.push_back({"oneTBB executor", nullptr,
                         [](void** made, octet_error* e) {
                           return make_executor(octet_tbb_executor_create, made, e);
                         },
                         free_executor});
      }
    }
    std::printf("%s\n", path.substr(path.rfind('/') + 1).c_str());
    for (const Call& call : calls) {
      const std::size_t alone = fail_each(call, false);
      const std::size_t after = fail_each(call, true);
      std::printf("  %-20s %4zu allocations failed alone, %4zu with all after\n", call.name, alone,
                  after);
      failed += alone + after;
    }
    run_without_memory(model, nullptr);
    run_without_memory(model, &executor);
    octet_executor_free(&executor);
    octet_model_free(model);
    must(ModelBytes(path).bytes == file.bytes, "load", 0, "the model file has changed");
  }
  run_out_of_threads();
  std::printf("%zu failures: every one reported as a limit, nothing left, the next attempt good\n",
              failed);
}
