// SPDX-License-Identifier: Apache-2.0
// From accumulator to code and to float on every table, beside the definition in integers.
#include "tests/fuzz/kernels.h"
#include "tests/kernels/requantize_integer.h"

using namespace octet::fuzz;
using namespace octet::kernels;

namespace {

using octet::test::requantize_test::decode;
using octet::test::requantize_test::product_of;
using octet::test::requantize_test::Real;
using octet::test::requantize_test::requantize;

constexpr std::size_t kColumns = 128;

// The bits of the float that x is, or of infinity.
std::uint32_t float_bits(Real x) {
  if (x.significand == 0) return 0;
  // Rounded: beyond 24 bits there are zeros, if any.
  while (x.significand >> 24 != 0) x = {x.significand >> 1, x.exponent + 1};
  while (x.significand >> 23 == 0 && x.exponent > -149) x = {x.significand << 1, x.exponent - 1};
  if (x.exponent > 104) return 0x7f800000;
  const auto significand = static_cast<std::uint32_t>(x.significand);
  if (significand < 1u << 23) return significand;  // subnormal
  return (static_cast<std::uint32_t>(x.exponent + 150) << 23) | (significand & 0x7fffff);
}

// Pairs of any bits, or such as make ties and their neighbours.
struct Columns {
  std::size_t n;
  std::vector<std::int32_t> acc = std::vector<std::int32_t>(round_up(kColumns, kColumnPadding));
  std::vector<float> mult = std::vector<float>(acc.size());

  explicit Columns(Reader& input) : n(1 + input.below(kColumns)) {
    const std::size_t kind = input.below(3);
    octet::data::SplitMix64 random(input.value<std::uint16_t>());
    for (std::size_t i = 0; i < n; ++i) {
      const bool own = !input.empty();
      const std::uint64_t bits = own ? input.value<std::uint64_t>() : random.next();
      const auto low = static_cast<std::uint32_t>(bits);
      acc[i] = static_cast<std::int32_t>(low) >> (kind == 0 ? 0 : bits >> 40 & 31);
      auto m = static_cast<std::uint32_t>(bits >> 32) & 0x7fffffff;
      if (kind == 1) m = (127 - (m >> 8 & 31)) << 23 | (m & 7) << 21;  // k * 2^-j
      if (kind == 2) m = (127 - (m >> 24 & 31)) << 23 | (m & 0x7fffff);
      if (m >= 0x7f800000) m = 0x7f7fffff;
      mult[i] = std::bit_cast<float>(m);
    }
  }
};

void check(const Table& table, const Columns& columns, Reader input) {
  // A product of zeros: the bias alone is the sum.
  static const std::vector<std::int8_t> zeros(kColumns);
  const std::uint8_t activation = 0xff;
  const std::uint8_t* rows[] = {&activation};
  Padded packed(table.packed_bytes(columns.n, 1, 1));
  table.pack_weights(zeros.data(), columns.n, 1, 1, packed.data());
  Padded scratch(table.scratch_bytes(1, 1));
  const CodeRange range = draw_range(input, table.sign);
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  std::uint8_t codes[kColumns];
  GemmTask task{rows,
                1,
                1,
                1,
                packed.data(),
                0,
                columns.n,
                codes,
                kColumns,
                scratch.data(),
                {Store::q8, columns.acc.data(), columns.mult.data(), range.zero_point, range.lo,
                 range.hi, -kInfinity, kInfinity}};
  table.gemm(task);
  float reals[kColumns];
  task.c = reals;
  task.epilogue.store = Store::f32;
  table.gemm(task);
  std::uint64_t ties = 0;
  for (std::size_t i = 0; i < columns.n; ++i) {
    const std::int32_t acc = columns.acc[i];
    const Real mult = decode(std::bit_cast<std::uint32_t>(columns.mult[i]));
    const std::int32_t code = requantize(acc, mult, {range.zero_point, range.lo, range.hi}, ties);
    expect(codes[i] == static_cast<std::uint8_t>(code), table.name);
    const std::uint32_t bits = float_bits(product_of(acc, mult)) | (acc < 0 ? 0x80000000 : 0);
    expect(std::bit_cast<std::uint32_t>(reals[i]) == bits, table.name);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static Count inputs("inputs");
  static Count products("products");
  ++inputs;
  Reader input({data, size});
  const Columns columns(input);
  for (std::size_t i = 0; i < columns.n; ++i) ++products;
  for (const Table* table : tables_here()) check(*table, columns, input);
  return 0;
}
