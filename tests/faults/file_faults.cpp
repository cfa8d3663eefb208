// SPDX-License-Identifier: Apache-2.0
// What can be wrong with a file whatever its bytes: its kind, its size, and an operating system
// that fails in the middle. The program is linked with --wrap for the calls that fail here.
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "tests/engine/model_bytes.h"
#include "tests/faults/malformed.h"
#include "tests/tools/temporary_folder.h"

namespace {

enum class Call { none, fstat, mmap, read, read_end };
Call failing = Call::none;

}  // namespace

extern "C" {
int __real_fstat(int file, struct stat* info);
void* __real_mmap(void* at, size_t bytes, int protection, int flags, int file, off_t offset);
ssize_t __real_read(int file, void* to, size_t bytes);

int __wrap_fstat(int file, struct stat* info) {
  if (failing != Call::fstat) return __real_fstat(file, info);
  errno = EIO;
  return -1;
}
void* __wrap_mmap(void* at, size_t bytes, int protection, int flags, int file, off_t offset) {
  if (failing != Call::mmap) return __real_mmap(at, bytes, protection, flags, file, offset);
  errno = ENOMEM;
  return MAP_FAILED;
}
ssize_t __wrap_read(int file, void* to, size_t bytes) {
  if (failing == Call::none) return __real_read(file, to, bytes);
  if (failing == Call::read_end) return 0;
  errno = EIO;
  return -1;
}
}

namespace octet::test {
namespace {

// Loads a path and puts net.octet into the message in its place.
std::string load(const std::string& path, bool copy = false, const octet_limits& limits = {},
                 Call fails = Call::none) {
  const octet_load_options options{nullptr, copy ? 1 : 0, limits};
  octet_model* model = nullptr;
  octet_error error{};
  failing = fails;
  const octet_status status = octet_model_load(path.c_str(), &options, &model, &error);
  failing = Call::none;
  octet_model_free(model);
  std::string text = error.message;
  if (text.starts_with(path)) text.replace(0, path.size(), "net.octet");
  return status == OCTET_OK ? "ok" : std::string(octet_status_name(status)) + ": " + text;
}

}  // namespace

MalformedFiles file_faults() {
  const auto golden = [](bool copy, const octet_limits& limits, Call fails) {
    return [=] { return load(kGolden, copy, limits, fails); };
  };
  return {
      {"no file", [] { return load("/nowhere/net.octet"); },
       "io: net.octet: there is no such file; check the path"},
      {"a directory", [] { return load(TemporaryFolder().path()); },
       "io: net.octet: is a directory, not a model file"},
      {"a pipe",
       [] {
         const TemporaryFolder folder;
         const std::string pipe = folder / "pipe";
         return ::mkfifo(pipe.c_str(), 0600) == 0 ? load(pipe) : "no pipe";
       },
       "io: net.octet: is no regular file, not a model file"},
      {"magic/an empty file, mapped",
       [] {
         const TemporaryFolder folder;
         return load(folder.write("empty", ""));
       },
       "format: net.octet: is no octet model: it does not begin with octet's eight bytes; make one"
       " with 'octet convert'"},
      {"magic/an empty file, copied",
       [] {
         const TemporaryFolder folder;
         return load(folder.write("empty", ""), true);
       },
       "format: net.octet: is no octet model: it does not begin with octet's eight bytes; make one"
       " with 'octet convert'"},
      {"a file larger than the limit", golden(false, {3000, 0, 0, 0}, Call::none),
       "limit: net.octet: has 3528 bytes, the limit file_bytes is 3000"},
      {"a file that cannot be examined", golden(false, {}, Call::fstat),
       "io: net.octet: cannot be examined: Input/output error"},
      {"a file that cannot be mapped", golden(false, {}, Call::mmap),
       "io: net.octet: cannot be mapped: Cannot allocate memory"},
      {"a file that cannot be read", golden(true, {}, Call::read),
       "io: net.octet: cannot be read: Input/output error"},
      {"a file that is shortened while it is read", golden(true, {}, Call::read_end),
       "io: net.octet: was shortened from 3528 to 0 bytes while it was read"},
  };
}

}  // namespace octet::test
