// SPDX-License-Identifier: Apache-2.0
// Model files under mutation: their parts, and headers made right again so that most inputs pass
// the checksum and reach what lies behind it.
#pragma once

#include <octet/octet_c.h>

#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "engine/model_file.h"
#include "tests/fuzz/fuzz.h"

namespace octet::fuzz {

struct ModelParts {
  engine::FileHeader header;
  std::vector<std::uint8_t> metadata;
  std::vector<std::uint8_t> data;
};

// Nothing where the header does not describe the file.
std::optional<ModelParts> split_model(Input file);
// The file of these parts; its header gets their sizes and the checksum.
std::vector<std::uint8_t> join_model(const ModelParts& parts);
// Whether a file's magic, versions, sizes and checksum are right.
bool passes_checksum(Input file);

struct FreeModel {
  void operator()(octet_model* model) const noexcept { octet_model_free(model); }
};
using ModelPointer = std::unique_ptr<octet_model, FreeModel>;

// octet_model_parse with kLimits. The result's status and message must belong together.
struct Loaded {
  octet_status status;
  ModelPointer model;
};
inline constexpr octet_limits kLimits = {1 << 20, 512, 1 << 18, 1 << 16};
Loaded load_model(Input file);

// Loads on every table of this CPU and runs what loads: any two tables, batches and alignments must
// give the same bytes. Whether it loaded.
bool run_model(Input file);

}  // namespace octet::fuzz
