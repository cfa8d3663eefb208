// SPDX-License-Identifier: Apache-2.0
// open, fstat, then mmap or a read loop.
#include "engine/mapped_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <new>
#include <system_error>
#include <utility>

#include "engine/errors.h"

namespace octet::engine {
namespace {

constexpr std::align_val_t kFileAlignment{64};

[[noreturn]] void fail_io(const std::string& path, const char* what) {
  fail(Error::Code::io, path, ": ", what, ": ", std::generic_category().message(errno));
}

class Descriptor {
 public:
  // A pipe without a writer must not block before it is refused.
  explicit Descriptor(const std::string& path)
      : value_(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)) {
    if (value_ >= 0) return;
    if (errno == ENOENT) fail(Error::Code::io, path, ": there is no such file; check the path");
    fail_io(path, "cannot be opened");
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() { ::close(value_); }
  int get() const noexcept { return value_; }

 private:
  int value_;
};

void read_all(int file, const std::string& path, std::byte* data, std::size_t size) {
  for (std::size_t done = 0; done < size;) {
    const ssize_t got = ::read(file, data + done, size - done);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) fail_io(path, "cannot be read");
    if (got == 0) {
      fail(Error::Code::io, path, ": was shortened from ", size, " to ", done,
           " bytes while it was read");
    }
    done += static_cast<std::size_t>(got);
  }
}

}  // namespace

MappedFile::MappedFile(const std::string& path, Mode mode, std::uint64_t max_bytes) : mode_(mode) {
  const Descriptor file(path);
  struct stat info {};
  if (::fstat(file.get(), &info) != 0) fail_io(path, "cannot be examined");
  if (!S_ISREG(info.st_mode)) {
    fail(Error::Code::io, path, ": is ", S_ISDIR(info.st_mode) ? "a directory" : "no regular file",
         ", not a model file");
  }
  const auto size = static_cast<std::uint64_t>(info.st_size);
  if (size > max_bytes) {
    fail(Error::Code::limit, path, ": has ", size, " bytes, the limit file_bytes is ", max_bytes);
  }
  if (size == 0) return;
  if (mode == Mode::map) {
    // Every byte is about to be read for the checksum: one call instead of many page faults.
    void* data = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE | MAP_POPULATE, file.get(), 0);
    if (data == MAP_FAILED) fail_io(path, "cannot be mapped");
    data_ = static_cast<std::byte*>(data);
    size_ = size;
    return;
  }
  data_ = static_cast<std::byte*>(::operator new(size, kFileAlignment));
  size_ = size;
  try {
    read_all(file.get(), path, data_, size_);
  } catch (...) {
    release();
    throw;
  }
}

void MappedFile::release() noexcept {
  if (data_ == nullptr) return;
  if (mode_ == Mode::map) {
    ::munmap(data_, size_);
  } else {
    ::operator delete(data_, kFileAlignment);
  }
  data_ = nullptr;
  size_ = 0;
}

MappedFile::~MappedFile() {
  release();
}

MappedFile::MappedFile(MappedFile&& other) noexcept
    : mode_(other.mode_),
      data_(std::exchange(other.data_, nullptr)),
      size_(std::exchange(other.size_, 0)) {}

MappedFile& MappedFile::operator=(MappedFile&& other) noexcept {
  std::swap(mode_, other.mode_);
  std::swap(data_, other.data_);
  std::swap(size_, other.size_);
  return *this;
}

}  // namespace octet::engine
