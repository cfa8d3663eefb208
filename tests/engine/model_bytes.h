// SPDX-License-Identifier: Apache-2.0
// A model file in memory, to be damaged and, if a test wants that, given a right checksum again.
#pragma once

#include <algorithm>
#include <cstring>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

#include "engine/mapped_file.h"
#include "engine/metadata.h"
#include "engine/model_file.h"
#include "tests/engine/test_error.h"

namespace octet::test {

// Holds every_op_graph(), as version 1 of the writer wrote it.
inline const std::string kGolden = OCTET_SOURCE_DIR "/tests/golden/v1.octet";
inline const std::string kGolden2 = OCTET_SOURCE_DIR "/tests/golden/v2.octet";
inline const std::string kGolden3 = OCTET_SOURCE_DIR "/tests/golden/v3.octet";

// Makes the checksum of a file right again, whatever its header says; the header must be whole.
inline void repair_checksum(std::span<std::byte> file) {
  engine::FileHeader header;
  std::memcpy(&header, file.data(), sizeof header);
  const std::span<const std::byte> body = file.subspan(sizeof header);
  const std::size_t split = std::min<std::size_t>(header.metadata_bytes, body.size());
  header.checksum = engine::file_checksum(header, body.first(split), body.subspan(split));
  std::memcpy(file.data(), &header, sizeof header);
}

struct ModelBytes {
  std::vector<std::byte> bytes;

  // The golden file.
  explicit ModelBytes(const std::string& path = kGolden) {
    const engine::MappedFile file(path, engine::MappedFile::Mode::map, 1 << 20);
    bytes.assign(file.bytes().begin(), file.bytes().end());
  }
  // A file with metadata of the test's own and zeros as data.
  ModelBytes(octet_flatbuffers::FlatBufferBuilder& builder, std::size_t data_bytes)
      : bytes(engine::data_offset(builder.GetSize()) + data_bytes) {
    const engine::FileHeader header{engine::kMagic,
                                    engine::kContainerVersion,
                                    engine::kReaderVersion,
                                    builder.GetSize(),
                                    data_bytes,
                                    0};
    std::memcpy(bytes.data(), &header, sizeof header);
    if (builder.GetSize() > 0) {
      std::memcpy(bytes.data() + sizeof header, builder.GetBufferPointer(), builder.GetSize());
    }
    repair();
  }

  engine::FileHeader header() const {
    engine::FileHeader result;
    std::memcpy(&result, bytes.data(), sizeof result);
    return result;
  }
  void set_header(const engine::FileHeader& header) {
    std::memcpy(bytes.data(), &header, sizeof header);
  }
  void repair() { repair_checksum(bytes); }
  // Changes a scalar field that is present.
  template <class T, class Table>
  void set(const Table* table, std::uint16_t field, T value) {
    auto* at = const_cast<std::uint8_t*>(
        reinterpret_cast<const octet_flatbuffers::Table*>(table)->GetAddressOf(field));
    if (at == nullptr) throw std::logic_error("the field is absent");
    std::memcpy(at, &value, sizeof value);
  }
  const fb::Model& model() const {
    return *fb::GetModel(bytes.data() + sizeof(engine::FileHeader));
  }

  std::string error(const engine::Limits& limits = {}) const {
    return error_of([&] { engine::parse_model(bytes, "net.octet", limits); });
  }
};

}  // namespace octet::test
