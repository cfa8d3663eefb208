// SPDX-License-Identifier: Apache-2.0
// The C API: turns exceptions into status and message, and handles into objects.
#include <octet/octet_c.h>

#include <cstdint>
#include <cstring>
#include <exception>
#include <limits>
#include <new>
#include <string>
#include <system_error>

#include "engine/arena.h"
#include "engine/errors.h"
#include "engine/executor.h"
#include "engine/fp_env.h"
#include "engine/mapped_file.h"
#include "engine/model.h"
#include "engine/model_file.h"
#include "engine/session.h"

namespace {

using namespace octet::engine;
using octet::Error;

octet_status report(octet_error* error, octet_status status, const char* text) noexcept {
  if (error == nullptr) return status;
  error->status = status;
  std::size_t length = std::strlen(text);
  if (length >= sizeof error->message) {
    length = sizeof error->message - 1;
    // Not in the middle of a UTF-8 sequence.
    while (length > 0 && (static_cast<unsigned char>(text[length]) & 0xc0u) == 0x80u) --length;
  }
  std::memcpy(error->message, text, length);
  error->message[length] = '\0';
  return status;
}

template <class Function>
octet_status guard(octet_error* error, Function f) noexcept {
  if (error != nullptr) *error = {};
  try {
    f();
    return OCTET_OK;
  } catch (const Error& e) {
    return report(error, static_cast<octet_status>(e.code()), e.what());
  } catch (const std::bad_alloc&) {
    return report(error, OCTET_LIMIT, "out of memory");
  } catch (const std::exception& e) {
    return report(error, OCTET_LIMIT, e.what());
  } catch (...) {
    return report(error, OCTET_LIMIT, "unknown error");
  }
}

void need(const void* argument, const char* name) {
  if (argument == nullptr) fail(Error::Code::argument, name, " is null");
}

Limits to_limits(const octet_limits& limits) {
  Limits result;
  if (limits.file_bytes != 0) result.file_bytes = limits.file_bytes;
  if (limits.tensors != 0) result.tensors = limits.tensors;
  if (limits.arena_bytes != 0) result.arena_bytes = limits.arena_bytes;
  if (limits.multiply_adds != 0) result.multiply_adds = limits.multiply_adds;
  return result;
}

octet_model* make_model(std::span<const std::byte> bytes, const std::string& name,
                        const octet_load_options& options, const Limits& limits) {
  // Before anything is parsed: it is the caller's mistake, not the file's.
  const octet::kernels::Table& table = choose_table(options.isa);
  // The check of a file computes with its scales.
  const FloatEnvironment environment;
  const ParsedModel parsed = parse_model(bytes, name, limits);
  return new octet_model{create_model(parsed.graph, name, table, limits)};
}

octet_status get_info(const std::vector<octet_tensor_info>& infos, std::size_t index,
                      octet_tensor_info* info) noexcept {
  if (index >= infos.size() || info == nullptr) return OCTET_ARGUMENT;
  *info = infos[index];
  return OCTET_OK;
}

std::size_t executor_concurrency(void* self) {
  return static_cast<Executor*>(self)->concurrency();
}

void executor_run(void* self, std::size_t tasks, octet_task fn, void* context) {
  static_cast<Executor*>(self)->run(tasks, fn, context);
}

// Far more than help; starting as many as fit could bring down the host.
constexpr std::size_t kMaxThreads = 1024;

octet_status make_executor(std::unique_ptr<Executor> (*make)(std::size_t), std::size_t threads,
                           octet_executor* executor, octet_error* error) noexcept {
  if (executor != nullptr) *executor = {};
  return guard(error, [&] {
    need(executor, "executor");
    if (threads == 0) fail(Error::Code::argument, "threads is 0, must be at least 1");
    if (threads > kMaxThreads) {
      fail(Error::Code::limit, "threads is ", threads, ", must be at most ", kMaxThreads);
    }
    try {
      *executor = {make(threads).release(), executor_concurrency, executor_run};
    } catch (const std::system_error& e) {
      fail(Error::Code::limit, "cannot start ", threads, " threads: ", e.what());
    }
  });
}

}  // namespace

uint32_t octet_api_version() noexcept {
  return OCTET_API_VERSION;
}

const char* octet_version() noexcept {
  return OCTET_VERSION;
}

const char* octet_status_name(octet_status status) noexcept {
  switch (status) {
    case OCTET_OK:
      return "ok";
    case OCTET_IO:
      return "io";
    case OCTET_FORMAT:
      return "format";
    case OCTET_UNSUPPORTED:
      return "unsupported";
    case OCTET_LIMIT:
      return "limit";
    case OCTET_ARGUMENT:
      return "argument";
    case OCTET_CPU:
      return "cpu";
  }
  return "unknown";
}

octet_status octet_model_load(const char* path, const octet_load_options* options,
                              octet_model** model, octet_error* error) noexcept {
  if (model != nullptr) *model = nullptr;
  return guard(error, [&] {
    need(path, "path");
    need(model, "model");
    const octet_load_options chosen = options != nullptr ? *options : octet_load_options{};
    const Limits limits = to_limits(chosen.limits);
    const MappedFile file(path, chosen.copy ? MappedFile::Mode::copy : MappedFile::Mode::map,
                          limits.file_bytes);
    *model = make_model(file.bytes(), path, chosen, limits);
  });
}

octet_status octet_model_parse(const void* data, size_t bytes, const char* name,
                               const octet_load_options* options, octet_model** model,
                               octet_error* error) noexcept {
  if (model != nullptr) *model = nullptr;
  return guard(error, [&] {
    need(data, "data");
    need(name, "name");
    need(model, "model");
    const octet_load_options chosen = options != nullptr ? *options : octet_load_options{};
    const Limits limits = to_limits(chosen.limits);
    if (bytes > limits.file_bytes) {
      fail(Error::Code::limit, name, ": has ", bytes, " bytes, the limit file_bytes is ",
           limits.file_bytes);
    }
    AlignedBuffer copy;
    if (reinterpret_cast<std::uintptr_t>(data) % kDataAlignment != 0) {
      copy = AlignedBuffer(bytes);
      std::memcpy(copy.data(), data, bytes);
      data = copy.data();
    }
    *model = make_model({static_cast<const std::byte*>(data), bytes}, name, chosen, limits);
  });
}

void octet_model_free(octet_model* model) noexcept {
  delete model;
}

size_t octet_model_inputs(const octet_model* model) noexcept {
  return model != nullptr ? model->model->inputs.size() : 0;
}

size_t octet_model_outputs(const octet_model* model) noexcept {
  return model != nullptr ? model->model->outputs.size() : 0;
}

octet_status octet_model_input(const octet_model* model, size_t index,
                               octet_tensor_info* info) noexcept {
  return model != nullptr ? get_info(model->model->inputs, index, info) : OCTET_ARGUMENT;
}

octet_status octet_model_output(const octet_model* model, size_t index,
                                octet_tensor_info* info) noexcept {
  return model != nullptr ? get_info(model->model->outputs, index, info) : OCTET_ARGUMENT;
}

const char* octet_model_isa(const octet_model* model) noexcept {
  return model != nullptr ? model->model->table->name : "";
}

size_t octet_session_arena_bytes(const octet_model* model, size_t concurrency) noexcept {
  return model != nullptr ? model->model->arena_bytes(concurrency) : 0;
}

octet_status octet_session_create(const octet_model* model, const octet_session_options* options,
                                  octet_session** session, octet_error* error) noexcept {
  if (session != nullptr) *session = nullptr;
  return guard(error, [&] {
    need(model, "model");
    need(session, "session");
    *session =
        new octet_session(model->model, options != nullptr ? *options : octet_session_options{});
  });
}

void octet_session_free(octet_session* session) noexcept {
  delete session;
}

octet_status octet_session_run(octet_session* session, const octet_input* inputs,
                               size_t input_count, const octet_output* outputs, size_t output_count,
                               size_t batch) noexcept {
  if (session == nullptr || (inputs == nullptr && input_count != 0) ||
      (outputs == nullptr && output_count != 0)) {
    return OCTET_ARGUMENT;
  }
  return session->run({inputs, input_count}, {outputs, output_count}, batch);
}

octet_status octet_thread_executor_create(size_t threads, octet_executor* executor,
                                          octet_error* error) noexcept {
  return make_executor(make_thread_executor, threads, executor, error);
}

octet_status octet_tbb_executor_create(size_t threads, octet_executor* executor,
                                       octet_error* error) noexcept {
  return make_executor(make_tbb_executor, threads, executor, error);
}

void octet_executor_free(octet_executor* executor) noexcept {
  // Another's executor is not ours to free.
  if (executor == nullptr || executor->run != executor_run) return;
  delete static_cast<Executor*>(executor->self);
  *executor = {};
}
