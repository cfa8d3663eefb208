// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <utility>

#include "tests/fuzz/model_mutators.h"

namespace octet::fuzz {
namespace {

void mutate(std::vector<std::uint8_t>& part, std::size_t room) {
  const std::size_t size = part.size();
  part.resize(size + room);
  part.resize(LLVMFuzzerMutate(part.data(), size, part.size()));
}

// A header for bytes that have none: all that follows it is metadata, up to where data could begin.
ModelParts parts_of(Input bytes) {
  ModelParts parts{};
  parts.header.magic = engine::kMagic;
  parts.header.container_version = engine::kContainerVersion;
  parts.header.reader_version = engine::kReaderVersion;
  const std::size_t skipped = std::min(bytes.size(), sizeof parts.header);
  const Input rest = bytes.subspan(skipped);
  parts.metadata.assign(rest.begin(), rest.end());
  return parts;
}

}  // namespace

std::size_t mutate_bytes(std::uint8_t* data, std::size_t size, std::size_t max_size,
                         unsigned seed) {
  if (seed % 4 == 0) return LLVMFuzzerMutate(data, size, max_size);
  const Input file(data, size);
  std::optional<ModelParts> split = split_model(file);
  ModelParts parts = split ? std::move(*split) : parts_of(file);
  parts.header.magic = engine::kMagic;
  parts.header.container_version = engine::kContainerVersion;
  parts.header.reader_version = 1 + seed / 64 % engine::kReaderVersion;
  const std::size_t room = max_size > size + 128 ? (max_size - size - 128) : 0;
  // Most of what a file can say wrong it says in its metadata.
  mutate(seed / 4 % 8 == 0 && !parts.data.empty() ? parts.data : parts.metadata, room);
  const std::vector<std::uint8_t> result = join_model(parts);
  if (result.size() > max_size) return LLVMFuzzerMutate(data, size, max_size);
  std::copy(result.begin(), result.end(), data);
  return result.size();
}

}  // namespace octet::fuzz
