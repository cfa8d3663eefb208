// SPDX-License-Identifier: Apache-2.0
// Any bytes to octet_model_parse.
#include "tests/fuzz/model_mutators.h"

using namespace octet::fuzz;

extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size,
                                               std::size_t max_size, unsigned seed) {
  return mutate_bytes(data, size, max_size, seed);
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static Count inputs("inputs");
  static Count summed("passed_the_checksum");
  static Count loaded("loaded");
  const Input file(data, size);
  ++inputs;
  if (passes_checksum(file)) ++summed;
  if (load_model(file).status == OCTET_OK) ++loaded;
  return 0;
}
