// SPDX-License-Identifier: Apache-2.0
// Writing files whole or not at all.
#pragma once

#include <cstddef>
#include <string>

namespace octet::convert {

// A new file that does not have its name yet.
class PendingFile {
 public:
  // Writes and flushes it as PATH.PROCESS-NUMBER.part, beside path: renaming is then all that is
  // left. What a killed process left there of the same path is removed first. Throws octet::Error
  // (io); no partial file is left.
  PendingFile(const std::string& path, const void* data, std::size_t bytes);
  PendingFile(PendingFile&& other) noexcept;
  PendingFile(const PendingFile&) = delete;
  PendingFile& operator=(const PendingFile&) = delete;
  PendingFile& operator=(PendingFile&&) = delete;
  ~PendingFile();  // removes it, unless commit() was called

  // Gives it its name, in place of a file that has it. Throws octet::Error (io), and then has not;
  // once it has, nothing fails, nor allocates.
  void commit();

 private:
  [[noreturn]] void fail(const char* what) const;
  void create();
  void write(const char* data, std::size_t bytes) const;

  std::string target_;
  std::string path_;
  int file_ = -1;
  int folder_ = -1;  // that of target_, where it can be opened
};

// Both at once.
void write_file(const std::string& path, const void* data, std::size_t bytes);

}  // namespace octet::convert
