// SPDX-License-Identifier: Apache-2.0
// A model file's graph for the command, with the bytes that its constants point to.
#include <utility>

#include "engine/inspect.h"
#include "engine/model_file.h"

namespace octet::engine {

LoadedGraph read_graph(const std::string& path, const Limits& limits) {
  MappedFile file(path, MappedFile::Mode::copy, limits.file_bytes);
  ParsedModel parsed = parse_model(file.bytes(), path, limits, Owner::caller);
  return {std::move(parsed.graph), std::move(file), parsed.arithmetic_version,
          parsed.reader_version};
}

}  // namespace octet::engine
