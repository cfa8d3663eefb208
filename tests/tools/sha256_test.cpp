// SPDX-License-Identifier: Apache-2.0
// SHA-256 against the test vectors of FIPS 180-4 and NIST's CAVP, and streaming against one piece.
#include "tools/data/sha256.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <vector>

namespace octet::test::sha256_test {

using octet::data::Sha256;
using octet::data::sha256_hex;

namespace {

std::string hash(const std::string& text) {
  return sha256_hex(text.data(), text.size());
}

}  // namespace

TEST_CASE("sha256: test vectors") {
  CHECK(hash("") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  CHECK(hash("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  CHECK(hash("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq") ==
        "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  CHECK(hash("abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmno"
             "ijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu") ==
        "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1");
  CHECK(hash(std::string(1000000, 'a')) ==
        "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST_CASE("sha256: lengths around the padding's limits") {
  // printf 'x%.0s' {1..N} | sha256sum
  CHECK(hash(std::string(55, 'x')) ==
        "d5e285683cd4efc02d021a5c62014694958901005d6f71e89e0989fac77e4072");
  CHECK(hash(std::string(56, 'x')) ==
        "04c26261370ee7541549d16dee320c723e3fd14671e66a099afe0a377c16888e");
  CHECK(hash(std::string(63, 'x')) ==
        "75220b47218278e656f2013bb8f0c455a25eaf01e86c64924e9d48d89776d6f2");
  CHECK(hash(std::string(64, 'x')) ==
        "7ce100971f64e7001e8fe5a51973ecdfe1ced42befe7ee8d5fd6219506b5393c");
}

TEST_CASE("sha256: pieces of any size give the hash of the whole") {
  std::vector<unsigned char> data(257);
  for (std::size_t i = 0; i < data.size(); ++i) data[i] = static_cast<unsigned char>(i * 7);
  const std::string whole = sha256_hex(data.data(), data.size());
  for (std::size_t piece = 1; piece <= data.size(); ++piece) {
    Sha256 stream;
    for (std::size_t at = 0; at < data.size(); at += piece) {
      stream.update(data.data() + at, std::min(piece, data.size() - at));
    }
    CHECK(stream.hex() == whole);
  }
}

}  // namespace octet::test::sha256_test
