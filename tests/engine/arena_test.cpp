// SPDX-License-Identifier: Apache-2.0
// Placement by lifetime: no two living buffers meet, and memory is used again.
#include "engine/arena.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <random>

#include "engine/storage.h"

namespace octet::test::arena_test {

using namespace engine;

namespace {

bool is_valid(const std::vector<Lifetime>& buffers, const Layout& layout) {
  for (std::size_t i = 0; i < buffers.size(); ++i) {
    const std::size_t end = layout.offsets[i] + buffers[i].bytes;
    if (layout.offsets[i] % kAlignment != 0 || end > layout.bytes) return false;
    for (std::size_t j = 0; j < i; ++j) {
      const bool both_alive =
          buffers[i].first <= buffers[j].last && buffers[j].first <= buffers[i].last;
      const bool meet =
          layout.offsets[i] < layout.offsets[j] + buffers[j].bytes && layout.offsets[j] < end;
      if (both_alive && meet) return false;
    }
  }
  return true;
}

}  // namespace

TEST_CASE("place_buffers: a chain needs its two largest neighbours") {
  const std::vector<Lifetime> chain = {{832, 0, 1}, {128, 1, 2}, {256, 2, 3}, {64, 3, 4}};
  const Layout layout = place_buffers(chain);
  CHECK(is_valid(chain, layout));
  CHECK(layout.bytes == 832 + 128);
}

TEST_CASE("place_buffers: the smallest gap that fits") {
  // Between buffers that live on there are gaps of 512 and 128.
  const std::vector<Lifetime> buffers = {{1024, 0, 9}, {512, 0, 0}, {192, 0, 9},
                                         {128, 0, 0},  {64, 0, 9},  {64, 1, 9}};
  const Layout layout = place_buffers(buffers);
  CHECK(is_valid(buffers, layout));
  CHECK(layout.bytes == 1024 + 512 + 192 + 128 + 64);
  CHECK(layout.offsets[5] == 1024 + 512 + 192);
}

TEST_CASE("place_buffers: random lifetimes") {
  std::mt19937 random(5);
  for (int run = 0; run < 50; ++run) {
    std::vector<Lifetime> buffers(1 + random() % 40);
    std::size_t sum = 0;
    for (Lifetime& buffer : buffers) {
      buffer.bytes = random() % 20 * kAlignment;
      buffer.first = random() % 30;
      buffer.last = buffer.first + random() % 8;
      sum += buffer.bytes;
    }
    const Layout layout = place_buffers(buffers);
    CHECK(is_valid(buffers, layout));
    CHECK(layout.bytes <= sum);
  }
  CHECK(place_buffers({}).bytes == 0);
}

TEST_CASE("place_buffers: thousands are placed by time") {
  // A chain of equal buffers needs two of them, however long it is.
  std::vector<Lifetime> chain(5000);
  for (std::size_t i = 0; i < chain.size(); ++i) chain[i] = {128, i, i + 1};
  const Layout two = place_buffers(chain);
  CHECK(is_valid(chain, two));
  CHECK(two.bytes == 2 * 128);

  std::mt19937 random(7);
  std::vector<Lifetime> buffers(5000);
  std::size_t sum = 0;
  for (Lifetime& buffer : buffers) {
    buffer.bytes = random() % 20 * kAlignment;
    buffer.first = random() % 2000;
    buffer.last = random() % 50 == 0 ? 3000 : buffer.first + random() % 8;
    sum += buffer.bytes;
  }
  const Layout layout = place_buffers(buffers);
  CHECK(is_valid(buffers, layout));
  CHECK(layout.bytes < sum / 10);
}

TEST_CASE("AlignedBuffer is aligned; Storage's arrays are zero too, in memory that was not") {
  for (const std::size_t bytes : {1000u, 100000u}) {  // of one page, of many
    AlignedBuffer buffer(bytes);
    CHECK(reinterpret_cast<std::uintptr_t>(buffer.data()) % kAlignment == 0);
    std::memset(buffer.data(), 0xff, bytes);
    buffer = AlignedBuffer();  // the allocator may hand it out next
    Storage storage;
    const std::byte* array = storage.array<std::byte>(bytes);
    CHECK(reinterpret_cast<std::uintptr_t>(array) % kAlignment == 0);
    CHECK(std::ranges::count(std::span(array, bytes), std::byte{0}) ==
          static_cast<std::ptrdiff_t>(bytes));
  }
}

}  // namespace octet::test::arena_test
