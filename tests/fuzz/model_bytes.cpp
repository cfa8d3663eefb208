// SPDX-License-Identifier: Apache-2.0
#include "tests/fuzz/model_bytes.h"

#include <algorithm>

namespace octet::fuzz {

using engine::data_offset;
using engine::FileHeader;

std::optional<ModelParts> split_model(Input file) {
  ModelParts parts;
  if (file.size() < sizeof parts.header) return std::nullopt;
  std::memcpy(&parts.header, file.data(), sizeof parts.header);
  const std::uint64_t most = file.size();
  const FileHeader& header = parts.header;
  if (header.metadata_bytes > most || header.data_bytes > most ||
      data_offset(header.metadata_bytes) + header.data_bytes != most) {
    return std::nullopt;
  }
  const Input metadata = file.subspan(sizeof header, header.metadata_bytes);
  const Input data = file.last(header.data_bytes);
  parts.metadata.assign(metadata.begin(), metadata.end());
  parts.data.assign(data.begin(), data.end());
  return parts;
}

std::vector<std::uint8_t> join_model(const ModelParts& parts) {
  FileHeader header = parts.header;
  header.metadata_bytes = parts.metadata.size();
  header.data_bytes = parts.data.size();
  std::vector<std::uint8_t> file(data_offset(header.metadata_bytes) + header.data_bytes);
  std::copy(parts.metadata.begin(), parts.metadata.end(), file.begin() + sizeof header);
  std::copy(parts.data.begin(), parts.data.end(),
            file.end() - static_cast<std::ptrdiff_t>(parts.data.size()));
  const auto bytes = std::as_bytes(std::span(file)).subspan(sizeof header);
  header.checksum = engine::file_checksum(header, bytes.first(parts.metadata.size()),
                                          bytes.subspan(parts.metadata.size()));
  std::memcpy(file.data(), &header, sizeof header);
  return file;
}

bool passes_checksum(Input file) {
  FileHeader header{};
  if (file.size() < sizeof header) return false;
  std::memcpy(&header, file.data(), sizeof header);
  const std::uint64_t most = file.size();
  if (header.magic != engine::kMagic || header.container_version != engine::kContainerVersion ||
      header.reader_version == 0 || header.reader_version > engine::kReaderVersion ||
      header.metadata_bytes > most || header.data_bytes > most ||
      data_offset(header.metadata_bytes) + header.data_bytes != most) {
    return false;
  }
  const auto bytes = std::as_bytes(file).subspan(sizeof header);
  return header.checksum == engine::file_checksum(header, bytes.first(header.metadata_bytes),
                                                  bytes.subspan(header.metadata_bytes));
}

Loaded load_model(Input file) {
  octet_load_options options{};
  options.limits = kLimits;
  octet_error error{};
  octet_model* model = nullptr;
  // The null pointer is the caller's mistake, a file of no bytes the file's.
  static const std::uint8_t nothing = 0;
  const octet_status status = octet_model_parse(file.empty() ? &nothing : file.data(), file.size(),
                                                "input", &options, &model, &error);
  Loaded loaded{status, ModelPointer(model)};
  expect((status == OCTET_OK) == (model != nullptr), "a model and its status disagree");
  expect(error.status == status, "the error has another status");
  expect((error.message[0] == '\0') == (status == OCTET_OK), "an error without a message");
  expect(status == OCTET_OK || status == OCTET_FORMAT || status == OCTET_UNSUPPORTED ||
             status == OCTET_LIMIT,
         "the status does not blame the file");
  return loaded;
}

}  // namespace octet::fuzz
