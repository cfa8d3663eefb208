// SPDX-License-Identifier: Apache-2.0
// Every table that runs here against the reference, byte for byte: sizes around the tile, all
// stores, extreme codes and parameters, column ranges, and nothing read or written out of bounds.
#include <doctest/doctest.h>

#include <cmath>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "kernels/reference.h"
#include "tests/kernels/guarded_rows.h"
#include "tests/kernels/tables.h"

namespace octet::test::gemm_test {

using namespace kernels;

namespace {

constexpr std::size_t kMaxRows = 200;
constexpr unsigned char kPattern = 0xa5;

// Emulators and sanitizers ask for a cut set of sizes.
bool small_set() {
  const char* small = std::getenv("OCTET_TEST_SMALL");
  return small != nullptr && std::strstr(small, "kernels") != nullptr;
}

struct Shape {
  std::size_t m, n, k, taps;
};

enum class Fill { random, low, high, zero, extremes };
constexpr Fill kFills[] = {Fill::random, Fill::low, Fill::high, Fill::zero, Fill::extremes};

using Rng = std::mt19937;

// Bytes as s8: low is -128, high 127. For u8 activations low and zero are the same two extremes.
std::uint8_t draw(Rng& rng, Fill fill) {
  switch (fill) {
    case Fill::random:
      return static_cast<std::uint8_t>(rng());
    case Fill::low:
      return 0x80;
    case Fill::high:
      return 0x7f;
    case Fill::zero:
      return 0;
    case Fill::extremes:
      break;
  }
  constexpr std::uint8_t kExtremes[] = {0x80, 0x7f, 0x00, 0xff, 0x81, 0x01};
  return kExtremes[rng() % 6];
}

// 64-byte aligned memory of a given size, filled with a pattern, that knows whether what follows it
// was written.
class Buffer {
 public:
  explicit Buffer(std::size_t bytes, unsigned char pattern = kPattern)
      : bytes_(bytes), memory_(bytes + 192, pattern), pattern_(pattern) {}
  std::uint8_t* data() {
    const auto address = reinterpret_cast<std::uintptr_t>(memory_.data());
    return memory_.data() + (64 - address % 64);
  }
  bool intact() {
    for (std::uint8_t* p = memory_.data(); p < data(); ++p) {
      if (*p != pattern_) return false;
    }
    for (std::uint8_t* p = data() + bytes_; p < memory_.data() + memory_.size(); ++p) {
      if (*p != pattern_) return false;
    }
    return true;
  }
  bool operator==(Buffer& other) {
    return bytes_ == other.bytes_ && std::memcmp(data(), other.data(), bytes_) == 0;
  }

 private:
  std::size_t bytes_;
  std::vector<std::uint8_t> memory_;
  unsigned char pattern_;
};

// Weights, rows, bias and multipliers of a shape, and the task that uses them.
struct Problem {
  Problem(const Table& t, const Shape& s, Rng& random, Fill activations, Fill weights)
      : table(t),
        shape(s),
        rng(random),
        w(s.n * s.taps * s.k),
        packed(t.packed_bytes(s.n, s.taps, s.k)),
        scratch(t.scratch_bytes(s.taps, s.k)),
        bias(round_up(s.n, kColumnPadding)),
        mult(bias.size()),
        below_one(random() % 2 == 0) {
    static const test::GuardedRows memory(kMaxRows);
    REQUIRE(s.m * s.taps <= kMaxRows);
    for (std::size_t i = 0; i < s.m * s.taps; ++i) {
      std::uint8_t* row = memory.row(i, s.k);
      for (std::size_t j = 0; j < s.k; ++j) row[j] = draw(rng, activations);
      rows.push_back(row);
    }
    for (auto& x : w) x = static_cast<std::int8_t>(draw(rng, weights));
    const bool any_bias = rng() % 4 == 0;
    for (std::size_t n = 0; n < s.n; ++n) {
      bias[n] = static_cast<std::int32_t>(rng()) >> (any_bias ? 0 : 16);
      mult[n] = draw_mult();
    }
    table.pack_weights(w.data(), s.n, s.taps, s.k, packed.data());
  }

  // Mostly what puts sums of this k all over the 8-bit range; some that make ties, some absurd. Of
  // a problem all are below one or not: products then reach 2^31 - 128, or 2^31.
  float draw_mult() {
    switch (rng() % 8) {
      case 0:
        return std::ldexp(1.0f, -static_cast<int>(rng() % 12 + below_one));
      case 1:
        if (rng() % 2 == 0) return 0.0f;
        return below_one ? std::nextafter(1.0f, 0.0f) : rng() % 2 == 0 ? 1.0f : 1e30f;
      default:
        return static_cast<float>(rng() % 1000 + 1) /
               (1000.0f * 40.0f * std::sqrt(static_cast<float>(shape.k * shape.taps)));
    }
  }

  Epilogue draw_epilogue(Store store) {
    const std::int32_t lowest = table.sign == Sign::u8 ? 0 : -128;
    const std::int32_t zero_points[] = {0, 255, 128, static_cast<std::int32_t>(rng() % 256)};
    Epilogue e{store,
               bias.data(),
               mult.data(),
               lowest + zero_points[rng() % 4],
               lowest,
               lowest + 255,
               -std::numeric_limits<float>::infinity(),
               std::numeric_limits<float>::infinity(),
               all_below_one(mult.data(), shape.n)};
    if (rng() % 3 == 0) e.lo = e.zero_point;
    if (rng() % 8 == 0) e.lo = lowest + static_cast<std::int32_t>(rng() % 256);
    if (rng() % 3 == 0) e.hi = e.lo + static_cast<std::int32_t>(rng() % 256) % (e.hi - e.lo + 1);
    if (rng() % 2 == 0) e.min = 0.0f;
    if (rng() % 2 == 0) e.max = static_cast<float>(rng() % 1000) / 16.0f;
    return e;
  }

  // Columns in up to three ranges of whole tiles, one of which may be left out.
  bool equals_reference(Store store) {
    const std::size_t element = store == Store::q8 ? 1 : 4;
    const std::size_t ldc = (shape.n + rng() % 5) * element;
    const std::size_t offset = store == Store::q8 ? rng() % 4 : 4 * (rng() % 3);
    Buffer expected(offset + shape.m * ldc);
    Buffer actual(offset + shape.m * ldc);
    GemmTask task{rows.data(),
                  shape.m,
                  shape.taps,
                  shape.k,
                  packed.data(),
                  0,
                  shape.n,
                  actual.data() + offset,
                  ldc,
                  scratch.data(),
                  draw_epilogue(store)};
    if (store == Store::s32) task.epilogue.mult = nullptr;
    const std::size_t nr = table.tile.nr;
    const std::size_t panels = (shape.n + nr - 1) / nr;
    std::size_t cuts[4] = {0, rng() % (panels + 1) * nr, rng() % (panels + 1) * nr, shape.n};
    if (cuts[1] > cuts[2]) std::swap(cuts[1], cuts[2]);
    const std::size_t skipped = rng() % 8;
    for (std::size_t range = 0; range < 3; ++range) {
      task.n_begin = std::min(cuts[range], shape.n);
      task.n_end = std::min(cuts[range + 1], shape.n);
      if (range == skipped || task.n_begin == task.n_end) continue;
      table.gemm(task);
      GemmTask same = task;
      same.c = expected.data() + offset;
      reference::gemm(table.sign, same, w.data());
    }
    return actual == expected && actual.intact() && packed.intact() && scratch.intact();
  }

  const Table& table;
  Shape shape;
  Rng& rng;
  std::vector<const std::uint8_t*> rows;
  std::vector<std::int8_t> w;
  Buffer packed;
  Buffer scratch;
  std::vector<std::int32_t> bias;
  std::vector<float> mult;
  bool below_one;
};

template <class F>
void for_tables_here(F f) {
  for (const Table* table : tables_here()) {
    CAPTURE(std::string(table->name));
    f(*table);
  }
}

void check(const Table& table, const Shape& s, Rng& rng, Fill activations, Fill weights) {
  Problem problem(table, s, rng, activations, weights);
  for (const Store store : {Store::q8, Store::f32, Store::s32}) {
    INFO("m=" << s.m << " n=" << s.n << " k=" << s.k << " taps=" << s.taps
              << " store=" << static_cast<int>(store) << " fills=" << static_cast<int>(activations)
              << "," << static_cast<int>(weights));
    REQUIRE(problem.equals_reference(store));
  }
}

// 1, and one below, at and above each multiple in the list.
std::set<std::size_t> around(std::initializer_list<std::size_t> edges) {
  std::set<std::size_t> sizes{1};
  for (const std::size_t edge : edges) sizes.insert({edge > 1 ? edge - 1 : 1, edge, edge + 1});
  return sizes;
}

TEST_CASE("gemm: every k around every tile edge equals the reference") {
  for_tables_here([](const Table& table) {
    Rng rng(1);
    const std::size_t mr = table.tile.mr;
    const std::size_t nr = table.tile.nr;
    auto ms = around({mr, 2 * mr});
    ms.insert({2, 3, 4, 8});
    auto ns = around({4, 8, 12, 16, 24, 32, 36, 48, nr});
    ns.insert({10, 2 * nr + 17});
    const std::size_t step = small_set() ? 5 : 1;
    for (std::size_t k = 1; k <= 70; k += step) {
      for (const std::size_t m : ms) {
        for (const std::size_t n : ns) {
          const Fill fill = kFills[rng() % 5 % 2 * 4];
          check(table, {m, n, k, 1}, rng, fill, kFills[rng() % 2 * 4]);
        }
      }
    }
  });
}

TEST_CASE("gemm: the layers of the reference networks and larger ones") {
  for_tables_here([](const Table& table) {
    Rng rng(2);
    for (const Shape& s : {Shape{1, 100, 784, 1},
                           {5, 100, 784, 1},
                           {17, 100, 100, 1},
                           {33, 10, 100, 1},
                           {3, 512, 784, 1},
                           {2, 130, 1027, 1}}) {
      check(table, s, rng, Fill::random, Fill::random);
      check(table, s, rng, Fill::extremes, Fill::extremes);
    }
    if (!small_set()) {
      for (const Shape& s :
           {Shape{9, 512, 512, 1}, {4, 1024, 1024, 1}, {6, 3072, 1000, 1}, {2, 3072, 768, 1}}) {
        check(table, s, rng, Fill::extremes, Fill::extremes);
      }
    }
    for (std::size_t m = 1; m <= (small_set() ? 10 : 50); ++m) {
      check(table, {m, 100, 100, 1}, rng, Fill::random, Fill::random);
    }
  });
}

TEST_CASE("gemm: more rows than a block, around the k where blocks change") {
  for_tables_here([](const Table& table) {
    Rng rng(7);
    const std::size_t step = small_set() ? 5 : 1;
    for (const std::size_t k :
         {31u, 32u, 33u, 47u, 48u, 63u, 64u, 65u, 79u, 80u, 81u, 100u, 511u, 512u, 513u}) {
      for (std::size_t m = 7; m <= 27; m += step) {
        for (const std::size_t n : {9u, 10u, 12u, 36u, 48u, 61u, 64u, 100u}) {
          check(table, {m, n, k, 1}, rng, kFills[rng() % 5], kFills[rng() % 5]);
        }
      }
    }
  });
}

TEST_CASE("gemm: more rows than a table prepares at a time") {
  for_tables_here([](const Table& table) {
    Rng rng(9);
    for (const std::size_t m : {24u, 25u, 49u, 95u, 96u, 97u, 98u, 193u, 200u}) {
      for (const std::size_t k : {5u, 8u, 32u, 37u, 48u}) {
        for (const std::size_t n : {3u, 10u, 16u, 33u}) {
          check(table, {m, n, k, 1}, rng, Fill::random, Fill::random);
        }
      }
    }
  });
}

TEST_CASE("gemm: products on either side of the largest int32") {
  for_tables_here([](const Table& table) {
    Rng rng(8);
    for (const std::size_t n : {10u, 36u, 64u, 100u}) {
      for (const float mult : {std::nextafter(1.0f, 0.0f), 1.0f, std::nextafter(1.0f, 2.0f)}) {
        CAPTURE(n);
        CAPTURE(mult);
        Problem problem(table, {30, n, 100, 1}, rng, Fill::low, Fill::zero);
        for (std::size_t i = 0; i < n; ++i) {
          problem.bias[i] = i % 2 == 0 ? std::numeric_limits<std::int32_t>::min()
                                       : std::numeric_limits<std::int32_t>::max();
          problem.mult[i] = i + 1 == n ? mult : 1e-7f;
        }
        for (int again = 0; again < 4; ++again) CHECK(problem.equals_reference(Store::q8));
      }
    }
  });
}

TEST_CASE("gemm: several taps go through the row pointers") {
  for_tables_here([](const Table& table) {
    Rng rng(3);
    for (const std::size_t taps : {2u, 3u, 9u}) {
      for (const std::size_t k : {1u, 3u, 4u, 7u, 8u, 32u, 33u, 67u, 100u}) {
        auto ms = around({table.tile.mr});
        ms.insert(20);
        for (const std::size_t m : ms) {
          for (const std::size_t n : {10u, 12u, 17u}) {
            check(table, {m, n, k, taps}, rng, Fill::random, Fill::extremes);
          }
          check(table, {m, 100, k, taps}, rng, Fill::extremes, Fill::random);
        }
      }
    }
  });
}

TEST_CASE("gemm: extreme codes everywhere do not saturate") {
  for_tables_here([](const Table& table) {
    Rng rng(4);
    for (const Fill activations : kFills) {
      for (const Fill weights : kFills) {
        for (const std::size_t k : {1u, 2u, 31u, 64u, 100u, 784u}) {
          check(table, {7, 81, k, 1}, rng, activations, weights);
          check(table, {1, 81, k, 1}, rng, activations, weights);
          check(table, {4, 10, k, 1}, rng, activations, weights);
        }
      }
    }
  });
}

TEST_CASE("gemm: codes of 0xff times -128 give the sum worked by hand") {
  for_tables_here([](const Table& table) {
    Rng rng(5);
    Problem problem(table, {1, 1, 784, 1}, rng, Fill::random, Fill::low);
    std::vector<std::uint8_t> row(784, 0xff);
    const std::uint8_t* rows[] = {row.data()};
    problem.bias[0] = 5;
    std::int32_t sum = 0;
    GemmTask task{rows,
                  1,
                  1,
                  784,
                  problem.packed.data(),
                  0,
                  1,
                  &sum,
                  sizeof sum,
                  problem.scratch.data(),
                  problem.draw_epilogue(Store::s32)};
    table.gemm(task);
    // 784 * 255 * -128 + 5 for u8; the same byte is -1 as an s8: 784 * -1 * -128 + 5.
    CHECK(sum == (table.sign == Sign::u8 ? -25589755 : 100357));
  });
}

TEST_CASE("gemm: packing writes every byte, whatever was there") {
  for_tables_here([](const Table& table) {
    Rng rng(6);
    for (const Shape& s : {Shape{1, 1, 1, 1}, {1, 10, 7, 3}, {1, 100, 100, 1}, {1, 129, 33, 2}}) {
      std::vector<std::int8_t> w(s.n * s.taps * s.k);
      for (auto& x : w) x = static_cast<std::int8_t>(rng());
      const std::size_t bytes = table.packed_bytes(s.n, s.taps, s.k);
      CHECK(bytes % 64 == 0);
      Buffer a(bytes, 0xa5);
      Buffer b(bytes, 0x5a);
      table.pack_weights(w.data(), s.n, s.taps, s.k, a.data());
      table.pack_weights(w.data(), s.n, s.taps, s.k, b.data());
      CHECK(a == b);
      CHECK((a.intact() && b.intact()));
    }
  });
}

}  // namespace
}  // namespace octet::test::gemm_test
