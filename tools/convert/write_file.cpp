// SPDX-License-Identifier: Apache-2.0
// Writing a file whole or not at all.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <system_error>

#include "engine/errors.h"
#include "tools/convert/model_writer.h"

namespace octet::convert {
namespace {

// A new file of this process, removed unless commit() renames it.
class TemporaryFile {
 public:
  explicit TemporaryFile(const std::string& target) : target_(target) {
    // A name that exists is of another thread, or of a process that was killed.
    for (int attempt = 0; file_ < 0 && attempt < 100; ++attempt) {
      path_ = engine::message(target, ".", ::getpid(), "-", attempt, ".part");
      file_ = ::open(path_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
      if (file_ < 0 && errno != EEXIST) break;
    }
    if (file_ < 0) fail("cannot be created");
  }
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;
  ~TemporaryFile() {
    if (file_ >= 0) ::close(file_);
    if (!committed_) ::unlink(path_.c_str());
  }

  void write(const char* data, std::size_t bytes) const {
    while (bytes > 0) {
      const ssize_t done = ::write(file_, data, bytes);
      if (done < 0 && errno == EINTR) continue;
      if (done < 0) fail("cannot be written");
      data += done;
      bytes -= static_cast<std::size_t>(done);
    }
  }

  void commit() {
    if (::fsync(file_) != 0) fail("cannot be flushed");
    const int closed = ::close(file_);
    file_ = -1;
    if (closed != 0) fail("cannot be closed");
    if (std::rename(path_.c_str(), target_.c_str()) != 0) fail("cannot be renamed to its name");
    committed_ = true;
  }

 private:
  [[noreturn]] void fail(const char* what) const {
    engine::fail(Error::Code::io, target_, ": ", what, ": ",
                 std::generic_category().message(errno));
  }

  const std::string& target_;
  std::string path_;
  int file_ = -1;
  bool committed_ = false;
};

}  // namespace

void write_file(const std::string& path, const void* data, std::size_t bytes) {
  // Renaming over a device such as /dev/stdout would replace it.
  struct stat info {};
  if (::stat(path.c_str(), &info) == 0 && !S_ISREG(info.st_mode)) {
    engine::fail(Error::Code::io, path, ": is ",
                 S_ISDIR(info.st_mode) ? "a directory" : "no regular file",
                 "; name a file to write");
  }
  TemporaryFile file(path);
  file.write(static_cast<const char*>(data), bytes);
  file.commit();
}

}  // namespace octet::convert
