// SPDX-License-Identifier: Apache-2.0
// open, fstat, pread.
#include "tools/convert/regular_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>
#include <utility>

#include "engine/errors.h"

namespace octet::convert {
namespace {

Descriptor open_file(const std::string& path, const std::string& what) {
  // A pipe without a writer must not block before it is refused.
  Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  if (file.get() >= 0) return file;
  if (errno == ENOENT)
    engine::fail(Error::Code::io, what, ": there is no such file; check the path");
  if (errno == ENXIO) {  // a socket
    engine::fail(Error::Code::io, what, ": is not a regular file; copy it to one");
  }
  engine::fail(Error::Code::io, what, ": cannot be read: ", std::generic_category().message(errno));
}

}  // namespace

Descriptor::~Descriptor() {
  if (value_ >= 0) ::close(value_);
}

RegularFile::RegularFile(const std::string& path, const std::string& what)
    : RegularFile(open_file(path, what), what) {}

RegularFile::RegularFile(Descriptor file, std::string what)
    : what_(std::move(what)), file_(std::move(file)) {
  struct stat info {};
  if (::fstat(file_.get(), &info) != 0) {
    engine::fail(Error::Code::io, what_,
                 ": cannot be read: ", std::generic_category().message(errno));
  }
  if (S_ISDIR(info.st_mode)) {
    engine::fail(Error::Code::io, what_, ": is a folder; give the file itself");
  }
  if (!S_ISREG(info.st_mode)) {
    engine::fail(Error::Code::io, what_, ": is not a regular file; copy it to one");
  }
  size_ = static_cast<std::size_t>(info.st_size);
}

std::string RegularFile::read(std::size_t offset, std::size_t bytes) const {
  if (offset > size_ || bytes > size_ - offset) {
    engine::fail(Error::Code::format, what_, ": has ", size_, " bytes, too few for ", bytes,
                 " at offset ", offset, "; export the model again");
  }
  std::string content(bytes, '\0');
  for (std::size_t done = 0; done < bytes;) {
    const ssize_t got = ::pread(file_.get(), content.data() + done, bytes - done,
                                static_cast<off_t>(offset + done));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) {
      engine::fail(Error::Code::io, what_,
                   ": cannot be read: ", std::generic_category().message(errno));
    }
    if (got == 0) engine::fail(Error::Code::io, what_, ": cannot be read: it became shorter");
    done += static_cast<std::size_t>(got);
  }
  return content;
}

}  // namespace octet::convert
