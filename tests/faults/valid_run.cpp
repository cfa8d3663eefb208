// SPDX-License-Identifier: Apache-2.0
#include "tests/faults/valid_run.h"

#include <cstring>
#include <limits>
#include <memory>
#include <vector>

#include "engine/errors.h"

namespace octet::test {
namespace {

using engine::message;
using Bytes = std::vector<std::byte>;

constexpr std::size_t kBatch = 3;
// A fault may turn a small network into a large one that is as valid: these keep it short.
constexpr octet_limits kLimits = {std::uint64_t{1} << 24, 0, std::uint64_t{1} << 16,
                                  std::uint64_t{1} << 22};

struct FreeModel {
  void operator()(octet_model* model) const noexcept { octet_model_free(model); }
};
struct FreeSession {
  void operator()(octet_session* session) const noexcept { octet_session_free(session); }
};
using Model = std::unique_ptr<octet_model, FreeModel>;
using Session = std::unique_ptr<octet_session, FreeSession>;

// Loads for a table, null for the best; what is wrong with an error, if it is one.
std::string load(std::span<const std::byte> file, const char* name, const char* isa, Model& model,
                 octet_error& error) {
  const octet_load_options options{isa, 0, kLimits};
  octet_model* loaded = nullptr;
  const octet_status status =
      octet_model_parse(file.data(), file.size(), name, &options, &loaded, &error);
  model.reset(loaded);
  if (error.status != status) return message("status ", int{status}, ", error.status differs");
  if (status == OCTET_OK) {
    if (model == nullptr) return "status ok without a model";
    return error.message[0] == '\0' ? "" : message("status ok, message ", error.message);
  }
  if (model != nullptr) return "an error that leaves a model behind";
  if (status != OCTET_FORMAT && status != OCTET_UNSUPPORTED && status != OCTET_LIMIT) {
    return message("status ", octet_status_name(status), ": ", error.message);
  }
  const std::string_view text = error.message;
  const std::string prefix = message(name, ": ");
  if (!text.starts_with(prefix) || text.size() == prefix.size() || !engine::is_printable(text)) {
    return message("a message that does not name the file: ", text);
  }
  return "";
}

// Codes of all kinds, floats of a few magnitudes and all special ones.
Bytes make_input(const octet_tensor_info& info, std::size_t index) {
  using Float = std::numeric_limits<float>;
  constexpr float kFloats[] = {0.5f,
                               -3,
                               17.25f,
                               -0.0f,
                               1e-41f,
                               Float::infinity(),
                               -1e30f,
                               0.007f,
                               2,
                               -1.5f,
                               255,
                               -Float::infinity(),
                               Float::quiet_NaN()};
  Bytes bytes(kBatch * info.sample_bytes);
  if (info.dtype == OCTET_F32) {
    for (std::size_t i = 0; i < bytes.size() / sizeof(float); ++i) {
      const float value = kFloats[(i * 7 + index) % std::size(kFloats)];
      std::memcpy(bytes.data() + i * sizeof value, &value, sizeof value);
    }
  } else {
    for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = std::byte(i * 37 + index * 11 + 255);
  }
  return bytes;
}

// Buffers have exactly the size that the model says, so that AddressSanitizer sees what leaves
// them.
std::string run(const octet_model& model, std::vector<Bytes>& outputs) {
  octet_session* created = nullptr;
  octet_error error{};
  if (octet_session_create(&model, nullptr, &created, &error) != OCTET_OK) {
    return message("no session: ", error.message);
  }
  const Session session(created);
  std::vector<Bytes> inputs;
  std::vector<octet_input> in;
  for (std::size_t i = 0; i < octet_model_inputs(&model); ++i) {
    octet_tensor_info info{};
    octet_model_input(&model, i, &info);
    const Bytes& bytes = inputs.emplace_back(make_input(info, i));
    in.push_back({bytes.data(), bytes.size()});
  }
  std::vector<octet_output> out;
  for (std::size_t i = 0; i < octet_model_outputs(&model); ++i) {
    octet_tensor_info info{};
    octet_model_output(&model, i, &info);
    Bytes& bytes = outputs.emplace_back(kBatch * info.sample_bytes);
    out.push_back({bytes.data(), bytes.size()});
  }
  const octet_status status =
      octet_session_run(session.get(), in.data(), in.size(), out.data(), out.size(), kBatch);
  return status == OCTET_OK ? "" : message("run gives ", octet_status_name(status));
}

}  // namespace

std::string load_and_run(std::span<const std::byte> file, const char* name, octet_error& error) {
  Model model;
  std::vector<Bytes> outputs;
  std::string wrong = load(file, name, nullptr, model, error);
  if (!wrong.empty() || error.status != OCTET_OK) return wrong;
  wrong = run(*model, outputs);
  if (!wrong.empty()) return wrong;

  octet_error plain{};
  std::vector<Bytes> plain_outputs;
  wrong = load(file, name, "scalar", model, plain);
  // Codes of the other sign need more of the arena.
  if (!wrong.empty() || plain.status == OCTET_LIMIT) return wrong;
  if (plain.status != OCTET_OK) return message("only scalar refuses it: ", plain.message);
  wrong = run(*model, plain_outputs);
  if (!wrong.empty() || outputs == plain_outputs) return wrong;
  return "the best kernel table and the plain loops give different bytes";
}

}  // namespace octet::test
