// SPDX-License-Identifier: Apache-2.0
// A model file may name any path: everything here is checked before a byte is read.
#include "tools/convert/onnx_external.h"

#include <octet/octet.h>

#include <algorithm>
#include <charconv>
#include <filesystem>

#include "tools/convert/onnx_file.h"

namespace octet::convert {
namespace {

namespace fs = std::filesystem;

std::size_t parse_size(const std::string& text, const std::string& key, const std::string& what) {
  std::size_t value = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc() || stop != end) {
    throw Error(Error::Code::format, what + " has external data with " + key + " '" + text +
                                         "', which is no size; export the model again");
  }
  return value;
}

// location as a real path beneath the model's folder.
std::string resolve(const std::string& location, const std::string& model_path,
                    const std::string& what) {
  const fs::path relative(location);
  const bool climbs = std::any_of(relative.begin(), relative.end(),
                                  [](const fs::path& part) { return part == ".."; });
  if (location.empty() || relative.is_absolute() || climbs ||
      location.find('\0') != std::string::npos) {
    throw Error(Error::Code::format,
                what + " has its data in '" + location.c_str() +
                    "'; only files beneath the model's folder are read: put the file there and "
                    "export the model with its relative path");
  }
  fs::path folder = fs::path(model_path).parent_path();
  if (folder.empty()) folder = ".";
  std::error_code error;
  const fs::path root = fs::canonical(folder, error);
  const fs::path real = error ? fs::path() : fs::canonical(root / relative, error);
  if (error) {
    throw Error(Error::Code::io, what + " has its data in '" + location +
                                     "', which cannot be read: " + error.message() +
                                     "; copy the file beside the model");
  }
  if (std::mismatch(root.begin(), root.end(), real.begin(), real.end()).first != root.end()) {
    throw Error(Error::Code::format, what + " has its data in '" + location +
                                         "', a link that leaves the model's folder; copy the file "
                                         "itself beside the model");
  }
  return real.string();
}

}  // namespace

std::string read_external_data(const onnx::TensorProto& tensor, std::size_t bytes,
                               const std::string& model_path) {
  const std::string what = model_path + ": initializer '" + tensor.name() + "'";
  std::string location;
  std::size_t offset = 0;
  std::size_t length = bytes;
  for (const onnx::StringStringEntryProto& entry : tensor.external_data()) {
    if (entry.key() == "location") location = entry.value();
    if (entry.key() == "offset") offset = parse_size(entry.value(), entry.key(), what);
    if (entry.key() == "length") length = parse_size(entry.value(), entry.key(), what);
  }
  if (length != bytes) {
    throw Error(Error::Code::format, what + " has " + std::to_string(length) +
                                         " bytes of external data, its shape needs " +
                                         std::to_string(bytes) + "; export the model again");
  }
  const std::string path = resolve(location, model_path, what);
  return read_bytes(path, what + ": external data '" + location + "'", offset, bytes);
}

}  // namespace octet::convert
