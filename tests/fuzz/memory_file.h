// SPDX-License-Identifier: Apache-2.0
// An input as a file, for readers that want a path, without a file system.
#pragma once

#include <sys/mman.h>
#include <unistd.h>

#include <string>

#include "tests/fuzz/fuzz.h"

namespace octet::fuzz {

class MemoryFile {
 public:
  MemoryFile() : descriptor_(memfd_create("input", MFD_CLOEXEC)) {
    expect(descriptor_ >= 0, "no file in memory");
  }
  ~MemoryFile() { close(descriptor_); }
  MemoryFile(const MemoryFile&) = delete;
  MemoryFile& operator=(const MemoryFile&) = delete;

  // Replaces the content.
  void write(Input bytes) const {
    expect(ftruncate(descriptor_, 0) == 0, "the file in memory cannot be cut");
    const ssize_t done = pwrite(descriptor_, bytes.data(), bytes.size(), 0);
    expect(done == static_cast<ssize_t>(bytes.size()), "the file in memory cannot be written");
  }
  std::string path() const { return "/proc/self/fd/" + std::to_string(descriptor_); }

 private:
  int descriptor_;
};

}  // namespace octet::fuzz
