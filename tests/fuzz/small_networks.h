// SPDX-License-Identifier: Apache-2.0
// Networks to call: their bytes, a file, one run's result. Small, since calls are what matters.
#pragma once

#include <octet/octet_c.h>

#include <array>

#include "tests/engine/random_graph.h"
#include "tests/fuzz/memory_file.h"
#include "tools/convert/model_writer.h"

namespace octet::fuzz {

using Bytes = std::vector<std::byte>;

// A model file, and what one sample of fixed inputs gives.
struct Network {
  Bytes file;
  MemoryFile path;
  std::vector<Bytes> inputs;
  std::vector<Bytes> outputs;

  explicit Network(const octet::engine::Graph& graph) : file(octet::convert::write_model(graph)) {
    path.write({reinterpret_cast<const std::uint8_t*>(file.data()), file.size()});
    octet_model* model = nullptr;
    expect(octet_model_parse(file.data(), file.size(), "net", nullptr, &model, nullptr) == OCTET_OK,
           "a small model does not load");
    octet_session* session = nullptr;
    octet_session_create(model, nullptr, &session, nullptr);
    octet_tensor_info info{};
    for (std::size_t i = 0; octet_model_input(model, i, &info) == OCTET_OK; ++i) {
      inputs.emplace_back(info.sample_bytes, std::byte{0x3d});
    }
    for (std::size_t i = 0; octet_model_output(model, i, &info) == OCTET_OK; ++i) {
      outputs.emplace_back(info.sample_bytes);
    }
    std::vector<octet_input> in;
    std::vector<octet_output> out;
    for (const Bytes& bytes : inputs) in.push_back({bytes.data(), bytes.size()});
    for (Bytes& bytes : outputs) out.push_back({bytes.data(), bytes.size()});
    expect(octet_session_run(session, in.data(), in.size(), out.data(), out.size(), 1) == OCTET_OK,
           "a small model does not run");
    octet_session_free(session);
    octet_model_free(model);
  }
};

// One to three inputs, one or two outputs, two or three nodes.
inline const std::array<Network, 3>& networks() {
  static const std::array<Network, 3> made = {Network(octet::test::RandomGraph(11).graph()),
                                              Network(octet::test::RandomGraph(20).graph()),
                                              Network(octet::test::RandomGraph(35).graph())};
  return made;
}

}  // namespace octet::fuzz
