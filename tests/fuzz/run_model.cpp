// SPDX-License-Identifier: Apache-2.0
// Running what loads, on every table.
#include <octet/octet.h>
#include <sanitizer/asan_interface.h>

#include <algorithm>
#include <cstddef>

#include "engine/arena.h"
#include "engine/model.h"
#include "tests/fuzz/model_bytes.h"
#include "tests/kernels/tables_here.h"

namespace octet::fuzz {
namespace {

constexpr std::size_t kBatch = 3;
constexpr std::size_t kMaxSampleBytes = 1 << 13;

// Each in a block of its own, so that AddressSanitizer sees every byte too far.
using Buffers = std::vector<std::vector<std::byte>>;

octet_tensor_info input_info(const octet_model* model, std::size_t i) {
  octet_tensor_info info{};
  expect(octet_model_input(model, i, &info) == OCTET_OK, "an input without its description");
  return info;
}

octet_tensor_info output_info(const octet_model* model, std::size_t i) {
  octet_tensor_info info{};
  expect(octet_model_output(model, i, &info) == OCTET_OK, "an output without its description");
  return info;
}

bool is_small(const octet_model* model) {
  std::size_t bytes = 0;
  for (std::size_t i = 0; i < octet_model_inputs(model); ++i) {
    bytes += input_info(model, i).sample_bytes;
  }
  for (std::size_t i = 0; i < octet_model_outputs(model); ++i) {
    bytes += output_info(model, i).sample_bytes;
  }
  return bytes <= kMaxSampleBytes;
}

Buffers draw_inputs(const octet_model* model, std::uint64_t seed) {
  data::SplitMix64 random(seed);
  Buffers inputs;
  for (std::size_t i = 0; i < octet_model_inputs(model); ++i) {
    const octet_tensor_info info = input_info(model, i);
    std::vector<std::byte>& bytes = inputs.emplace_back(kBatch * info.sample_bytes);
    if (info.dtype == OCTET_F32) {
      for (std::size_t at = 0; at < bytes.size(); at += sizeof(float)) {
        const float value = draw_float(random);
        std::memcpy(bytes.data() + at, &value, sizeof value);
      }
    } else {
      for (std::byte& byte : bytes) byte = static_cast<std::byte>(random.next() >> 56);
    }
  }
  return inputs;
}

// The samples [first, first + batch), `shift` bytes off their alignment.
Buffers run(octet_session* session, const octet_model* model, const Buffers& inputs,
            std::size_t first, std::size_t batch, std::size_t shift) {
  Buffers memory;
  std::vector<octet_input> in;
  for (const std::vector<std::byte>& all : inputs) {
    const std::size_t sample = all.size() / kBatch;
    std::vector<std::byte>& moved = memory.emplace_back(shift + batch * sample);
    std::copy_n(all.begin() + static_cast<std::ptrdiff_t>(first * sample), batch * sample,
                moved.begin() + static_cast<std::ptrdiff_t>(shift));
    in.push_back({moved.data() + shift, batch * sample});
  }
  Buffers outputs;
  std::vector<octet_output> out;
  for (std::size_t i = 0; i < octet_model_outputs(model); ++i) {
    const std::size_t bytes = batch * output_info(model, i).sample_bytes;
    std::vector<std::byte>& buffer = outputs.emplace_back(shift + bytes, std::byte{0xa5});
    out.push_back({buffer.data() + shift, bytes});
  }
  expect(
      octet_session_run(session, in.data(), in.size(), out.data(), out.size(), batch) == OCTET_OK,
      "a run with right sizes fails");
  for (std::vector<std::byte>& buffer : outputs) {
    buffer.erase(buffer.begin(), buffer.begin() + static_cast<std::ptrdiff_t>(shift));
  }
  return outputs;
}

struct FreeSession {
  void operator()(octet_session* session) const noexcept { octet_session_free(session); }
};
using SessionPointer = std::unique_ptr<octet_session, FreeSession>;

// One arena for all sessions, one at a time: mapping a new one takes longer than a run. Filled with
// a pattern, and what lies behind the bytes that the model asks for is not to be touched.
SessionPointer open(const octet_model* model) {
  constexpr std::size_t kFence = 4096;
  static const engine::AlignedBuffer arena(kLimits.arena_bytes + kFence);
  const std::size_t bytes = octet_session_arena_bytes(model, 1);
  expect(bytes <= kLimits.arena_bytes, "an arena beyond the limit");
  ASAN_UNPOISON_MEMORY_REGION(arena.data(), kLimits.arena_bytes + kFence);
  std::memset(arena.data(), 0xa5, bytes);
  ASAN_POISON_MEMORY_REGION(arena.data() + bytes, kFence);
  const octet_session_options options{nullptr, arena.data(), bytes};
  octet_session* session = nullptr;
  const octet_status status = octet_session_create(model, &options, &session, nullptr);
  expect(status == OCTET_OK, "no session for a model that loads");
  return SessionPointer(session);
}

// Batches of 0, 1, 2 and 3 samples; gives the outputs of all three.
Buffers run_batches(const octet_model* model, const Buffers& inputs) {
  const SessionPointer owner = open(model);
  octet_session* session = owner.get();
  run(session, model, inputs, 0, 0, 0);
  const Buffers all = run(session, model, inputs, 0, kBatch, 0);
  Buffers parts = run(session, model, inputs, 0, 1, 1);
  const Buffers rest = run(session, model, inputs, 1, kBatch - 1, 4);
  for (std::size_t i = 0; i < parts.size(); ++i) {
    parts[i].insert(parts[i].end(), rest[i].begin(), rest[i].end());
  }
  expect(all == parts, "a sample's result depends on its batch");
  return all;
}

// The checked graph on another table; null where the table's own need of memory exceeds a limit.
ModelPointer on_table(const engine::Graph& graph, const kernels::Table& table) {
  engine::Limits limits;
  limits.arena_bytes = kLimits.arena_bytes;
  try {
    return ModelPointer(new octet_model{engine::create_model(graph, "input", table, limits)});
  } catch (const octet::Error& error) {
    expect(error.code() == octet::Error::Code::limit,
           "a model loads on one table and not on another");
    return nullptr;
  }
}

}  // namespace

bool run_model(Input file) {
  const Loaded best = load_model(file);
  if (best.model == nullptr) return false;
  if (!is_small(best.model.get())) return true;
  const Buffers inputs = draw_inputs(best.model.get(), seed_of(file));
  const Buffers expected = run_batches(best.model.get(), inputs);
  const engine::AlignedBuffer copy(file.size());
  std::memcpy(copy.data(), file.data(), file.size());
  const engine::ParsedModel parsed =
      engine::parse_model({copy.data(), file.size()}, "input", engine::Limits{});
  for (const kernels::Table* table : std::span(kernels::tables_here()).subspan(1)) {
    const ModelPointer other = on_table(parsed.graph, *table);
    if (other == nullptr) continue;
    const SessionPointer session = open(other.get());
    expect(run(session.get(), other.get(), inputs, 0, kBatch, seed_of(file) % 5) == expected,
           "two tables give different bytes");
  }
  return true;
}

}  // namespace octet::fuzz
