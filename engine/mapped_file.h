// SPDX-License-Identifier: Apache-2.0
// The bytes of a file: mapped read-only, or copied to memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace octet::engine {

// A map of a file that another process shortens raises SIGBUS when it is read; a copy does not.
class MappedFile {
 public:
  enum class Mode { map, copy };

  // Throws octet::Error: io with the reason, limit where the file is larger than max_bytes.
  MappedFile(const std::string& path, Mode mode, std::uint64_t max_bytes);
  ~MappedFile();
  MappedFile(MappedFile&& other) noexcept;
  MappedFile& operator=(MappedFile&& other) noexcept;

  // Aligned to 64 bytes.
  std::span<const std::byte> bytes() const noexcept { return {data_, size_}; }

 private:
  void release() noexcept;

  Mode mode_;
  std::byte* data_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace octet::engine
