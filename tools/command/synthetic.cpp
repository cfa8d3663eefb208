// SPDX-License-Identifier: Apache-2.0
// Draws synthetic inputs by integers alone, so that no rounding can differ.
#include "tools/command/synthetic.h"

#include <cstdint>
#include <cstring>

#include "engine/errors.h"
#include "tools/data/splitmix.h"

namespace octet::command {
namespace {

constexpr std::uint64_t kMaxBytes = std::uint64_t{2} << 30;

void fill_codes(data::SplitMix64& random, std::vector<std::byte>& bytes) {
  std::uint64_t number = 0;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    if (i % 8 == 0) number = random.next();
    bytes[i] = static_cast<std::byte>(number >> (i % 8 * 8) & 0xff);
  }
}

void fill_floats(data::SplitMix64& random, std::vector<std::byte>& bytes) {
  std::uint64_t number = 0;
  for (std::size_t i = 0; i < bytes.size() / sizeof(float); ++i) {
    if (i % 4 == 0) number = random.next();
    const auto h = static_cast<std::int32_t>(number >> (i % 4 * 16) & 0xffff);
    const float value = static_cast<float>(h - 16384) / 32768.0F;
    std::memcpy(bytes.data() + i * sizeof value, &value, sizeof value);
  }
}

}  // namespace

std::vector<std::vector<std::byte>> synthetic_inputs(const Model& model, std::size_t samples) {
  std::uint64_t sample_bytes = 0;
  for (std::size_t i = 0; i < model.inputs(); ++i) sample_bytes += model.input(i).sample_bytes;
  for (std::size_t i = 0; i < model.outputs(); ++i) sample_bytes += model.output(i).sample_bytes;
  if (samples > kMaxBytes / sample_bytes) {
    engine::fail(Error::Code::limit, samples, " samples of ", sample_bytes,
                 " bytes with their outputs exceed the limit of ", kMaxBytes,
                 " bytes; run fewer at once");
  }
  std::vector<std::vector<std::byte>> inputs(model.inputs());
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const TensorInfo info = model.input(i);
    data::SplitMix64 random(i);
    inputs[i].resize(samples * info.sample_bytes);
    if (info.dtype == OCTET_F32) {
      fill_floats(random, inputs[i]);
    } else {
      fill_codes(random, inputs[i]);
    }
  }
  return inputs;
}

}  // namespace octet::command
