// SPDX-License-Identifier: Apache-2.0
// check_output looks at paths only; the file may still fail to be written.
#include "tools/command/output_file.h"

#include <filesystem>
#include <system_error>

#include "engine/errors.h"
#include "tools/command/print.h"

namespace octet::command {

namespace fs = std::filesystem;

void check_output(const std::string& path, const char* option, const std::string& network,
                  std::span<const std::string> inputs) {
  if (path.empty()) {
    engine::fail(Error::Code::argument, option, ": is given no file name; add one");
  }
  std::error_code error;
  if (fs::equivalent(path, network, error)) {
    engine::fail(Error::Code::argument, path, ": is the network itself; give ", option,
                 " another name");
  }
  for (const std::string& input : inputs) {
    if (!fs::equivalent(path, input, error)) continue;
    engine::fail(Error::Code::argument, path, ": is what is read, and would be lost; give ", option,
                 " another name");
  }
  const fs::file_status status = fs::status(path, error);
  if (fs::is_directory(status)) {
    engine::fail(Error::Code::io, path, ": is a folder; give ", option, " a file name");
  }
  if (fs::exists(status) && !fs::is_regular_file(status)) {
    engine::fail(Error::Code::io, path, ": is no regular file; give ", option, " a file name");
  }
  const fs::path folder = fs::path(path).parent_path();
  if (!folder.empty() && !fs::is_directory(folder, error)) {
    engine::fail(Error::Code::io, path, ": there is no folder ", folder.string(),
                 "; create it first");
  }
}

bool same_file(const std::string& a, const std::string& b) {
  std::error_code error;
  if (fs::equivalent(a, b, error)) return true;
  const fs::path first = fs::weakly_canonical(a, error);
  return !error && first == fs::weakly_canonical(b, error) && !error;
}

void OutputFiles::add(const std::string& path, std::span<const std::byte> bytes) {
  files_.emplace_back(path, bytes.data(), bytes.size());
}

void OutputFiles::add(const std::string& path, const std::string& text) {
  files_.emplace_back(path, text.data(), text.size());
}

void OutputFiles::commit() {
  flush_stdout();
  for (convert::PendingFile& file : files_) file.commit();
  files_.clear();
}

}  // namespace octet::command
