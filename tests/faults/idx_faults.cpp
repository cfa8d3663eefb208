// SPDX-License-Identifier: Apache-2.0
// IDX files, plain and gzipped, that are none or lie about their size.
#include "tests/faults/malformed.h"
#include "tests/faults/read_data.h"
#include "tests/tools/idx_bytes.h"
#include "tools/data/idx.h"

namespace octet::test {
namespace {

Malformed idx(const char* name, const std::string& file, const std::string& message) {
  return {name, [file] { return read_data(file, [](auto& path) { data::read_idx(path); }); },
          message};
}

std::string zipped() {
  std::string data(5000, '\0');
  for (std::size_t i = 0; i < data.size(); ++i) data[i] = static_cast<char>(i * i >> 3);
  return gzip(idx_file({5, 1000}, data));
}

std::string with_wrong_crc(std::string file) {
  file[file.size() - 6] = static_cast<char>(file[file.size() - 6] ^ 1);
  return file;
}

}  // namespace

MalformedFiles idx_faults() {
  const std::string file = idx_file({3, 2}, "abcdef");
  const std::string none =
      "format: data: not an IDX file: it must begin with two zero bytes, a type and a rank";
  const std::string small = gzip(idx_file({60000, 28, 28}, "abc"));
  const std::string again = "; get the file again";
  return {
      idx("not IDX/no bytes", "", none),
      idx("not IDX/a picture", "\x89PNG....", none),
      idx("IDX of floats", std::string("\0\0\x0d\x01\0\0\0\0", 8),
          "unsupported: data: IDX element type 0x0d, only 0x08 (unsigned byte) is read; convert the"
          " data to a .npy file"),
      idx("IDX of rank 0", std::string("\0\0\x08\0", 4),
          "format: data: IDX rank 0, expected 1 to 8"),
      idx("IDX of rank 9", std::string("\0\0\x08\x09", 4),
          "format: data: IDX rank 9, expected 1 to 8"),
      idx("IDX cut in its header", file.substr(0, 9),
          "format: data: ends inside its header: rank 2, but only 1 extents" + again),
      idx("IDX cut by two bytes", file.substr(0, file.size() - 2),
          "format: data: holds at most 4 bytes of data, its header declares 3 x 2 = 6" + again),
      idx("IDX cut by two bytes, zipped", gzip(file.substr(0, file.size() - 2)),
          "format: data: holds 4 bytes of data, its header declares 3 x 2 = 6" + again),
      idx("IDX with a byte too much", file + "g",
          "format: data: holds more than 6 bytes of data, its header declares 3 x 2 = 6" + again),
      idx("IDX of 47 MB in 3 bytes", idx_file({60000, 28, 28}, "abc"),
          "format: data: holds at most 3 bytes of data, its header declares 60000 x 28 x 28 ="
          " 47040000" +
              again),
      idx("IDX of 47 MB, zipped", small,
          "format: data: holds at most " + std::to_string(small.size() * 1032 - 16) +
              " bytes of data, its header declares 60000 x 28 x 28 ="
              " 47040000" +
              again),
      idx("IDX of more than 2^64 bytes",
          idx_file({0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff}, ""),
          "limit: data: its header declares 4294967295 x 4294967295 x 4294967295 x 4294967295"
          " elements of 1 bytes, more than the limit of 17179869184 bytes; split the file"),
      idx("IDX of no rows of more than 2^64 bytes",
          idx_file({0, 0xffffffff, 0xffffffff, 0xffffffff}, ""),
          "limit: data: its header declares 0 x 4294967295 x 4294967295 x 4294967295 elements of 1"
          " bytes, more than the limit of 17179869184 bytes; split the file"),
      idx("a gzip stream cut in the middle", zipped().substr(0, zipped().size() / 2),
          "format: data: cannot be read: data: unexpected end of file" + again),
      idx("a gzip stream with a wrong CRC", with_wrong_crc(zipped()),
          "format: data: cannot be read: data: incorrect data check" + again),
      {"no IDX file", [] { return error_of([] { data::read_idx("/nowhere/data"); }); },
       "io: /nowhere/data: there is no such file; check the path"},
      {"an IDX file that is a folder", [] { return error_of([] { data::read_idx("/"); }); },
       "io: /: not a regular file; give the path of a data file"},
  };
}

}  // namespace octet::test
