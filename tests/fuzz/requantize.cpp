// SPDX-License-Identifier: Apache-2.0
// From accumulator to code on every table: round_to_float(round_to_float(acc) * mult) rounded half
// to even, computed beside it in integers, from the bits of the multiplier.
#include "tests/fuzz/kernels.h"

using namespace octet::fuzz;
using namespace octet::kernels;

namespace {

using Wide = unsigned __int128;

constexpr std::size_t kColumns = 128;

// mantissa * 2^exponent, not negative.
struct Number {
  Wide mantissa;
  int exponent;
};

int bit_width(Wide x) {
  const auto high = static_cast<std::uint64_t>(x >> 64);
  const auto low = static_cast<std::uint64_t>(x);
  return static_cast<int>(high != 0 ? 64 + std::bit_width(high) : std::bit_width(low));
}

// x / 2^shift, rounded half to even.
Wide shift_even(Wide x, int shift) {
  if (shift > 126) return 0;  // x is below 2^64
  const Wide whole = x >> shift;
  const Wide rest = x - (whole << shift);
  const Wide half = Wide{1} << shift >> 1;
  const bool up = rest > half || (rest == half && shift > 0 && (whole & 1) != 0);
  return whole + (up ? 1 : 0);
}

// 24 bits of mantissa, none below 2^-149.
Number round_to_float(Number x) {
  const int shift = std::max(bit_width(x.mantissa) - 24, -149 - x.exponent);
  if (shift <= 0) return x;
  return {shift_even(x.mantissa, shift), x.exponent + shift};
}

// The bits of a float that x is exactly, or of infinity.
std::uint32_t float_bits(Number x) {
  if (x.mantissa == 0) return 0;
  while (bit_width(x.mantissa) > 24) x = {x.mantissa >> 1, x.exponent + 1};
  while (bit_width(x.mantissa) < 24 && x.exponent > -149) x = {x.mantissa << 1, x.exponent - 1};
  if (x.exponent > 104) return 0x7f800000;
  const auto mantissa = static_cast<std::uint32_t>(x.mantissa);
  if (mantissa < 1u << 23) return mantissa;  // subnormal
  return (static_cast<std::uint32_t>(x.exponent + 150) << 23) | (mantissa & 0x7fffff);
}

Number number_of(float x) {
  const auto bits = std::bit_cast<std::uint32_t>(x);
  const auto exponent = static_cast<int>(bits >> 23);
  if (exponent == 0) return {bits, -149};
  return {(bits & 0x7fffff) | 0x800000, exponent - 150};
}

// |acc| * mult as float arithmetic has it.
Number product(std::int32_t acc, float mult) {
  const auto magnitude = static_cast<std::uint64_t>(std::abs(std::int64_t{acc}));
  const Number a = round_to_float({magnitude, 0});
  const Number m = number_of(mult);
  return round_to_float({a.mantissa * m.mantissa, a.exponent + m.exponent});
}

std::int32_t code(std::int32_t acc, float mult, const CodeRange& range) {
  const Number y = product(acc, mult);
  constexpr std::int64_t kFar = 1 << 20;  // farther than any code
  std::int64_t whole = 0;
  if (y.exponent < 0) {
    whole = static_cast<std::int64_t>(std::min<Wide>(shift_even(y.mantissa, -y.exponent), kFar));
  } else if (y.mantissa != 0) {
    whole = y.exponent > 20
                ? kFar
                : static_cast<std::int64_t>(std::min<Wide>(y.mantissa << y.exponent, kFar));
  }
  const std::int64_t shifted = (acc < 0 ? -whole : whole) + range.zero_point;
  return static_cast<std::int32_t>(std::clamp<std::int64_t>(shifted, range.lo, range.hi));
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
  for (std::size_t i = 0; i < columns.n; ++i) {
    const std::int32_t acc = columns.acc[i];
    const float mult = columns.mult[i];
    expect(codes[i] == static_cast<std::uint8_t>(code(acc, mult, range)), table.name);
    const std::uint32_t bits = float_bits(product(acc, mult)) | (acc < 0 ? 0x80000000 : 0);
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
