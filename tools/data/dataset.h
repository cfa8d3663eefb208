// SPDX-License-Identifier: Apache-2.0
// What DATA on the command line means: samples for a network's inputs, and labels.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "tools/data/array.h"

namespace octet::data {

struct Dataset {
  std::string name;                   // DATA, for messages
  std::vector<Array> inputs;          // one per network input: u8, s8 or f32, all of the same rows
  std::vector<std::string> paths;     // their files
  std::vector<std::uint32_t> labels;  // one per row; empty unless asked for
  std::string labels_path;

  std::size_t samples() const noexcept { return inputs.front().rows(); }
};

enum class Half : std::uint8_t { train, test };

enum class Labels : std::uint8_t { none, where_given, needed };

struct DatasetRequest {
  Half half = Half::test;
  std::size_t inputs = 1;  // of the network
  Labels labels = Labels::none;
  std::size_t limit = std::numeric_limits<std::size_t>::max();  // the first samples are taken
};

// data is a folder with MNIST's IDX files, plain or .gz (`train-...` or `t10k-...`, by half), or
// .npy files joined by commas: one per network input in the network's order, then the labels, which
// may be given where they are not asked for. Throws octet::Error with path, both numbers, remedy.
Dataset load_dataset(const std::string& data, const DatasetRequest& request);

// The same of arrays, each what a .npy file of the list would hold; request.limit is theirs
// already. Throws octet::Error, which names them by number from 0.
Dataset make_dataset(const std::vector<Array>& arrays, const DatasetRequest& request);

// A .npy file of samples: u8, s8, f32, or f64, which becomes f32. Throws octet::Error.
Array read_samples(const std::string& path,
                   std::size_t max_rows = std::numeric_limits<std::size_t>::max());

}  // namespace octet::data
