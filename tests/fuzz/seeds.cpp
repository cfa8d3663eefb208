// SPDX-License-Identifier: Apache-2.0
// Writes the inputs that the targets start from: fuzz_seeds FOLDER makes FOLDER/TARGET/NUMBER.
#include <filesystem>
#include <fstream>
#include <iostream>
#include <string>

#include "tests/engine/random_graph.h"
#include "tests/fuzz/random_onnx.h"
#include "tools/convert/model_writer.h"
#include "tools/data/npy.h"

namespace octet::fuzz {
namespace {

namespace fs = std::filesystem;

void write(const fs::path& folder, std::size_t number, std::string_view bytes) {
  fs::create_directories(folder);
  std::ofstream file(folder / std::to_string(number), std::ios::binary);
  file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  if (!file) throw std::runtime_error("cannot write to " + folder.string());
}

std::string random_bytes(std::uint64_t seed, std::size_t count) {
  data::SplitMix64 random(seed);
  std::string bytes(count, '\0');
  for (char& byte : bytes) byte = static_cast<char>(random.next() >> 56);
  return bytes;
}

// The graphs of the golden files, and random ones of every op.
void write_models(const fs::path& root) {
  std::size_t number = 0;
  const auto add = [&](const engine::Graph& graph) {
    const std::vector<std::byte> file = convert::write_model(graph);
    if (file.size() > 4096) return;
    const std::string_view bytes(reinterpret_cast<const char*>(file.data()), file.size());
    for (const char* target : {"load", "load_and_run", "model_mutation"}) {
      write(root / target, number, bytes);
    }
    ++number;
  };
  add(test::every_op_graph().graph);
  add(test::version_2_graph().graph);
  add(test::version_3_graph().graph);
  for (std::uint32_t seed = 1; seed <= 200; ++seed) add(test::RandomGraph(seed).graph());
}

void write_onnx(const fs::path& root) {
  for (std::size_t number = 0; number < 600; ++number) {
    const std::string bytes = random_bytes(number, 40 + number % 200);
    write(root / "onnx_structured", number, bytes);
    const RandomOnnx made({reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()});
    const std::string model = made.model().SerializeAsString();
    if (model.size() <= 4096) write(root / "onnx_import", number, model);
  }
}

void write_arrays(const fs::path& root) {
  using data::ArrayType;
  std::size_t number = 0;
  for (const ArrayType type : {ArrayType::u8, ArrayType::s8, ArrayType::i32, ArrayType::i64,
                               ArrayType::f32, ArrayType::f64}) {
    for (const std::vector<std::size_t>& shape :
         {std::vector<std::size_t>{}, {3}, {2, 3}, {0, 4}, {2, 1, 2}}) {
      std::size_t bytes = data::type_bytes(type);
      for (const std::size_t extent : shape) bytes *= extent;
      const std::vector<std::byte> content(bytes, std::byte{7});
      const std::vector<std::byte> file = data::npy_file(type, shape, content);
      write(root / "npy", number++, {reinterpret_cast<const char*>(file.data()), file.size()});
    }
  }
  using namespace std::string_literals;
  const std::string header = "\0\0\x08\x02\0\0\0\x03\0\0\0\x02"s;
  write(root / "idx", 0, "\0"s + header + "123456");  // see idx.cpp for the first byte
  write(root / "idx", 1, "\1"s + header + "123456");
  write(root / "idx", 2, "\2"s + "\0\0\x08\x01\0\0\0\x05"s + "12345");
}

// For targets that read their input as a list of choices.
void write_bytes(const fs::path& root) {
  for (const char* target : {"gemm", "elementwise", "requantize", "onnx_external",
                             "allocation_failures", "float_linear", "api_calls"}) {
    for (std::size_t number = 0; number < 64; ++number) {
      write(root / target, number, random_bytes(number, 16 + 4 * number));
    }
  }
}

}  // namespace
}  // namespace octet::fuzz

int main(int count, char** arguments) {
  if (count != 2) {
    std::cerr << "usage: fuzz_seeds FOLDER\n";
    return 2;
  }
  const std::filesystem::path root = arguments[1];
  octet::fuzz::write_models(root);
  octet::fuzz::write_onnx(root);
  octet::fuzz::write_arrays(root);
  octet::fuzz::write_bytes(root);
}
