// SPDX-License-Identifier: Apache-2.0
// A small network and data for it, for tests of the command: 4 x 4 pixels, 4 classes.
#pragma once

#include <cstdint>
#include <string>

#include "tests/tools/idx_bytes.h"
#include "tests/tools/onnx_builder.h"
#include "tools/data/npy.h"
#include "tools/data/splitmix.h"

namespace octet::test {

inline constexpr std::size_t kTrain = 96;
inline constexpr std::size_t kTest = 64;
inline constexpr std::size_t kPixels = 16;
inline constexpr std::size_t kClasses = 4;

inline Floats random_floats(std::uint64_t seed, std::size_t n) {
  data::SplitMix64 random(seed);
  Floats values(n);
  for (float& value : values) {
    value = static_cast<float>(static_cast<std::int64_t>(random.next() >> 48) - 32768) / 32768.0F;
  }
  return values;
}

inline std::string random_bytes(std::uint64_t seed, std::size_t n) {
  data::SplitMix64 random(seed);
  std::string bytes(n, '\0');
  for (char& byte : bytes) byte = static_cast<char>(random.next() >> 56);
  return bytes;
}

// input [N,1,4,4] -> Flatten, Gemm 16x12, Relu, Gemm 12x4 -> logits.
inline OnnxBuilder small_network() {
  OnnxBuilder builder;
  builder.input("input", {-1, 1, 4, 4})
      .floats("w1", {12, 16}, random_floats(1, std::size_t{12} * 16))
      .floats("b1", {12}, random_floats(2, 12))
      .floats("w2", {4, 12}, random_floats(3, std::size_t{4} * 12))
      .floats("b2", {4}, random_floats(4, 4))
      .node("Flatten", {"input"}, {"flat"}, {}, "flatten")
      .node("Gemm", {"flat", "w1", "b1"}, {"hidden"}, {attribute("transB", 1)}, "fc1")
      .node("Relu", {"hidden"}, {"relu"}, {}, "relu1")
      .node("Gemm", {"relu", "w2", "b2"}, {"logits"}, {attribute("transB", 1)}, "fc2")
      .output("logits");
  return builder;
}

inline std::string write_array(const TemporaryFolder& folder, const std::string& name,
                               data::ArrayType type, std::vector<std::size_t> shape,
                               std::span<const std::byte> bytes) {
  return folder.write(name, data::npy_file(type, shape, bytes));
}

// A folder with net.onnx and MNIST-like files; labels are those that the caller gives.
inline std::string test_pixels() {
  return random_bytes(6, kTest * kPixels);
}
inline void write_data(const TemporaryFolder& folder, const std::string& labels) {
  folder.write("train-images-idx3-ubyte.gz",
               gzip(idx_file({kTrain, 4, 4}, random_bytes(5, kTrain * kPixels))));
  folder.write("t10k-images-idx3-ubyte", idx_file({kTest, 4, 4}, test_pixels()));
  folder.write("t10k-labels-idx1-ubyte", idx_file({kTest}, labels));
}

}  // namespace octet::test
