// SPDX-License-Identifier: Apache-2.0
// A model file and what a host needs to run it, through the public API.
#pragma once

#include <octet/octet.h>

#include <string>
#include <vector>

#include "tests/engine/networks.h"
#include "tests/tools/temporary_folder.h"
#include "tools/convert/model_writer.h"

namespace octet::test {

// In layers and sizes what models/mnist_mlp.onnx becomes.
inline std::vector<std::byte> mnist_like() {
  return convert::write_model(mlp({784, 100, 100, 10}).graph);
}

// A loaded model with buffers for one sample, offset bytes off their alignment.
class Host {
 public:
  explicit Host(const std::string& path, const LoadOptions& options = {}, std::size_t offset = 0)
      : model(Model::load(path, options)), session(model) {
    add_buffers(offset);
  }
  Host(const std::string& path, const Executor& executor)
      : model(Model::load(path)), session(model, executor) {
    add_buffers(0);
  }
  octet_status run() noexcept { return session.run(inputs_, outputs_, 1); }
  std::vector<std::vector<std::byte>> outputs() const {
    return {memory_.begin() + static_cast<std::ptrdiff_t>(model.inputs()), memory_.end()};
  }

  Model model;
  Session session;

 private:
  void add_buffers(std::size_t offset) {
    const auto buffer = [&](std::size_t bytes) {
      auto& memory = memory_.emplace_back(bytes + offset);
      for (std::size_t i = 0; i < bytes; ++i) memory[i + offset] = std::byte(i % 64);
      return memory.data() + offset;
    };
    for (std::size_t i = 0; i < model.inputs(); ++i) {
      const std::size_t bytes = model.input(i).sample_bytes;
      inputs_.push_back({buffer(bytes), bytes});
    }
    for (std::size_t i = 0; i < model.outputs(); ++i) {
      const std::size_t bytes = model.output(i).sample_bytes;
      outputs_.push_back({buffer(bytes), bytes});
    }
  }
  std::vector<std::vector<std::byte>> memory_;
  std::vector<Input> inputs_;
  std::vector<Output> outputs_;
};

}  // namespace octet::test
