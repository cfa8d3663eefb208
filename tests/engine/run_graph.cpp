// SPDX-License-Identifier: Apache-2.0
#include "tests/engine/run_graph.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstring>
#include <random>
#include <string>

namespace octet::test {

using namespace engine;
// Not the C++ API's.
using engine::Executor;
using engine::Model;

std::shared_ptr<const Model> make_model(const Graph& graph, const kernels::Table& table) {
  check_graph(graph, "test", {});
  return create_model(graph, "test", table);
}

std::shared_ptr<const Model> make_eager(std::shared_ptr<const Model> model) {
  std::const_pointer_cast<Model>(model)->plan.task_cost = kTaskCost / 1000;
  return model;
}

std::vector<Bytes> random_inputs(const Graph& graph, std::size_t batch, std::uint32_t seed) {
  std::mt19937 random(seed);
  std::vector<Bytes> inputs;
  for (const GraphInput& input : graph.inputs) {
    const Tensor& tensor = graph.tensors[input.tensor];
    const std::size_t n = batch * sample_elements(tensor);
    Bytes bytes(n * dtype_bytes(tensor.dtype));
    for (std::size_t i = 0; i < n; ++i) {
      if (is_q8(tensor.dtype)) {
        // Every eighth code is an extreme one.
        const auto draw = random();
        constexpr std::uint8_t kExtremes[] = {0x00, 0x7f, 0x80, 0xff};
        bytes[i] = std::byte(draw % 8 == 0 ? kExtremes[draw >> 8 & 3] : draw >> 24);
      } else {
        const float unit = static_cast<float>(random() >> 8) * 0x1p-23f - 1;
        constexpr float kSpreads[] = {0.1f, 1, 4, 30};
        const float value = unit * kSpreads[random() & 3];
        std::memcpy(bytes.data() + i * sizeof value, &value, sizeof value);
      }
    }
    inputs.push_back(std::move(bytes));
  }
  return inputs;
}

std::vector<Bytes> first_samples(const std::vector<Bytes>& buffers, std::size_t batch,
                                 std::size_t samples) {
  std::vector<Bytes> result;
  for (const Bytes& buffer : buffers) {
    const auto bytes = static_cast<std::ptrdiff_t>(buffer.size() / batch * samples);
    result.emplace_back(buffer.begin(), buffer.begin() + bytes);
  }
  return result;
}

octet_executor handle(Executor& executor) {
  return {&executor, [](void* self) { return static_cast<Executor*>(self)->concurrency(); },
          [](void* self, std::size_t tasks, octet_task fn, void* context) {
            static_cast<Executor*>(self)->run(tasks, fn, context);
          }};
}

namespace {

constexpr std::byte kPattern{0xa5};

// A buffer with pattern around it.
struct Guarded {
  Bytes bytes;
  std::size_t start;

  Guarded(std::size_t size, std::size_t misalignment)
      : bytes(size + 3 * kAlignment, kPattern), start(kAlignment) {
    const auto address = reinterpret_cast<std::uintptr_t>(bytes.data() + start);
    start += (kAlignment - address % kAlignment) % kAlignment + misalignment;
  }
  std::byte* data() { return bytes.data() + start; }
};

}  // namespace

std::vector<Bytes> run(octet_session& session, const Model& model, const std::vector<Bytes>& inputs,
                       std::size_t batch, std::size_t misalignment) {
  std::vector<Guarded> guarded;
  guarded.reserve(inputs.size() + model.outputs.size());
  std::vector<octet_input> in;
  for (const Bytes& bytes : inputs) {
    Guarded& buffer = guarded.emplace_back(bytes.size(), misalignment);
    std::copy(bytes.begin(), bytes.end(), buffer.data());
    in.push_back({buffer.data(), bytes.size()});
  }
  std::vector<octet_output> out;
  for (const octet_tensor_info& info : model.outputs) {
    const std::size_t size = batch * info.sample_bytes;
    out.push_back({guarded.emplace_back(size, misalignment).data(), size});
  }
  REQUIRE(session.run(in, out, batch) == OCTET_OK);

  std::vector<Bytes> outputs;
  for (std::size_t i = 0; i < guarded.size(); ++i) {
    Guarded& buffer = guarded[i];
    const std::size_t size = i < in.size() ? in[i].bytes : out[i - in.size()].bytes;
    const Bytes content(buffer.data(), buffer.data() + size);
    std::fill_n(buffer.data(), size, kPattern);
    REQUIRE(std::ranges::count(buffer.bytes, kPattern) ==
            static_cast<std::ptrdiff_t>(buffer.bytes.size()));
    if (i < in.size()) {
      REQUIRE(content == inputs[i]);
    } else {
      outputs.push_back(content);
    }
  }
  return outputs;
}

std::vector<Bytes> run(const std::shared_ptr<const Model>& model, const std::vector<Bytes>& inputs,
                       std::size_t batch, std::size_t misalignment) {
  octet_session session(model, {});
  return run(session, *model, inputs, batch, misalignment);
}

void check_runs(const Graph& graph, std::vector<Bytes> special) {
  std::size_t largest = 0;
  for (const kernels::Table* table : tables_here()) {
    largest = std::max(largest, 2 * make_model(graph, *table)->plan.block_samples + 3);
  }
  std::vector<Bytes> inputs = random_inputs(graph, largest);
  for (std::size_t i = 0; i < special.size(); ++i) {
    std::copy(special[i].begin(), special[i].end(), inputs[i].begin());
  }
  const std::vector<Bytes> expected = evaluate(graph, inputs, largest);
  for (const kernels::Table* table : tables_here()) {
    CAPTURE(std::string(table->name));
    const auto model = make_model(graph, *table);
    octet_session session(model, {});
    const std::size_t block = model->plan.block_samples;
    std::size_t misalignment = 0;  // by turns
    for (const std::size_t batch :
         {std::size_t{1}, std::size_t{2}, std::max<std::size_t>(block - 1, 1), block, block + 1,
          2 * block + 3}) {
      CAPTURE(batch);
      const auto some = first_samples(inputs, largest, batch);
      const auto wanted = first_samples(expected, largest, batch);
      REQUIRE(run(session, *model, some, batch, misalignment) == wanted);
      misalignment ^= 1;
    }
  }
}

}  // namespace octet::test
