// SPDX-License-Identifier: Apache-2.0
// A walk with an open descriptor for every folder on the way, so that ".." in a link is the folder
// that it was reached from.
#include "tools/convert/open_beneath.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "engine/errors.h"

namespace octet::convert {
namespace {

constexpr int kMaxLinks = 40;  // as Linux has it

class Walk {
 public:
  Walk(const std::string& folder, const std::string& location, std::string what)
      : what_(std::move(what)) {
    check(location);
    push_parts(location);
    folders_.emplace_back(::open(folder.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
    if (folders_.back().get() < 0) fail_io();
  }

  Descriptor open() {
    while (!rest_.empty()) {
      const std::string part = std::move(rest_.back());
      rest_.pop_back();
      if (part == "..") {
        if (folders_.size() == 1) refuse_link();
        folders_.pop_back();
        continue;
      }
      // Only a handle: opening a device or a pipe may do something.
      Descriptor handle(
          ::openat(folders_.back().get(), part.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC));
      struct stat info {};
      if (handle.get() < 0 || ::fstat(handle.get(), &info) != 0) fail_io();
      if (S_ISLNK(info.st_mode)) {
        follow(part);
      } else if (S_ISDIR(info.st_mode)) {
        folders_.push_back(std::move(handle));
      } else if (!rest_.empty()) {
        refuse("which passes through '", part, "', no folder; export the model again");
      } else {
        return open_file(part, info);
      }
    }
    fail(Error::Code::io, "a folder; name a file in it");
  }

 private:
  template <class... Parts>
  [[noreturn]] void fail(Error::Code code, const Parts&... reason) const {
    engine::fail(code, what_, ", ", reason...);
  }
  template <class... Parts>
  [[noreturn]] void refuse(const Parts&... reason) const {
    fail(Error::Code::format, reason...);
  }
  [[noreturn]] void fail_io() const {
    fail(Error::Code::io, "which cannot be read: ", std::generic_category().message(errno),
         "; copy the file beside the model");
  }
  [[noreturn]] void refuse_link() const {
    refuse("a link that leaves the model's folder; copy the file itself beside the model");
  }

  void check(std::string_view location) const {
    constexpr const char* kRemedy =
        "only files beneath the model's folder are read: put the file there and export the model "
        "with its relative path";
    if (location.empty()) refuse("an empty path; ", kRemedy);
    if (location.find('\0') != std::string_view::npos) refuse("with a NUL inside; ", kRemedy);
    if (location.front() == '/') refuse("an absolute path; ", kRemedy);
    if (location.back() == '/') refuse("which ends in a slash and so is a folder; ", kRemedy);
    if (location.size() >= PATH_MAX) refuse("of ", location.size(), " bytes; ", kRemedy);
    for (std::size_t begin = 0; begin <= location.size();) {
      const std::size_t end = std::min(location.find('/', begin), location.size());
      if (location.substr(begin, end - begin) == "..") {
        refuse("a path with '..' in it; ", kRemedy);
      }
      begin = end + 1;
    }
  }

  // In front of what is left: last part first.
  void push_parts(std::string_view path) {
    for (std::size_t end = path.size(); end > 0;) {
      const std::size_t slash = path.rfind('/', end - 1);
      const std::size_t begin = slash == std::string_view::npos ? 0 : slash + 1;
      const std::string_view part = path.substr(begin, end - begin);
      if (!part.empty() && part != ".") rest_.emplace_back(part);
      end = begin == 0 ? 0 : slash;
    }
  }

  void follow(const std::string& link) {
    if (++links_ > kMaxLinks) refuse("a link that leads in a circle; copy the file itself there");
    char target[PATH_MAX];
    const ssize_t size = ::readlinkat(folders_.back().get(), link.c_str(), target, sizeof target);
    if (size < 0) fail_io();
    const std::string_view path(target, static_cast<std::size_t>(size));
    if (path.starts_with('/')) refuse_link();
    push_parts(path);
  }

  Descriptor open_file(const std::string& name, const struct stat& seen) const {
    if (!S_ISREG(seen.st_mode)) {
      fail(Error::Code::io,
           S_ISFIFO(seen.st_mode)   ? "a pipe"
           : S_ISSOCK(seen.st_mode) ? "a socket"
                                    : "a device",
           ", not a regular file; copy its content to one");
    }
    // It may have become something else since: RegularFile looks again at what this opens.
    Descriptor file(::openat(folders_.back().get(), name.c_str(),
                             O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
    if (file.get() < 0) fail_io();
    return file;
  }

  std::string what_;
  std::vector<Descriptor> folders_;  // from the model's on, each in the one before
  std::vector<std::string> rest_;    // parts to come, the next one last
  int links_ = 0;
};

}  // namespace

Descriptor open_beneath(const std::string& folder, const std::string& location,
                        const std::string& what) {
  return Walk(folder, location, what).open();
}

}  // namespace octet::convert
