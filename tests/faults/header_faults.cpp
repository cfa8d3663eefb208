// SPDX-License-Identifier: Apache-2.0
// The forty bytes before the metadata, the size of the file, and its checksum.
#include <sys/mman.h>

#include "tests/engine/model_bytes.h"
#include "tests/faults/malformed.h"

namespace octet::test {
namespace {

using engine::FileHeader;

constexpr std::uint64_t kMost = ~std::uint64_t{0};

// The golden file with another header and a right checksum.
Malformed header(const char* name, void (*change)(FileHeader&), const std::string& message) {
  return {name,
          [change] {
            ModelBytes file;
            FileHeader changed = file.header();
            change(changed);
            file.set_header(changed);
            file.repair();
            return parse(file.bytes);
          },
          message};
}

Malformed bytes(const char* name, void (*change)(ModelBytes&), const std::string& message) {
  return {name,
          [change] {
            ModelBytes file;
            change(file);
            return parse(file.bytes);
          },
          message};
}

// Address space that is read at its beginning only.
std::string parse_huge_metadata() {
  const std::size_t size = (std::size_t{1} << 31) + 64;
  void* memory = ::mmap(nullptr, size, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED) return "no address space";
  FileHeader header = ModelBytes().header();
  header.metadata_bytes = std::uint64_t{1} << 31;
  header.data_bytes = 0;
  std::memcpy(memory, &header, sizeof header);
  std::string said = parse({static_cast<const std::byte*>(memory), size});
  ::munmap(memory, size);
  return said;
}

}  // namespace

MalformedFiles header_faults() {
  const std::string magic =
      "format: net.octet: is no octet model: it does not begin with octet's eight bytes; make one"
      " with 'octet convert'";
  return {
      bytes(
          "magic/no bytes", [](ModelBytes& f) { f.bytes.resize(0), f.bytes.reserve(1); }, magic),
      bytes(
          "magic/seven bytes", [](ModelBytes& f) { f.bytes.resize(7); }, magic),
      header(
          "magic/sent as text", [](FileHeader& h) { h.magic[6] = '\n'; }, magic),
      bytes(
          "a file of the magic alone", [](ModelBytes& f) { f.bytes.resize(8); },
          "format: net.octet: is cut short: has 8 bytes, the header alone has 40"),
      bytes(
          "a header cut by a byte", [](ModelBytes& f) { f.bytes.resize(39); },
          "format: net.octet: is cut short: has 39 bytes, the header alone has 40"),
      bytes(
          "a file without metadata", [](ModelBytes& f) { f.bytes.resize(40); },
          "format: net.octet: is cut short: has 40 bytes, its header announces 2608 of metadata"
          " and 840 of data"),
      bytes(
          "a file cut by a byte", [](ModelBytes& f) { f.bytes.pop_back(); },
          "format: net.octet: is cut short: has 3527 bytes, its header announces 2608 of metadata"
          " and 840 of data"),
      bytes(
          "a file with a byte too much", [](ModelBytes& f) { f.bytes.push_back(std::byte{0}); },
          "format: net.octet: has 3529 bytes, its header announces 3528; something was appended"),
      header(
          "a layout of the future", [](FileHeader& h) { h.container_version = 2; },
          "unsupported: net.octet: has layout version 2, this octet reads version 1; update octet "
          "or"
          " convert again"),
      header(
          "layout version 0", [](FileHeader& h) { h.container_version = 0; },
          "unsupported: net.octet: has layout version 0, this octet reads version 1; update octet "
          "or"
          " convert again"),
      header(
          "a reader of the future", [](FileHeader& h) { h.reader_version = 4; },
          "unsupported: net.octet: needs reader version 4, this octet has version 3; update octet"),
      header(
          "reader version 0", [](FileHeader& h) { h.reader_version = 0; },
          "format: net.octet: has reader version 0"),
      header(
          "metadata of 2^64 - 1 bytes", [](FileHeader& h) { h.metadata_bytes = kMost; },
          "format: net.octet: is cut short: has 3528 bytes, its header announces"
          " 18446744073709551615 of metadata and 840 of data"),
      header(
          "sizes whose sum wraps to the file's", [](FileHeader& h) { h.data_bytes = kMost - 63; },
          "format: net.octet: is cut short: has 3528 bytes, its header announces 2608 of metadata"
          " and 18446744073709551552 of data"),
      header(
          "metadata as large as the file", [](FileHeader& h) { h.metadata_bytes = 3528; },
          "format: net.octet: is cut short: has 3528 bytes, its header announces 3528 of metadata"
          " and 840 of data"),
      header(
          "data of a byte less", [](FileHeader& h) { h.data_bytes -= 1; },
          "format: net.octet: has 3528 bytes, its header announces 3527; something was appended"),
      header(
          "no metadata", [](FileHeader& h) { h.metadata_bytes = 0; },
          "format: net.octet: has 3528 bytes, its header announces 904; something was appended"),
      {"metadata of 2 GiB", parse_huge_metadata,
       "limit: net.octet: has 2147483648 bytes of metadata, at most 2147483646 can be read"},
      bytes(
          "a wrong checksum", [](ModelBytes& f) { f.bytes[32] = f.bytes[33] = std::byte{0}; },
          "format: net.octet: is damaged: its checksum is 862e14e8a41d0000, its contents give "
          "862e14e8a41d2bca;"
          " copy or convert it again"),
      bytes(
          "a flipped bit of the metadata", [](ModelBytes& f) { f.bytes[100] ^= std::byte{1}; },
          "format: net.octet: is damaged: its checksum is 862e14e8a41d2bca, its contents give "
          "c376e8ea987bf0c0;"
          " copy or convert it again"),
      bytes(
          "a flipped bit of the padding", [](ModelBytes& f) { f.bytes[2650] ^= std::byte{1}; },
          "format: net.octet: is damaged: its checksum is 862e14e8a41d2bca, its contents give "
          "2fa7d3d7f48f0a36;"
          " copy or convert it again"),
      bytes(
          "a flipped bit of the data", [](ModelBytes& f) { f.bytes.back() ^= std::byte{128}; },
          "format: net.octet: is damaged: its checksum is 862e14e8a41d2bca, its contents give "
          "2f2de358f1675f3c;"
          " copy or convert it again"),
  };
}

}  // namespace octet::test
