// SPDX-License-Identifier: Apache-2.0
// Every elementwise function of every table against the reference, bit for bit: any length,
// alignment, values and parameters that a plan can make; in place too.
#include "tests/fuzz/kernels.h"

using namespace octet::fuzz;
using namespace octet::kernels;

namespace {

// Inputs that end at an unmapped page; every pointer misaligned as the input says, floats by whole
// floats.
class Operands {
 public:
  explicit Operands(Reader& input)
      : n_(input.below(input.flag() ? 600 : 70)), shift_(input.byte() % 64) {
    octet::data::SplitMix64 random(input.byte());
    Codes codes(input);
    const bool bits = input.flag();
    static const octet::test::GuardedRows memory(8);
    for (std::size_t i = 0; i < 4; ++i) {
      auto* values = reinterpret_cast<float*>(memory.row(i, n_ * sizeof(float)));
      for (std::size_t j = 0; j < n_; ++j) {
        const auto any = static_cast<std::uint32_t>(random.next() >> 32);
        values[j] = bits ? std::bit_cast<float>(any) : draw_float(random);
      }
      floats_[i] = values;
      std::uint8_t* bytes = memory.row(i + 4, n_);
      for (std::size_t j = 0; j < n_; ++j) bytes[j] = codes.next();
      codes_[i] = bytes;
    }
  }

  std::size_t n() const { return n_; }
  const float* floats(std::size_t i) const { return floats_[i]; }
  const std::uint8_t* codes(std::size_t i) const { return codes_[i]; }
  // Any bits, but no NaN whose payload could differ.
  const std::int32_t* sums() const { return reinterpret_cast<const std::int32_t*>(floats_[3]); }

  // Runs both on outputs of T's of their own and compares.
  template <class T, class Get, class Want>
  void compare(const char* what, const Get& get, const Want& want) const {
    const std::size_t shift = shift_ / sizeof(T) * sizeof(T);
    Padded got(shift + n_ * sizeof(T));
    Padded expected(shift + n_ * sizeof(T));
    get(reinterpret_cast<T*>(got.data() + shift));
    want(reinterpret_cast<T*>(expected.data() + shift));
    expect(got == expected, what);
  }
  // Where the output is the first input.
  template <class T, class Get, class Want>
  void compare_in_place(const char* what, const T* x, const Get& get, const Want& want) const {
    compare<T>(
        what,
        [&](T* y) {
          std::copy_n(x, n_, y);
          get(y, y);
        },
        [&](T* y) { want(x, y); });
  }

 private:
  std::size_t n_;
  std::size_t shift_;
  const float* floats_[4];
  const std::uint8_t* codes_[4];
};

float draw_scale(Reader& input) {
  const float unit = 1 + static_cast<float>(input.byte()) / 256;
  return std::ldexp(unit, static_cast<int>(input.below(40)) - 30);
}

void check_codes(const Table& t, const Operands& x, Reader input) {
  const std::size_t n = x.n();
  const CodeRange range = draw_range(input, t.sign);
  const float scale = draw_scale(input);
  // Scales of dynamic quantization may be any that is not negative.
  const float any_scale = std::bit_cast<float>(
      static_cast<std::uint32_t>(octet::data::SplitMix64(input.byte()).next() >> 33));
  const QuantizeParams quantize{input.flag() ? any_scale : scale, range.zero_point, range.lo,
                                range.hi};
  x.compare<std::uint8_t>(
      "quantize", [&](auto* y) { t.quantize(x.floats(0), n, quantize, y); },
      [&](auto* y) { reference::quantize(x.floats(0), n, quantize, y); });
  x.compare<float>(
      "dequantize", [&](auto* y) { t.dequantize(x.codes(0), n, scale, range.zero_point, y); },
      [&](auto* y) { reference::dequantize(t.sign, x.codes(0), n, scale, range.zero_point, y); });
  x.compare_in_place(
      "clamp_q8", x.codes(1), [&](auto* in, auto* y) { t.clamp_q8(in, n, range.lo, range.hi, y); },
      [&](auto* in, auto* y) { reference::clamp_q8(t.sign, in, n, range.lo, range.hi, y); });
  // The file's codes and the table's may differ by 128.
  const std::int32_t offset = input.flag() ? 0 : t.sign == Sign::u8 ? -128 : 128;
  const float ra = draw_scale(input);
  const float rb = draw_scale(input);
  const float c = static_cast<float>(range.zero_point) - (ra * 3 + rb * static_cast<float>(offset));
  const AddParams add{ra, rb, c, range.lo + offset, range.hi + offset, offset};
  x.compare_in_place(
      "add_q8", x.codes(0), [&](auto* in, auto* y) { t.add_q8(in, x.codes(1), n, add, y); },
      [&](auto* in, auto* y) { reference::add_q8(t.sign, in, x.codes(1), n, add, y); });
  std::uint8_t table[256];
  octet::data::SplitMix64 random(input.byte());
  for (std::uint8_t& entry : table) entry = static_cast<std::uint8_t>(random.next() >> 56);
  x.compare_in_place(
      "lookup", x.codes(2), [&](auto* in, auto* y) { t.lookup(in, n, table, y); },
      [&](auto* in, auto* y) { reference::lookup(in, n, table, y); });
  x.compare_in_place(
      "flip", x.codes(3), [&](auto* in, auto* y) { t.flip(in, n, y); },
      [&](auto* in, auto* y) { reference::flip(in, n, y); });
}

void check_floats(const Table& t, const Operands& x, Reader input) {
  const std::size_t n = x.n();
  float min = 0;
  float max = 0;
  std::tie(min, max) = draw_bounds(input);
  float least[2];
  float largest[2];
  t.f32->range(x.floats(0), n, &least[0], &largest[0]);
  reference::range(x.floats(0), n, &least[1], &largest[1]);
  expect(std::memcmp(&least[0], &least[1], sizeof(float)) == 0 &&
             std::memcmp(&largest[0], &largest[1], sizeof(float)) == 0,
         "range");
  x.compare_in_place(
      "clamp_f32", x.floats(1), [&](auto* in, auto* y) { t.f32->clamp(in, n, min, max, y); },
      [&](auto* in, auto* y) { reference::clamp_f32(in, n, min, max, y); });
  x.compare_in_place(
      "add_f32", x.floats(0), [&](auto* in, auto* y) { t.f32->add(in, x.floats(1), n, y); },
      [&](auto* in, auto* y) { reference::add_f32(in, x.floats(1), n, y); });
  x.compare_in_place(
      "affine_f32", x.floats(0),
      [&](auto* in, auto* y) { t.f32->affine(in, x.floats(1), x.floats(2), n, y); },
      [&](auto* in, auto* y) { reference::affine_f32(in, x.floats(1), x.floats(2), n, y); });
  const DynamicParams dynamic{
      static_cast<std::int32_t>(input.byte()) - (t.sign == Sign::s8 ? 128 : 0),
      draw_scale(input),
      x.sums(),
      x.floats(1),
      x.floats(2),
      min,
      max};
  x.compare<float>(
      "dequantize_sums", [&](auto* y) { t.f32->dequantize_sums(x.sums(), n, dynamic, y); },
      [&](auto* y) { reference::dequantize_sums(x.sums(), n, dynamic, y); });
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static Count inputs("inputs");
  ++inputs;
  Reader input({data, size});
  const Operands operands(input);
  for (const Table* table : tables_here()) {
    check_codes(*table, operands, input);
    check_floats(*table, operands, input);
  }
  return 0;
}
