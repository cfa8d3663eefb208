// SPDX-License-Identifier: Apache-2.0
// The C++20 API of octet: RAII over the C API, all inline, so that there is one ABI.
#pragma once

#include <octet/octet_c.h>

#include <memory>
#include <span>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>

namespace octet {

// The only exception of octet. what() names file, node and both numbers.
class Error : public std::runtime_error {
 public:
  enum class Code {
    io = OCTET_IO,
    format = OCTET_FORMAT,
    unsupported = OCTET_UNSUPPORTED,
    limit = OCTET_LIMIT,
    argument = OCTET_ARGUMENT,
    cpu = OCTET_CPU
  };
  Error(Code code, const std::string& message) : std::runtime_error(message), code_(code) {}
  Code code() const noexcept { return code_; }

 private:
  Code code_;
};

using Input = octet_input;
using Output = octet_output;
using TensorInfo = octet_tensor_info;
using LoadOptions = octet_load_options;

// A caller's buffer of any trivially copyable element type.
template <class Range>
Input input(const Range& range) noexcept {
  std::span view(range);
  static_assert(std::is_trivially_copyable_v<typename decltype(view)::element_type>);
  return {view.data(), view.size_bytes()};
}
template <class Range>
Output output(Range&& range) noexcept {
  std::span view(range);
  static_assert(!std::is_const_v<typename decltype(view)::element_type>);
  return {view.data(), view.size_bytes()};
}

namespace detail {
inline void check(octet_status status, const octet_error& error) {
  if (status != OCTET_OK) throw Error(static_cast<Error::Code>(status), error.message);
}
}  // namespace detail

// A loaded network: immutable, shareable between threads, packed for one instruction set.
class Model {
 public:
  // Throws Error. options.isa null and $OCTET_ISA unset: the best instruction set of this CPU.
  static Model load(const std::string& path, const LoadOptions& options = {}) {
    octet_model* model = nullptr;
    octet_error error{};
    detail::check(octet_model_load(path.c_str(), &options, &model, &error), error);
    return Model(model);
  }
  // bytes is not used after the call; name stands for the file in messages.
  static Model parse(std::span<const std::byte> bytes, const std::string& name = "model",
                     const LoadOptions& options = {}) {
    octet_model* model = nullptr;
    octet_error error{};
    detail::check(
        octet_model_parse(bytes.data(), bytes.size(), name.c_str(), &options, &model, &error),
        error);
    return Model(model);
  }

  std::size_t inputs() const noexcept { return octet_model_inputs(handle()); }
  std::size_t outputs() const noexcept { return octet_model_outputs(handle()); }
  // Throws Error (argument) where index is out of range.
  TensorInfo input(std::size_t index = 0) const { return info(octet_model_input, "input", index); }
  TensorInfo output(std::size_t index = 0) const {
    return info(octet_model_output, "output", index);
  }
  const char* isa() const noexcept { return octet_model_isa(handle()); }
  const octet_model* handle() const noexcept { return model_.get(); }

 private:
  struct Free {
    void operator()(octet_model* model) const noexcept { octet_model_free(model); }
  };
  explicit Model(octet_model* model) : model_(model) {}
  template <class Get>
  TensorInfo info(Get get, const char* what, std::size_t index) const {
    TensorInfo result{};
    if (get(handle(), index, &result) != OCTET_OK) {
      throw Error(Error::Code::argument,
                  std::string("there is no ") + what + " " + std::to_string(index));
    }
    return result;
  }
  std::unique_ptr<octet_model, Free> model_;
};

// Threads to share between sessions; a session runs on the calling thread unless it is given one.
class Executor {
 public:
  // threads >= 1 counts the calling thread. Both throw Error.
  static Executor threads(std::size_t threads) {
    return Executor(octet_thread_executor_create, threads);
  }
  static Executor tbb(std::size_t threads) { return Executor(octet_tbb_executor_create, threads); }
  Executor(Executor&& other) noexcept
      : executor_(std::exchange(other.executor_, octet_executor{})) {}
  Executor& operator=(Executor&& other) noexcept {
    std::swap(executor_, other.executor_);
    return *this;
  }
  ~Executor() { octet_executor_free(&executor_); }
  const octet_executor* handle() const noexcept { return &executor_; }

 private:
  template <class Create>
  Executor(Create create, std::size_t threads) {
    octet_error error{};
    detail::check(create(threads, &executor_, &error), error);
  }
  octet_executor executor_{};
};

// The memory of one run at a time. Create one per thread; many may share a Model.
class Session {
 public:
  // Throws Error. An executor must outlive its sessions. The session keeps what it needs of the
  // model.
  explicit Session(const Model& model) : Session(model, octet_session_options{}) {}
  Session(const Model& model, const Executor& executor)
      : Session(model, octet_session_options{executor.handle(), nullptr, 0}) {}
  Session(const Model& model, const octet_session_options& options) {
    octet_session* session = nullptr;
    octet_error error{};
    detail::check(octet_session_create(model.handle(), &options, &session, &error), error);
    session_.reset(session);
  }

  // See octet_session_run. Sizes must be exact: batch * sample_bytes.
  octet_status run(std::span<const Input> inputs, std::span<const Output> outputs,
                   std::size_t batch) noexcept {
    return octet_session_run(session_.get(), inputs.data(), inputs.size(), outputs.data(),
                             outputs.size(), batch);
  }
  octet_status run(const Input& in, const Output& out, std::size_t batch = 1) noexcept {
    return octet_session_run(session_.get(), &in, 1, &out, 1, batch);
  }

 private:
  struct Free {
    void operator()(octet_session* session) const noexcept { octet_session_free(session); }
  };
  std::unique_ptr<octet_session, Free> session_;
};

}  // namespace octet
