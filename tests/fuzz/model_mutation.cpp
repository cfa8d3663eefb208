// SPDX-License-Identifier: Apache-2.0
// Valid models with a few fields changed; what loads runs on every table.
#include "tests/fuzz/model_mutators.h"

using namespace octet::fuzz;

extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size,
                                               std::size_t max_size, unsigned seed) {
  return mutate_fields(data, size, max_size, seed);
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static Count inputs("inputs");
  static Count ran("loaded_and_ran");
  ++inputs;
  if (run_model({data, size})) ++ran;
  return 0;
}
