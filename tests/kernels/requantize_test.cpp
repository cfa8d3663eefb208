// SPDX-License-Identifier: Apache-2.0
// requantize against its definition in integers alone: float() and the product rounded on their
// bits, no float operation. All (acc, mult) whose exact product is a half, their neighbours, and
// more up to 2^22 pairs; OCTET_TEST_REQUANTIZE=32 makes that 2^32, in some minutes.
#include <doctest/doctest.h>

#include <algorithm>
#include <bit>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <list>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "tests/kernels/requantize_integer.h"
#include "tests/kernels/requantize_pairs.h"
#include "tests/kernels/tables.h"

namespace octet::test::requantize_test {

using namespace kernels;

namespace {

// Columns of weights of 1. Rows have k codes, of which all but the first are zeros; the first are
// 0 to 7, again and again.
class Machine {
 public:
  Machine(const Table& table, std::size_t m, std::size_t n, std::size_t k)
      : table_(table),
        m_(m),
        n_(n),
        k_(k),
        packed_(allocate(table.packed_bytes(n, 1, k))),
        scratch_(allocate(std::max<std::size_t>(table.scratch_bytes(1, k), 64))),
        codes_(m * n),
        addends_(m * k, 0) {
    const std::vector<std::int8_t> ones(n * k, 1);
    table.pack_weights(ones.data(), n, 1, k, packed_.get());
    for (std::size_t i = 0; i < m; ++i) {
      addends_[i * k] = static_cast<std::uint8_t>(i % kRows);
      rows_.push_back(&addends_[i * k]);
    }
  }
  const Table& table() const { return table_; }
  std::size_t columns() const { return n_; }

  // As unsigned codes.
  const std::vector<std::uint8_t>& run(const std::int32_t* bias, const float* mult,
                                       const Codes& codes) {
    const std::int32_t shift = table_.sign == Sign::s8 ? 128 : 0;
    const Epilogue epilogue{Store::q8,
                            bias,
                            mult,
                            codes.zero_point - shift,
                            codes.lo - shift,
                            codes.hi - shift,
                            -std::numeric_limits<float>::infinity(),
                            std::numeric_limits<float>::infinity(),
                            all_below_one(mult, n_)};
    table_.gemm({rows_.data(), m_, 1, k_, packed_.get(), 0, n_, codes_.data(), n_, scratch_.get(),
                 epilogue});
    if (shift != 0) table_.flip(codes_.data(), codes_.size(), codes_.data());
    return codes_;
  }

 private:
  struct Free {
    void operator()(void* memory) const { std::free(memory); }
  };
  using Memory = std::unique_ptr<void, Free>;
  static Memory allocate(std::size_t bytes) {
    return Memory(std::aligned_alloc(64, round_up(bytes, 64)));
  }

  const Table& table_;
  std::size_t m_, n_, k_;
  Memory packed_;
  Memory scratch_;
  std::vector<std::uint8_t> codes_;
  std::vector<std::uint8_t> addends_;
  std::vector<const std::uint8_t*> rows_;
};

Codes draw_codes(std::uint64_t draw) {
  const std::int32_t zero_points[] = {0, 255, 128, static_cast<std::int32_t>(draw >> 8 & 255)};
  Codes codes = {zero_points[draw % 4], 0, 255};
  if ((draw >> 16) % 4 == 0) codes.lo = codes.zero_point;  // ReLU
  if ((draw >> 20) % 8 == 0) {
    codes.hi = codes.lo + static_cast<std::int32_t>((draw >> 24) & 255) % (256 - codes.lo);
  }
  return codes;
}

// What a machine makes of so many columns beside what it must; expected is [kRows][kColumns].
void compare(Machine& machine, const std::int32_t* bias, const float* mult, const Codes& codes,
             const std::uint8_t* expected) {
  const auto& actual = machine.run(bias, mult, codes);
  for (std::size_t at = 0; at < actual.size(); at += machine.columns()) {
    const std::uint8_t* row = expected + at / machine.columns() % kRows * kColumns;
    if (std::memcmp(&actual[at], row, machine.columns()) == 0) continue;
    const auto n = static_cast<std::size_t>(
        std::mismatch(row, row + machine.columns(), &actual[at]).first - row);
    FAIL(std::string(machine.table().name)
         << ": bias " << bias[n] << " + " << at / machine.columns() % kRows << ", mult bits "
         << std::bit_cast<std::uint32_t>(mult[n]) << ", zero_point " << codes.zero_point << ": "
         << int{actual[at + n]} << ", must be " << int{row[n]});
  }
}

std::uint64_t wanted_pairs() {
  const char* exponent = std::getenv("OCTET_TEST_REQUANTIZE");
  return std::uint64_t{1} << (exponent != nullptr ? std::atoi(exponent) : 22);
}

}  // namespace

TEST_CASE("the integer definition, on values worked by hand") {
  std::uint64_t ties = 0;
  const auto code = [&](std::int32_t acc, float mult, const Codes& codes = {100, 0, 255}) {
    return requantize(acc, decode(std::bit_cast<std::uint32_t>(mult)), codes, ties);
  };
  CHECK(code(0, 1) == 100);
  CHECK(code(1, 0.5f) == 100);
  CHECK(code(3, 0.5f) == 102);
  CHECK(code(-1, 0.5f) == 100);
  CHECK(code(-3, 0.5f) == 98);
  CHECK(code(-3, 0.5f, {0, 0, 255}) == 0);
  CHECK(ties == 5);
  CHECK(code(1, 0x1.000002p-1f) == 101);
  CHECK(code(1, 0x1.fffffep-2f) == 100);
  // 2^24 + 1 is no float: it rounds to 2^24, and 2^24 + 3 to 2^24 + 4.
  CHECK(code((1 << 24) + 1, 0x1p-24f) == 101);
  CHECK(code((1 << 24) + 1, 0x1.8p-24f) == 102);
  CHECK(code((1 << 24) - 1, 0x1.8p-24f) == 101);
  CHECK(code(std::numeric_limits<std::int32_t>::min(), 0x1p-31f) == 99);
  CHECK(code(std::numeric_limits<std::int32_t>::max(), std::numeric_limits<float>::max()) == 255);
  CHECK(code(-1, std::numeric_limits<float>::max(), {100, 7, 255}) == 7);
  CHECK(code(std::numeric_limits<std::int32_t>::max(), 0x1p-149f) == 100);
}

TEST_CASE("requantize: every table equals the definition in integers") {
  std::list<Machine> machines;  // they point into themselves
  // Strips of `avx512vnni` store by code of their own: 64, 36 and 12 columns, from 64 k on.
  std::list<Machine> strips;
  for (const Table* table : tables_here()) {
    machines.emplace_back(*table, kRows, kColumns, 1);
    if (table->name == std::string_view("avx512vnni")) strips.emplace_back(*table, 16, 112, 64);
  }
  Pairs pairs;
  std::vector<std::int32_t> bias(kColumns);
  std::vector<float> mult(kColumns);
  std::vector<std::uint8_t> expected(kRows * kColumns);
  std::uint64_t ties = 0;
  std::uint64_t done = 0;
  std::uint64_t in_strips = 0;
  const auto start = std::chrono::steady_clock::now();
  for (const std::uint64_t wanted = wanted_pairs(); done < wanted; done += expected.size()) {
    const Codes codes = draw_codes(pairs.draw());
    // Columns with multipliers below one first.
    std::vector<Pairs::Column> columns(kColumns);
    for (Pairs::Column& column : columns) column = pairs.next();
    const auto below_one = static_cast<std::size_t>(
        std::partition(columns.begin(), columns.end(),
                       [](const Pairs::Column& column) { return column.mult < 1.0f; }) -
        columns.begin());
    for (std::size_t n = 0; n < kColumns; ++n) {
      // Modulo 2^32, as in a kernel.
      const std::uint32_t first = static_cast<std::uint32_t>(columns[n].acc) - kMiddle;
      bias[n] = static_cast<std::int32_t>(first);
      mult[n] = columns[n].mult;
      const Real real = decode(std::bit_cast<std::uint32_t>(mult[n]));
      for (std::size_t m = 0; m < kRows; ++m) {
        const auto acc = static_cast<std::int32_t>(first + static_cast<std::uint32_t>(m));
        expected[m * kColumns + n] = static_cast<std::uint8_t>(requantize(acc, real, codes, ties));
      }
    }
    for (Machine& machine : machines) {
      compare(machine, bias.data(), mult.data(), codes, expected.data());
    }
    for (Machine& machine : strips) {
      // Kernels read bias and mult up to a multiple of kColumnPadding.
      const std::size_t step = machine.columns();
      for (std::size_t n = 0; n + step <= below_one && n + 2 * kColumnPadding <= kColumns;
           n += step) {
        compare(machine, &bias[n], &mult[n], codes, &expected[n]);
        in_strips += kRows * step;
      }
    }
  }
  CHECK(pairs.all_halves_given());
  CHECK((strips.empty() || in_strips > done / 2));
  const std::chrono::duration<double> time = std::chrono::steady_clock::now() - start;
  MESSAGE(done << " pairs, " << ties << " of them halves, on " << machines.size() << " tables and "
               << in_strips << " in strips in " << time.count() << " s");
}

}  // namespace octet::test::requantize_test
