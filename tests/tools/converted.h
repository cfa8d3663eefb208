// SPDX-License-Identifier: Apache-2.0
// The small network converted by the command, and what the tests of the command read from files.
#pragma once

#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "tests/tools/shell.h"
#include "tests/tools/small_network.h"
#include "tools/command/feed.h"

namespace octet::test {

inline std::vector<float> logits_in(const std::string& npy) {
  const data::Array array = data::read_npy(npy);
  REQUIRE(array.type == data::ArrayType::f32);
  REQUIRE(array.shape == std::vector<std::size_t>{kTest, kClasses});
  return {array.as<float>().begin(), array.as<float>().end()};
}

inline std::string answers(const std::vector<float>& logits) {
  std::string result;
  for (auto row = logits.begin(); row != logits.end(); row += kClasses) {
    result += static_cast<char>(std::max_element(row, row + kClasses) - row);
  }
  return result;
}

// The test half of the data as float32, as the network was trained on it.
inline std::vector<float> test_floats(const command::Normalization& normalization) {
  const auto values = command::pixel_values(normalization);
  std::vector<float> floats;
  for (const char p : test_pixels()) floats.push_back(values[static_cast<std::uint8_t>(p)]);
  return floats;
}

// A network, data whose labels are the float network's own answers, and the model made of them.
struct Converted {
  TemporaryFolder folder;
  std::string onnx = small_network().write(folder);
  std::string model = folder / "net.octet";
  std::string normalize = "0.5,0.25";
  command::Normalization normalization{0.5F, 0.25F};
  Result convert;

  Converted() {
    const auto floats = test_floats(normalization);
    const auto x = write_array(folder, "x.npy", data::ArrayType::f32, {kTest, 16},
                               std::as_bytes(std::span(floats)));
    REQUIRE(octet_command({"run", onnx, "--input", x, "--output", folder / "y.npy"}).status == 0);
    write_data(folder, answers(logits_in(folder / "y.npy")));
    convert = octet_command(
        {"convert", onnx, "-o", model, "--calibrate", folder.path(), "--normalize", normalize});
    INFO(convert.err);
    REQUIRE(convert.status == 0);
  }
};

}  // namespace octet::test
