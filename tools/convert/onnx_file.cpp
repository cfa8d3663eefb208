// SPDX-License-Identifier: Apache-2.0
// ONNX files: reading, limits, protobuf.
#include "tools/convert/onnx_file.h"

#include <google/protobuf/stubs/logging.h>

#include <algorithm>
#include <cstdint>
#include <limits>

#include "engine/errors.h"
#include "tools/convert/onnx_wire.h"
#include "tools/convert/regular_file.h"
#include "tools/data/sha256.h"

namespace octet::convert {
namespace {

constexpr std::size_t kMaxFileBytes = std::numeric_limits<int>::max();  // protobuf's own limit

}  // namespace

OnnxFile read_onnx_file(const std::string& path, const ImportLimits& limits) {
  const RegularFile regular(path, path);
  const std::size_t size = regular.size();
  const auto most = std::min<std::uint64_t>(kMaxFileBytes, limits.memory_bytes);
  if (size > most) {
    engine::fail(Error::Code::limit, path, ": has ", size, " bytes, an ONNX file may have ", most,
                 "; save its weights as external data");
  }
  const std::string bytes = regular.read(0, size);
  const auto refuse = [&](const auto&... reason) {
    engine::fail(Error::Code::format, path, ": ", reason...);
  };
  if (bytes.empty()) refuse("is empty; export or copy the model again");
  if (bytes.starts_with("version https://git-lfs")) {
    refuse("is a Git LFS pointer, not the model; run `git lfs pull`");
  }

  OnnxFile file;
  file.memory_bytes = check_wire(bytes, path, limits);
  bool parsed = false;
  {
    const google::protobuf::LogSilencer silence;
    parsed = file.model.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()));
  }
  const auto incomplete = [&](const auto&... reason) {
    refuse("is not an ONNX model, or was cut off: ", reason..., "; export or copy the model again");
  };
  const onnx::ModelProto& model = file.model;
  if (!parsed) incomplete("protobuf cannot parse its ", size, " bytes");
  if (!model.has_ir_version()) incomplete("it has no IR version");
  if (model.ir_version() <= 0) incomplete("it has the IR version ", model.ir_version());
  if (!model.has_graph()) incomplete("it has no graph");
  if (model.graph().output_size() == 0) incomplete("its graph has no output");
  file.sha256 = data::sha256_hex(bytes.data(), bytes.size());
  return file;
}

}  // namespace octet::convert
