// SPDX-License-Identifier: Apache-2.0
// How octet verify names the first place where two variants part.
#include "tools/command/verification.h"

#include <doctest/doctest.h>

#include <cstring>

namespace octet::test::verification_test {

using namespace command;

namespace {

TensorInfo output_info(const char* name, octet_dtype dtype, std::size_t sample_bytes) {
  TensorInfo info{};
  info.name = name;
  info.dtype = dtype;
  info.sample_bytes = sample_bytes;
  return info;
}

std::vector<std::byte> bytes_of(const std::vector<float>& values) {
  std::vector<std::byte> bytes(values.size() * sizeof(float));
  std::memcpy(bytes.data(), values.data(), bytes.size());
  return bytes;
}

const Variant kReference{"scalar", 1, "whole", "", ""};
const Variant kOther{"avx2", 3, "7+7+...", "", ""};

}  // namespace

TEST_CASE("verification: the first difference of 8-bit codes, signed and unsigned") {
  const std::vector<std::byte> same(6, std::byte{1});
  std::vector<std::byte> other = same;
  other[5] = std::byte{0x80};
  const TensorInfo infos[] = {output_info("a", OCTET_U8, 2), output_info("b", OCTET_S8, 2)};
  const std::vector<std::byte> expected[] = {same, same};
  const std::vector<std::byte> second[] = {same, other};
  CHECK(
      describe_difference(infos, expected, kReference, second, kOther) ==
      "output 'b', sample 2, element 1: 1 with scalar, 1 thread, split whole, but -128 with avx2, "
      "3 threads, split 7+7+...");
  const std::vector<std::byte> both[] = {other, other};
  CHECK(describe_difference(infos, expected, kReference, both, kOther)
            .starts_with("output 'a', sample 2, element 1: 1 with scalar"));
  CHECK(describe_difference(infos, expected, kReference, both, kOther).find("128 with avx2") !=
        std::string::npos);
}

TEST_CASE("verification: a float that differs in its last bit") {
  const TensorInfo info = output_info("logits", OCTET_F32, 3 * sizeof(float));
  const std::vector<std::byte> expected = bytes_of({0, 1, 2, 3, 4, 5});
  const std::vector<std::byte> got = bytes_of({0, 1, 2, 3, 4.0000005F, 5});
  CHECK(describe_difference({&info, 1}, {&expected, 1}, kReference, {&got, 1}, kOther)
            .starts_with("output 'logits', sample 1, element 1: 4 (0x1p+2) with scalar, 1 thread, "
                         "split whole, but 4.00000048 (0x1.000002p+2) with avx2"));
}

}  // namespace octet::test::verification_test
