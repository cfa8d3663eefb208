// SPDX-License-Identifier: Apache-2.0
// A model file's graph for the command, with the bytes that its constants point to.
#include <utility>

#include "engine/inspect.h"
#include "engine/mapped_file.h"
#include "engine/model_file.h"

namespace octet::engine {

LoadedGraph read_graph(const std::string& path, const Limits& limits) {
  const MappedFile file(path, MappedFile::Mode::copy, limits.file_bytes);
  LoadedGraph loaded{};
  loaded.storage.assign(file.bytes().begin(), file.bytes().end());
  ParsedModel parsed = parse_model(loaded.storage, path, limits);
  loaded.graph = std::move(parsed.graph);
  loaded.arithmetic_version = parsed.arithmetic_version;
  loaded.reader_version = parsed.reader_version;
  return loaded;
}

}  // namespace octet::engine
