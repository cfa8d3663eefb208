// SPDX-License-Identifier: Apache-2.0
// The C API: turns exceptions into status and message, and handles into objects.
#include <octet/octet_c.h>

#include <cstdint>
#include <cstring>
#include <exception>
#include <initializer_list>
#include <limits>
#include <new>
#include <string>
#include <string_view>
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

// Joins the texts without memory of its own.
octet_status report(octet_error* error, octet_status status,
                    std::initializer_list<std::string_view> texts) noexcept {
  if (error == nullptr) return status;
  error->status = status;
  std::size_t length = 0;
  for (const std::string_view text : texts) {
    std::size_t part = text.size();
    if (part >= sizeof error->message - length) {
      part = sizeof error->message - length - 1;
      // Not in the middle of a UTF-8 sequence.
      while (part > 0 && (static_cast<unsigned char>(text[part]) & 0xc0u) == 0x80u) --part;
    }
    std::memcpy(error->message + length, text.data(), part);
    length += part;
    if (part < text.size()) break;
  }
  error->message[length] = '\0';
  return status;
}

// subject: what stands before the messages that are not octet's own; may be null.
template <class Function>
octet_status guard(octet_error* error, const char* subject, Function f) noexcept {
  if (error != nullptr) *error = {};
  const std::string_view name = subject != nullptr ? subject : "";
  const std::string_view colon = subject != nullptr ? ": " : "";
  try {
    f();
    return OCTET_OK;
  } catch (const Error& e) {
    return report(error, static_cast<octet_status>(e.code()), {e.what()});
  } catch (const std::bad_alloc&) {
    return report(error, OCTET_LIMIT, {name, colon, "out of memory"});
  } catch (const std::exception& e) {
    return report(error, OCTET_LIMIT, {name, colon, e.what()});
  } catch (...) {
    return report(error, OCTET_LIMIT, {name, colon, "unknown error"});
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
                        const octet_load_options& options, const Limits& limits, Owner owner) {
  // Before anything is parsed: it is the caller's mistake, not the file's.
  const octet::kernels::Table& table = choose_table(options.isa);
  // The check of a file computes with its scales.
  const FloatEnvironment environment;
  const ParsedModel parsed = parse_model(bytes, name, limits, owner);
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
  return guard(error, nullptr, [&] {
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
  return guard(error, path, [&] {
    need(path, "path");
    need(model, "model");
    const octet_load_options chosen = options != nullptr ? *options : octet_load_options{};
    const Limits limits = to_limits(chosen.limits);
    const MappedFile file(path, chosen.copy ? MappedFile::Mode::copy : MappedFile::Mode::map,
                          limits.file_bytes);
    *model =
        make_model(file.bytes(), path, chosen, limits, chosen.copy ? Owner::caller : Owner::others);
  });
}

octet_status octet_model_parse(const void* data, size_t bytes, const char* name,
                               const octet_load_options* options, octet_model** model,
                               octet_error* error) noexcept {
  if (model != nullptr) *model = nullptr;
  return guard(error, name, [&] {
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
    Owner owner = Owner::others;
    if (reinterpret_cast<std::uintptr_t>(data) % kDataAlignment != 0) {
      copy = AlignedBuffer(bytes);
      std::memcpy(copy.data(), data, bytes);
      data = copy.data();
      owner = Owner::caller;
    }
    *model = make_model({static_cast<const std::byte*>(data), bytes}, name, chosen, limits, owner);
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
  return guard(error, nullptr, [&] {
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
