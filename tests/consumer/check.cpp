// SPDX-License-Identifier: Apache-2.0
// An app in C++: exits with 0 if the model it is given answers as tests/golden/v1.octet does.
#include <octet/octet.h>

#include <array>
#include <cstdio>
#include <cstring>

#include "golden.h"

int main(int argc, char** argv) try {
  if (argc != 2) throw octet::Error(octet::Error::Code::argument, "usage: check MODEL");
  const octet::Model model = octet::Model::load(argv[1]);
  octet::Session session(model);
  std::array<float, kBatch * 2> logits;
  std::array<float, kBatch * 6> probabilities;
  std::array<float, kBatch * 2> x;
  std::array<float, kBatch * 2> twin;
  const std::array inputs = {octet::input(kPixels), octet::input(kX)};
  const std::array outputs = {octet::output(logits), octet::output(probabilities), octet::output(x),
                              octet::output(twin)};
  const bool good = session.run(inputs, outputs, kBatch) == OCTET_OK &&
                    std::memcmp(logits.data(), kLogits, sizeof kLogits) == 0 &&
                    std::memcmp(probabilities.data(), kProbabilities, sizeof kProbabilities) == 0 &&
                    std::memcmp(x.data(), kX, sizeof kX) == 0 &&
                    std::memcmp(twin.data(), kLogits, sizeof kLogits) == 0;
  std::printf("octet %s, %s: %s\n", octet_version(), model.isa(), good ? "ok" : "WRONG");
  return good ? 0 : 1;
} catch (const octet::Error& error) {
  std::fprintf(stderr, "%s\n", error.what());
  return 1;
}
