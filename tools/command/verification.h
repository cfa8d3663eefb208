// SPDX-License-Identifier: Apache-2.0
// Runs a model on every kernel table, with several thread counts and batch splits, and compares the
// bytes.
#pragma once

#include <octet/octet.h>

#include <cstddef>
#include <functional>
#include <span>
#include <string>
#include <vector>

namespace octet::command {

// Samples as the model's inputs take them: per input, count * sample_bytes.
struct Samples {
  std::size_t count = 0;
  std::vector<std::vector<std::byte>> inputs;
};

struct Variant {
  std::string table;
  std::size_t threads = 1;
  std::string split;    // how the batch is cut into runs: "7+7+..."
  std::string kernels;  // the distinct kernels that ran, in their order
  std::string sha256;   // of all output bytes, output after output
};

struct Verification {
  std::vector<Variant> variants;  // the first is the reference: scalar, one thread, one run
  std::string difference;         // where the first variant that differs parts from it; else empty
};

// progress is told the variants done and how many there are. Throws octet::Error.
Verification verify_model(const std::string& path, const Samples& samples,
                          const std::function<void(std::size_t, std::size_t)>& progress);

// The first place where got parts from expected, per output the bytes of all samples: which output,
// sample and element, both values, both variants. The two must differ.
std::string describe_difference(std::span<const TensorInfo> outputs,
                                std::span<const std::vector<std::byte>> expected,
                                const Variant& reference,
                                std::span<const std::vector<std::byte>> got,
                                const Variant& variant);

}  // namespace octet::command
