// SPDX-License-Identifier: Apache-2.0
// Reads IDX through zlib, which passes plain files on unchanged.
#include "tools/data/idx.h"

#include <zlib.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>

#include "engine/errors.h"

namespace octet::data {
namespace {

constexpr std::size_t kMaxIdxRank = 8;
constexpr std::size_t kChunk = std::size_t{1} << 20;
// Deflate spends at least two bits on 258 bytes.
constexpr std::uint64_t kMaxDeflateRatio = 1032;

class Stream {
 public:
  explicit Stream(const std::string& path) : path_(path), bytes_(file_bytes(path)) {
    errno = 0;
    file_.reset(gzopen(path.c_str(), "rb"));
    if (!file_) {
      engine::fail(Error::Code::io, path,
                   ": cannot be opened: ", (errno != 0 ? std::strerror(errno) : "out of memory"));
    }
    gzbuffer(file_.get(), 1U << 17);
  }

  // Fewer bytes than asked for only at the end of the file.
  std::size_t read(void* to, std::size_t bytes) {
    const int got = gzread(file_.get(), to, static_cast<unsigned>(bytes));
    int code = Z_OK;
    const char* message = gzerror(file_.get(), &code);
    if (got < 0 || (code != Z_OK && code != Z_STREAM_END)) {
      const bool io = code == Z_ERRNO;
      engine::fail(io ? Error::Code::io : Error::Code::format, path_,
                   ": cannot be read: ", (io ? std::strerror(errno) : message),
                   "; get the file again");
    }
    done_ += static_cast<std::size_t>(got);
    return static_cast<std::size_t>(got);
  }

  // The most bytes that this file can still give.
  std::uint64_t capacity() {
    return (gzdirect(file_.get()) != 0 ? bytes_ : bytes_ * kMaxDeflateRatio) - done_;
  }

 private:
  struct Close {
    void operator()(gzFile_s* file) const noexcept { gzclose(file); }
  };
  std::string path_;
  std::uint64_t bytes_;
  std::uint64_t done_ = 0;
  std::unique_ptr<gzFile_s, Close> file_;
};

std::size_t big_endian(const std::uint8_t* bytes) {
  return (std::size_t{bytes[0]} << 24) | (std::size_t{bytes[1]} << 16) |
         (std::size_t{bytes[2]} << 8) | std::size_t{bytes[3]};
}

std::vector<std::size_t> read_header(const std::string& path, Stream& stream) {
  std::array<std::uint8_t, 4> magic{};
  const std::size_t got = stream.read(magic.data(), magic.size());
  if (got < magic.size() || magic[0] != 0 || magic[1] != 0) {
    engine::fail(Error::Code::format, path,
                 ": not an IDX file: it must begin with two zero bytes, a type and a rank");
  }
  if (magic[2] != 0x08) {
    char type[8];
    std::snprintf(type, sizeof type, "0x%02x", magic[2]);
    engine::fail(Error::Code::unsupported, path, ": IDX element type ", type,
                 ", only 0x08 (unsigned byte) is read; convert the "
                 "data to a .npy file");
  }
  if (magic[3] == 0 || magic[3] > kMaxIdxRank) {
    engine::fail(Error::Code::format, path, ": IDX rank ", magic[3], ", expected 1 to ",
                 kMaxIdxRank);
  }
  std::vector<std::size_t> shape;
  for (std::size_t i = 0; i < magic[3]; ++i) {
    std::array<std::uint8_t, 4> extent{};
    if (stream.read(extent.data(), extent.size()) < extent.size()) {
      engine::fail(Error::Code::format, path, ": ends inside its header: rank ", magic[3],
                   ", but only ", i, " extents; get the file again");
    }
    shape.push_back(big_endian(extent.data()));
  }
  return shape;
}

[[noreturn]] void wrong_length(const std::string& path, const Array& array, const char* relation,
                               std::uint64_t held, std::uint64_t declared) {
  engine::fail(Error::Code::format, path, ": holds ", relation, held,
               " bytes of data, its header declares ", shape_text(array.shape), " = ", declared,
               "; get the file again");
}

}  // namespace

Array read_idx(const std::string& path, std::size_t max_rows) {
  Stream stream(path);
  Array array;
  array.shape = read_header(path, stream);
  const std::uint64_t declared = checked_bytes(path, array.shape, 1);
  if (declared > stream.capacity()) {
    wrong_length(path, array, "at most ", stream.capacity(), declared);
  }
  const std::size_t rows = std::min(max_rows, array.shape[0]);
  const std::uint64_t kept = array.shape[0] == 0 ? 0 : declared / array.shape[0] * rows;

  // Memory grows with the bytes that really arrive, never ahead on the header's word.
  std::vector<std::byte> rest;
  for (std::uint64_t done = 0; done < declared;) {
    std::size_t want = static_cast<std::size_t>(std::min<std::uint64_t>(declared - done, kChunk));
    std::byte* to = nullptr;
    if (done < kept) {
      want = static_cast<std::size_t>(std::min<std::uint64_t>(want, kept - done));
      array.data.resize(array.data.size() + want);
      to = array.data.data() + done;
    } else {
      rest.resize(want);
      to = rest.data();
    }
    const std::size_t got = stream.read(to, want);
    done += got;
    if (got < want) wrong_length(path, array, "", done, declared);
  }
  std::byte extra{};
  if (stream.read(&extra, 1) != 0) wrong_length(path, array, "more than ", declared, declared);
  array.shape[0] = rows;
  return array;
}

}  // namespace octet::data
