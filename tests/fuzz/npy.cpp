// SPDX-License-Identifier: Apache-2.0
// Any bytes to the reader of .npy files; what is read and written again must be read the same.
#include "tools/data/npy.h"

#include <octet/octet.h>

#include "tests/fuzz/memory_file.h"

using namespace octet::fuzz;
using octet::data::Array;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static Count inputs("inputs");
  static Count read("read");
  static const MemoryFile file;
  ++inputs;
  file.write({data, size});
  try {
    const Array array = octet::data::read_npy(file.path());
    ++read;
    const auto again = octet::data::npy_file(array.type, array.shape, array.data);
    file.write({reinterpret_cast<const std::uint8_t*>(again.data()), again.size()});
    const Array same = octet::data::read_npy(file.path());
    expect(same.type == array.type && same.shape == array.shape && same.data == array.data,
           "an array that is written and read again differs");
    const std::size_t rows = size % 4;
    const Array first = octet::data::read_npy(file.path(), rows);
    expect(array.shape.empty() || first.shape[0] == std::min(rows, array.shape[0]),
           "a limit of rows is not kept");
  } catch (const octet::Error& error) {
    expect(*error.what() != '\0', "an error without a message");
  }
  return 0;
}
