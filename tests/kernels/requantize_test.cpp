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
#include <vector>

#include "tests/kernels/requantize_integer.h"
#include "tests/kernels/requantize_pairs.h"
#include "tests/kernels/tables.h"

namespace octet::test::requantize_test {

using namespace kernels;

namespace {

// A table with weights of 1 for all columns.
class Machine {
 public:
  explicit Machine(const Table& table)
      : table_(table),
        packed_(allocate(table.packed_bytes(kColumns, 1, 1))),
        scratch_(allocate(std::max<std::size_t>(table.scratch_bytes(1, 1), 64))),
        codes_(kRows * kColumns) {
    const std::vector<std::int8_t> ones(kColumns, 1);
    table.pack_weights(ones.data(), kColumns, 1, 1, packed_.get());
    for (std::size_t m = 0; m < kRows; ++m) {
      addends_[m] = static_cast<std::uint8_t>(m);
      rows_[m] = addends_ + m;
    }
  }
  const Table& table() const { return table_; }

  // As unsigned codes.
  const std::vector<std::uint8_t>& run(const std::vector<std::int32_t>& bias,
                                       const std::vector<float>& mult, const Codes& codes) {
    const std::int32_t shift = table_.sign == Sign::s8 ? 128 : 0;
    const Epilogue epilogue{Store::q8,
                            bias.data(),
                            mult.data(),
                            codes.zero_point - shift,
                            codes.lo - shift,
                            codes.hi - shift,
                            -std::numeric_limits<float>::infinity(),
                            std::numeric_limits<float>::infinity()};
    table_.gemm({rows_, kRows, 1, 1, packed_.get(), 0, kColumns, codes_.data(), kColumns,
                 scratch_.get(), epilogue});
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
  Memory packed_;
  Memory scratch_;
  std::vector<std::uint8_t> codes_;
  std::uint8_t addends_[kRows] = {};
  const std::uint8_t* rows_[kRows] = {};
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
  for (const Table* table : tables_here()) machines.emplace_back(*table);
  Pairs pairs;
  std::vector<std::int32_t> bias(kColumns);
  std::vector<float> mult(kColumns);
  std::vector<std::uint8_t> expected(kRows * kColumns);
  std::uint64_t ties = 0;
  std::uint64_t done = 0;
  const auto start = std::chrono::steady_clock::now();
  for (const std::uint64_t wanted = wanted_pairs(); done < wanted; done += expected.size()) {
    const Codes codes = draw_codes(pairs.draw());
    for (std::size_t n = 0; n < kColumns; ++n) {
      const Pairs::Column column = pairs.next();
      // Modulo 2^32, as in a kernel.
      const std::uint32_t first = static_cast<std::uint32_t>(column.acc) - kMiddle;
      bias[n] = static_cast<std::int32_t>(first);
      mult[n] = column.mult;
      const Real real = decode(std::bit_cast<std::uint32_t>(column.mult));
      for (std::size_t m = 0; m < kRows; ++m) {
        const auto acc = static_cast<std::int32_t>(first + static_cast<std::uint32_t>(m));
        expected[m * kColumns + n] = static_cast<std::uint8_t>(requantize(acc, real, codes, ties));
      }
    }
    for (Machine& machine : machines) {
      const auto& actual = machine.run(bias, mult, codes);
      if (std::memcmp(actual.data(), expected.data(), expected.size()) == 0) continue;
      const auto at = static_cast<std::size_t>(
          std::mismatch(actual.begin(), actual.end(), expected.begin()).first - actual.begin());
      const std::size_t n = at % kColumns;
      FAIL(std::string(machine.table().name)
           << ": acc " << bias[n] + static_cast<std::int64_t>(at / kColumns) << ", mult bits "
           << std::bit_cast<std::uint32_t>(mult[n]) << ", zero_point " << codes.zero_point << ": "
           << int{actual[at]} << ", must be " << int{expected[at]});
    }
  }
  CHECK(pairs.all_halves_given());
  const std::chrono::duration<double> time = std::chrono::steady_clock::now() - start;
  MESSAGE(done << " pairs, " << ties << " of them halves, on " << machines.size() << " tables in "
               << time.count() << " s");
}

}  // namespace octet::test::requantize_test
