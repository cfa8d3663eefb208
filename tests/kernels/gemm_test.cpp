// SPDX-License-Identifier: Apache-2.0
// Every table that runs here against the reference, byte for byte: sizes around the tile, all
// stores, extreme codes and parameters, column ranges, and nothing read or written out of bounds.
#include <cmath>
#include <limits>
#include <vector>

#include "tests/kernels/gemm_problem.h"

namespace octet::test::gemm_test {
namespace {

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

TEST_CASE("gemm: one row, whose panels may be taken together") {
  for_tables_here([](const Table& table) {
    Rng rng(10);
    for (const std::size_t n : {65u, 96u, 97u, 99u, 100u, 101u, 128u, 164u, 255u, 256u, 257u, 292u,
                                352u, 353u, 356u, 357u, 512u, 612u}) {
      for (const std::size_t k :
           {1u, 3u, 4u, 15u, 16u, 17u, 19u, 20u, 24u, 31u, 32u, 33u, 63u, 100u}) {
        check(table, {1, n, k, 1}, rng, Fill::random, Fill::random);
        check(table, {1, n, k, 1}, rng, Fill::extremes, Fill::extremes);
      }
      check(table, {1, n, 20, 2}, rng, Fill::random, Fill::random);
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
