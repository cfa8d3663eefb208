// SPDX-License-Identifier: Apache-2.0
#include "engine/checksum.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

namespace octet::test::checksum_test {
namespace {

std::uint64_t xxh64_of(const std::string& text, std::uint64_t seed = 0) {
  return octet::engine::xxh64(std::as_bytes(std::span(text)), seed);
}

}  // namespace

TEST_CASE("xxh64 gives the published values, at every path through its tail") {
  CHECK(xxh64_of("") == 0xEF46DB3751D8E999);
  CHECK(xxh64_of("a") == 0xD24EC4F1A98C6E5B);
  CHECK(xxh64_of("abc") == 0x44BC2CF5AD770999);
  // From libxxhash 0.8.1.
  const std::string text =
      "The quick brown fox jumps over the lazy dog, 64-byte aligned; then 32 and 8 and 4 and 1.";
  CHECK(xxh64_of(text.substr(0, 3), 0x1) == 0x4D66B2CB8B62EC76);
  CHECK(xxh64_of(text.substr(0, 4), 0) == 0xCDF13A49D263200F);
  CHECK(xxh64_of(text.substr(0, 8), 0) == 0xD07B38A78A153B0B);
  CHECK(xxh64_of(text.substr(0, 15), 0) == 0x59BF1A33358C7D98);
  CHECK(xxh64_of(text.substr(0, 31), 0x9E3779B1) == 0x5B324CB1CF367733);
  CHECK(xxh64_of(text.substr(0, 32), 0) == 0xE2BBC9136629A4EE);
  CHECK(xxh64_of(text.substr(0, 33), 0) == 0x6D92FE2EBAB7DB31);
  CHECK(xxh64_of(text.substr(0, 63), 0) == 0x10CFAED49492D7E7);
  CHECK(xxh64_of(text.substr(0, 64), 0x9E3779B1) == 0xE333F6CD324093E8);
  CHECK(xxh64_of(text.substr(0, 87), 0) == 0x23DAFADA8F3129AF);
  CHECK(xxh64_of(text.substr(0, 87), 0xFFFFFFFFFFFFFFFF) == 0xDEA5D9843A0EA66B);
}

TEST_CASE("xxh64 reads at any alignment") {
  std::vector<std::byte> bytes(100 + 8);
  for (std::size_t i = 0; i < 100; ++i) bytes[i] = static_cast<std::byte>(i * 7);
  const auto expected = octet::engine::xxh64(std::span(bytes).first(100), 5);
  for (std::size_t shift = 1; shift < 8; ++shift) {
    std::copy_backward(bytes.begin() + static_cast<std::ptrdiff_t>(shift) - 1,
                       bytes.begin() + static_cast<std::ptrdiff_t>(shift) + 99,
                       bytes.begin() + static_cast<std::ptrdiff_t>(shift) + 100);
    CHECK(octet::engine::xxh64(std::span(bytes).subspan(shift, 100), 5) == expected);
  }
}

}  // namespace octet::test::checksum_test
