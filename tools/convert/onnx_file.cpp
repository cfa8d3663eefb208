// SPDX-License-Identifier: Apache-2.0
// ONNX files: reading, limits, protobuf.
#include "tools/convert/onnx_file.h"

#include <google/protobuf/stubs/logging.h>
#include <octet/octet.h>

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <limits>

#include "tools/data/sha256.h"

namespace octet::convert {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMaxFileBytes = std::numeric_limits<int>::max();  // protobuf's own limit

[[noreturn]] void fail(Error::Code code, const std::string& what, const std::string& reason) {
  throw Error(code, what + ": " + reason);
}

// The size of a regular file.
std::size_t file_size(const std::string& path, const std::string& what) {
  std::error_code error;
  const fs::file_status status = fs::status(path, error);
  if (status.type() == fs::file_type::not_found) {
    fail(Error::Code::io, what, "there is no such file; check the path");
  }
  if (error) fail(Error::Code::io, what, "cannot be read: " + error.message());
  if (fs::is_directory(status)) fail(Error::Code::io, what, "is a folder; give the file itself");
  if (!fs::is_regular_file(status)) {
    fail(Error::Code::io, what, "is not a regular file; copy it to one");
  }
  const std::uintmax_t size = fs::file_size(path, error);
  if (error) fail(Error::Code::io, what, "cannot be read: " + error.message());
  return static_cast<std::size_t>(size);
}

}  // namespace

std::string read_bytes(const std::string& path, const std::string& what, std::size_t offset,
                       std::size_t bytes) {
  const std::size_t size = file_size(path, what);
  if (offset > size || bytes > size - offset) {
    fail(Error::Code::format, what,
         "has " + std::to_string(size) + " bytes, too few for " + std::to_string(bytes) +
             " at offset " + std::to_string(offset) + "; export the model again");
  }
  std::string content(bytes, '\0');
  errno = 0;
  std::ifstream file(path, std::ios::binary);
  file.seekg(static_cast<std::streamoff>(offset));
  file.read(content.data(), static_cast<std::streamsize>(content.size()));
  if (!file) {
    fail(Error::Code::io, what,
         std::string("cannot be read: ") +
             (errno != 0 ? std::strerror(errno) : "it became shorter"));
  }
  return content;
}

OnnxFile read_onnx_file(const std::string& path) {
  const std::size_t size = file_size(path, path);
  if (size > kMaxFileBytes) {
    fail(Error::Code::limit, path,
         "has " + std::to_string(size) + " bytes, an ONNX file may have " +
             std::to_string(kMaxFileBytes) + "; save its weights as external data");
  }
  const std::string bytes = read_bytes(path, path, 0, size);
  if (bytes.empty()) fail(Error::Code::format, path, "is empty; export or copy the model again");
  if (bytes.starts_with("version https://git-lfs")) {
    fail(Error::Code::format, path, "is a Git LFS pointer, not the model; run `git lfs pull`");
  }

  OnnxFile file;
  bool parsed = false;
  {
    const google::protobuf::LogSilencer silence;
    parsed = file.model.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()));
  }
  if (!parsed) {
    fail(Error::Code::format, path,
         "is not an ONNX model, or was cut off: protobuf cannot parse its " +
             std::to_string(bytes.size()) + " bytes; export or copy the model again");
  }
  if (file.model.ir_version() <= 0 || !file.model.has_graph() ||
      file.model.graph().output_size() == 0) {
    fail(Error::Code::format, path,
         "is not an ONNX model, or was cut off: it has no IR version, no graph or no output; "
         "export or copy the model again");
  }
  file.sha256 = data::sha256_hex(bytes.data(), bytes.size());
  return file;
}

}  // namespace octet::convert
