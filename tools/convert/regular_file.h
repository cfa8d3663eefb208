// SPDX-License-Identifier: Apache-2.0
// A file as it was opened: what is examined and what is read cannot become two different files.
#pragma once

#include <cstddef>
#include <string>

namespace octet::convert {

class Descriptor {
 public:
  explicit Descriptor(int value) noexcept : value_(value) {}
  Descriptor(Descriptor&& other) noexcept : value_(other.value_) { other.value_ = -1; }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  Descriptor& operator=(Descriptor&&) = delete;
  ~Descriptor();
  int get() const noexcept { return value_; }

 private:
  int value_;
};

// what stands for the path in messages. All throw octet::Error.
class RegularFile {
 public:
  // io if there is none, if it cannot be read, or if it is a folder, pipe or device.
  RegularFile(const std::string& path, const std::string& what);
  RegularFile(Descriptor file, std::string what);  // file: open for reading

  std::size_t size() const noexcept { return size_; }
  // `bytes` bytes from offset on: format if the file is too short, io.
  std::string read(std::size_t offset, std::size_t bytes) const;

 private:
  std::string what_;
  Descriptor file_;
  std::size_t size_ = 0;
};

}  // namespace octet::convert
