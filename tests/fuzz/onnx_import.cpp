// SPDX-License-Identifier: Apache-2.0
// Any bytes to the ONNX importer, then to the simplifier.
#include "tools/convert/onnx_import.h"

#include <octet/octet.h>

#include "tests/fuzz/memory_file.h"
#include "tests/fuzz/mutate_onnx.h"
#include "tools/convert/simplify.h"

using namespace octet::fuzz;

extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size,
                                               std::size_t max_size, unsigned seed) {
  return mutate_onnx(data, size, max_size, seed);
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static Count inputs("inputs");
  static Count imported("imported");
  static const MemoryFile file;
  ++inputs;
  file.write({data, size});
  try {
    octet::convert::Graph graph = octet::convert::import_onnx(file.path());
    octet::convert::simplify(graph);
    ++imported;
  } catch (const octet::Error& error) {
    expect(*error.what() != '\0', "an error without a message");
  }
  return 0;
}
