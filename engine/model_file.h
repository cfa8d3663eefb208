// SPDX-License-Identifier: Apache-2.0
// The model file: its layout, and bytes -> Graph. The metadata's schema is model.fbs; what writes a
// file is tools/convert/model_writer.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "engine/graph.h"

namespace octet::engine {

// A file is, all little-endian: FileHeader; metadata_bytes of FlatBuffer; zeros up to a multiple of
// kDataAlignment; data_bytes of tensor data, each tensor at a multiple of kDataAlignment from
// there. Nothing follows.
struct FileHeader {
  std::array<std::uint8_t, 8> magic;
  std::uint32_t container_version;  // of this layout
  std::uint32_t reader_version;     // the reader that the file's features need
  std::uint64_t metadata_bytes;
  std::uint64_t data_bytes;
  std::uint64_t checksum;  // file_checksum() of everything else in the file
};
static_assert(sizeof(FileHeader) == 40);

// The line end shows a transfer that took the file for text, as PNG's does.
inline constexpr std::array<std::uint8_t, 8> kMagic = {0x8F, 'O', 'C', 'T', 'E', 'T', '\r', '\n'};
inline constexpr std::uint32_t kContainerVersion = 1;
inline constexpr std::uint32_t kReaderVersion = 3;
inline constexpr std::size_t kDataAlignment = 64;

inline constexpr std::uint64_t align_data(std::uint64_t offset) noexcept {
  return (offset + kDataAlignment - 1) / kDataAlignment * kDataAlignment;
}
// Where the tensor data starts in the file.
inline constexpr std::uint64_t data_offset(std::uint64_t metadata_bytes) noexcept {
  return align_data(sizeof(FileHeader) + metadata_bytes);
}

// XXH64 of the header before its checksum, the metadata, and the rest (padding and data), each
// seeded by the one before it.
std::uint64_t file_checksum(const FileHeader& header, std::span<const std::byte> metadata,
                            std::span<const std::byte> rest) noexcept;

struct ParsedModel {
  Graph graph;  // constants point into the bytes that were parsed, at kDataAlignment
  std::uint32_t arithmetic_version;
  std::uint32_t reader_version;
};

// Who else may write to the bytes of a file while they are parsed.
enum class Owner : std::uint8_t { others, caller };

// Checks everything, check_graph() included, before it is used. name stands for the file in
// messages. bytes must be aligned to 16 (constants are aligned to 64 where bytes is) and outlive
// the graph; only the tensor data is read again after it was checked. Takes as much memory as the
// metadata for the graph, as much again to copy it where others own it, and 64 bytes for each of
// limits.tensors or, if that is less, its default. Throws octet::Error: format, unsupported (made
// for another version, an unknown op), limit, argument (alignment).
ParsedModel parse_model(std::span<const std::byte> bytes, const std::string& name,
                        const Limits& limits, Owner owner = Owner::others);

}  // namespace octet::engine
