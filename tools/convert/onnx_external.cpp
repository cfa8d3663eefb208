// SPDX-License-Identifier: Apache-2.0
// A model file may name any path: open_beneath() looks at it before anything is opened.
#include "tools/convert/onnx_external.h"

#include <charconv>
#include <filesystem>

#include "engine/errors.h"
#include "tools/convert/open_beneath.h"

namespace octet::convert {
namespace {

// Text of the file that may hold anything.
std::string shown(const std::string& text) {
  constexpr std::size_t kMost = 256;
  if (!engine::is_printable(text)) return "(not printable)";
  return text.size() <= kMost ? text : engine::message("(", text.size(), " bytes)");
}

std::size_t parse_size(const std::string& text, const std::string& key, const std::string& what) {
  std::size_t value = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  if (error == std::errc() && stop == end) return value;
  engine::fail(Error::Code::format, what, " has external data with ", key, " '", shown(text), "', ",
               text.starts_with('-')                     ? "which is negative"
               : error == std::errc::result_out_of_range ? "more than 64 bits hold"
                                                         : "which is no size",
               "; export the model again");
}

}  // namespace

std::string read_external_data(const onnx::TensorProto& tensor, std::size_t bytes,
                               const std::string& model_path, const std::string& what) {
  std::string location;
  std::size_t offset = 0;
  std::size_t length = bytes;
  for (const onnx::StringStringEntryProto& entry : tensor.external_data()) {
    if (entry.key() == "location") location = entry.value();
    if (entry.key() == "offset") offset = parse_size(entry.value(), entry.key(), what);
    if (entry.key() == "length") length = parse_size(entry.value(), entry.key(), what);
  }
  if (length != bytes) {
    engine::fail(Error::Code::format, what, " has ", length,
                 " bytes of external data, its shape needs ", bytes, "; export the model again");
  }
  std::string folder = std::filesystem::path(model_path).parent_path().string();
  if (folder.empty()) folder = ".";
  const std::string name = "'" + shown(location) + "'";
  return RegularFile(open_beneath(folder, location, what + " has its data in " + name),
                     what + ": external data " + name)
      .read(offset, bytes);
}

}  // namespace octet::convert
