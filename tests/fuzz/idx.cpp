// SPDX-License-Identifier: Apache-2.0
// Any bytes to the reader of IDX files: as they are, or gzipped first. The input's first byte says
// which, and how many rows are kept.
#include "tools/data/idx.h"

#include <octet/octet.h>
#include <zlib.h>

#include "tests/fuzz/memory_file.h"

using namespace octet::fuzz;

namespace {

std::vector<std::uint8_t> gzip(Input bytes, int level) {
  z_stream stream{};
  expect(deflateInit2(&stream, level, Z_DEFLATED, 15 + 16, 1, Z_DEFAULT_STRATEGY) == Z_OK, "zlib");
  std::vector<std::uint8_t> result(deflateBound(&stream, static_cast<uLong>(bytes.size())));
  stream.next_in = const_cast<Bytef*>(bytes.data());
  stream.avail_in = static_cast<uInt>(bytes.size());
  stream.next_out = result.data();
  stream.avail_out = static_cast<uInt>(result.size());
  expect(deflate(&stream, Z_FINISH) == Z_STREAM_END, "zlib");
  result.resize(stream.total_out);
  deflateEnd(&stream);
  return result;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static Count inputs("inputs");
  static Count read("read");
  static const MemoryFile file;
  if (size == 0) return 0;
  ++inputs;
  const unsigned how = *data;
  const Input content(data + 1, size - 1);
  if (how % 4 == 1) {
    file.write(gzip(content, static_cast<int>(how / 4 % 2)));
  } else {
    file.write(content);
  }
  const std::size_t rows = how < 128 ? how : std::numeric_limits<std::size_t>::max();
  try {
    const octet::data::Array array = octet::data::read_idx(file.path(), rows);
    ++read;
    expect(array.data.size() == array.rows() * array.row_elements() && array.rows() <= rows,
           "shape and data disagree");
  } catch (const octet::Error& error) {
    expect(*error.what() != '\0', "an error without a message");
  }
  return 0;
}
