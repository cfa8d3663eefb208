// SPDX-License-Identifier: Apache-2.0
// Any bytes to octet_model_parse; what loads runs on every table.
#include "tests/fuzz/model_mutators.h"

using namespace octet::fuzz;

// Fields more often than bytes: what loads matters here.
extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size,
                                               std::size_t max_size, unsigned seed) {
  return seed % 3 == 0 ? mutate_bytes(data, size, max_size, seed / 3)
                       : mutate_fields(data, size, max_size, seed / 3);
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static Count inputs("inputs");
  static Count ran("loaded_and_ran");
  ++inputs;
  if (run_model({data, size})) ++ran;
  return 0;
}
