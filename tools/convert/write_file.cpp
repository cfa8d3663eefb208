// SPDX-License-Identifier: Apache-2.0
// A temporary name, flush, rename: at any moment, also when the process is killed or the machine
// stops, the file's name belongs to the old content or to all of the new.
#include "tools/convert/write_file.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <string_view>
#include <system_error>
#include <utility>

#include "engine/errors.h"

namespace octet::convert {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kSuffix = ".part";

fs::path folder_of(const std::string& path) {
  const fs::path folder = fs::path(path).parent_path();
  return folder.empty() ? "." : folder;
}

// Whether name is that of a temporary file for target: "target.PROCESS-NUMBER.part".
bool is_temporary(std::string_view name, std::string_view target) {
  if (!name.starts_with(target) || !name.ends_with(kSuffix)) return false;
  if (name.size() < target.size() + kSuffix.size() + 4) return false;
  name.remove_prefix(target.size());
  name.remove_suffix(kSuffix.size());
  return name.front() == '.' && std::ranges::count(name, '-') == 1 &&
         name.find_first_not_of("0123456789-", 1) == std::string_view::npos;
}

// Whoever writes a temporary file holds its lock, which ends with the process.
bool lock(int file) {
  return ::flock(file, LOCK_EX | LOCK_NB) == 0;
}

// readdir, since std::filesystem's iterator ends the process where memory is out.
void remove_leftovers(const std::string& target) {
  const std::string name = fs::path(target).filename().string();
  DIR* const folder = ::opendir(folder_of(target).c_str());
  if (folder == nullptr) return;
  while (const dirent* entry = ::readdir(folder)) {
    if (!is_temporary(entry->d_name, name)) continue;
    const int file = ::openat(::dirfd(folder), entry->d_name,
                              O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (file < 0) continue;
    if (lock(file)) ::unlinkat(::dirfd(folder), entry->d_name, 0);
    ::close(file);
  }
  ::closedir(folder);
}

}  // namespace

PendingFile::PendingFile(const std::string& path, const void* data, std::size_t bytes)
    : target_(path) {
  // Renaming over a device such as /dev/stdout would replace it.
  struct stat info {};
  if (::stat(path.c_str(), &info) == 0 && !S_ISREG(info.st_mode)) {
    engine::fail(Error::Code::io, path, ": is ",
                 S_ISDIR(info.st_mode) ? "a directory" : "no regular file",
                 "; name a file to write");
  }
  remove_leftovers(path);
  create();
  try {
    write(static_cast<const char*>(data), bytes);
    if (::fsync(file_) != 0) fail("cannot be flushed");
    // The name too shall survive a power cut; where folders cannot be flushed, it may not.
    folder_ = ::open(folder_of(target_).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  } catch (...) {  // there is no destructor yet
    ::unlink(path_.c_str());
    ::close(file_);
    throw;
  }
}

PendingFile::PendingFile(PendingFile&& other) noexcept
    : target_(std::move(other.target_)),
      path_(std::move(other.path_)),
      file_(std::exchange(other.file_, -1)),
      folder_(std::exchange(other.folder_, -1)) {}

PendingFile::~PendingFile() {
  if (folder_ >= 0) ::close(folder_);
  if (file_ < 0) return;
  ::unlink(path_.c_str());
  ::close(file_);
}

void PendingFile::fail(const char* what) const {
  engine::fail(Error::Code::io, target_, ": ", what, ": ", std::generic_category().message(errno));
}

void PendingFile::create() {
  // A name that exists is of another thread, or of a process elsewhere that shares the folder.
  for (int attempt = 0; attempt < 100; ++attempt) {
    path_ = engine::message(target_, ".", ::getpid(), "-", attempt, kSuffix);
    file_ = ::open(path_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (file_ < 0 && errno == EEXIST) continue;
    if (file_ < 0) fail("cannot be created");
    // Not every file system has locks; leftovers then stay. Before the lock was taken, another
    // process may have thought the file one.
    struct stat info {};
    const bool free = lock(file_) || errno != EWOULDBLOCK;
    if (free && ::fstat(file_, &info) == 0 && info.st_nlink > 0) return;
    ::close(std::exchange(file_, -1));
  }
  errno = EEXIST;
  fail("cannot be created");
}

void PendingFile::write(const char* data, std::size_t bytes) const {
  while (bytes > 0) {
    const ssize_t done = ::write(file_, data, bytes);
    if (done < 0 && errno == EINTR) continue;
    if (done < 0) fail("cannot be written");
    data += done;
    bytes -= static_cast<std::size_t>(done);
  }
}

void PendingFile::commit() {
  if (std::rename(path_.c_str(), target_.c_str()) != 0) fail("cannot be renamed to its name");
  ::close(std::exchange(file_, -1));
  if (folder_ >= 0) ::fsync(folder_);
}

void write_file(const std::string& path, const void* data, std::size_t bytes) {
  PendingFile(path, data, bytes).commit();
}

}  // namespace octet::convert
