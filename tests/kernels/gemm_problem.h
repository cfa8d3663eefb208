// SPDX-License-Identifier: Apache-2.0
// What tests of GEMM share: a layer with everything drawn at random, run by a table and by the
// reference.
#pragma once

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

inline constexpr std::size_t kMaxRows = 200;
inline constexpr unsigned char kPattern = 0xa5;

// Emulators and sanitizers ask for a cut set of sizes.
inline bool small_set() {
  const char* small = std::getenv("OCTET_TEST_SMALL");
  return small != nullptr && std::strstr(small, "kernels") != nullptr;
}

struct Shape {
  std::size_t m, n, k, taps;
};

enum class Fill { random, low, high, zero, extremes };
inline constexpr Fill kFills[] = {Fill::random, Fill::low, Fill::high, Fill::zero, Fill::extremes};

using Rng = std::mt19937;

// Bytes as s8: low is -128, high 127. For u8 activations low and zero are the same two extremes.
inline std::uint8_t draw(Rng& rng, Fill fill) {
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
    static const test::GuardedRows memory(kMaxRows + 3);
    REQUIRE(s.m * s.taps <= kMaxRows);
    const std::size_t first = rng() % 4;  // a single row may begin or end at its page, too
    for (std::size_t i = 0; i < s.m * s.taps; ++i) {
      std::uint8_t* row = memory.row(first + i, s.k);
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

inline void check(const Table& table, const Shape& s, Rng& rng, Fill activations, Fill weights) {
  Problem problem(table, s, rng, activations, weights);
  for (const Store store : {Store::q8, Store::f32, Store::s32}) {
    INFO("m=" << s.m << " n=" << s.n << " k=" << s.k << " taps=" << s.taps
              << " store=" << static_cast<int>(store) << " fills=" << static_cast<int>(activations)
              << "," << static_cast<int>(weights));
    REQUIRE(problem.equals_reference(store));
  }
}

// 1, and one below, at and above each multiple in the list.
inline std::set<std::size_t> around(std::initializer_list<std::size_t> edges) {
  std::set<std::size_t> sizes{1};
  for (const std::size_t edge : edges) sizes.insert({edge > 1 ? edge - 1 : 1, edge, edge + 1});
  return sizes;
}

}  // namespace octet::test::gemm_test
