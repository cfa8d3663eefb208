// SPDX-License-Identifier: Apache-2.0
// gemm of every table against the reference: shapes, ranges of columns, stores and values of the
// input, rows that end at an unmapped page.
#include "tests/fuzz/kernels.h"

using namespace octet::fuzz;
using namespace octet::kernels;

namespace {

constexpr std::size_t kMaxRows = 128;      // more than any table prepares at a time
constexpr std::size_t kMaxWork = 1 << 12;  // products, or 16 times as many for some inputs

class Problem {
 public:
  explicit Problem(Reader& input) : input_(input) {
    const std::size_t work = input.below(16) == 0 ? 16 * kMaxWork : kMaxWork;
    taps_ = 1 + (input.flag() ? input.below(9) : 0);
    m_ = 1 + input.below(std::min<std::size_t>(input.flag() ? 20 : kMaxRows, kMaxRows / taps_));
    k_ = 1 + input.below(input.flag() ? 600 : 70);
    n_ = 1 + input.below(input.flag() ? 300 : 40);
    n_ = std::min(n_, std::max<std::size_t>(1, work / (m_ * k_ * taps_)));
    static const octet::test::GuardedRows memory(kMaxRows);
    Codes activations(input);
    for (std::size_t i = 0; i < m_ * taps_; ++i) {
      std::uint8_t* row = memory.row(i, k_);
      for (std::size_t j = 0; j < k_; ++j) row[j] = activations.next();
      rows_.push_back(row);
    }
    Codes codes(input);
    weights_.resize(n_ * taps_ * k_);
    for (std::int8_t& w : weights_) w = static_cast<std::int8_t>(codes.next());
    draw_columns();
    store_ = static_cast<Store>(input.below(3));
    ldc_ = (n_ + input.below(5)) * (store_ == Store::q8 ? 1 : 4);
    offset_ = input.below(4) * (store_ == Store::q8 ? 1 : 4);
    begin_ = input.value<std::uint16_t>();
    end_ = input.value<std::uint16_t>();
    std::tie(min_, max_) = draw_bounds(input);
  }

  void check(const Table& table, Reader input) const {
    Padded packed(table.packed_bytes(n_, taps_, k_));
    table.pack_weights(weights_.data(), n_, taps_, k_, packed.data());
    Padded scratch(table.scratch_bytes(taps_, k_));
    const CodeRange range = draw_range(input, table.sign);
    const std::size_t nr = table.tile.nr;
    const std::size_t panels = (n_ + nr - 1) / nr;
    const std::size_t begin = begin_ % panels;
    const std::size_t end = begin + 1 + end_ % (panels - begin);
    Padded got(offset_ + m_ * ldc_);
    Padded expected(offset_ + m_ * ldc_);
    GemmTask task{rows_.data(),
                  m_,
                  taps_,
                  k_,
                  packed.data(),
                  begin * nr,
                  std::min(n_, end * nr),
                  got.data() + offset_,
                  ldc_,
                  scratch.data(),
                  {store_, bias_.data(), mult_.data(), range.zero_point, range.lo, range.hi, min_,
                   max_, all_below_one(mult_.data(), n_)}};
    table.gemm(task);
    task.c = expected.data() + offset_;
    reference::gemm(table.sign, task, weights_.data());
    expect(got == expected, table.name);
    expect(packed.intact() && scratch.intact(), "written behind packed weights or scratch");
  }

 private:
  // Multipliers that spread sums over the codes, and some that do not.
  void draw_columns() {
    octet::data::SplitMix64 random(input_.byte());
    const auto shift = static_cast<unsigned>(input_.below(32));
    const int exponent = static_cast<int>(input_.below(30)) - 24;
    bias_.resize(round_up(n_, kColumnPadding));
    mult_.resize(bias_.size());
    for (std::size_t n = 0; n < n_; ++n) {
      bias_[n] = static_cast<std::int32_t>(random.next() >> 32) >> shift;
      const float unit = static_cast<float>(random.next() >> 40) * 0x1p-24f;
      mult_[n] = random.next() % 64 == 0 ? 0.0f : std::ldexp(unit, exponent);
    }
  }

  Reader& input_;
  std::size_t m_, n_, k_, taps_, ldc_, offset_, begin_, end_;
  Store store_;
  float min_, max_;
  std::vector<const std::uint8_t*> rows_;
  std::vector<std::int8_t> weights_;
  std::vector<std::int32_t> bias_;
  std::vector<float> mult_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static Count inputs("inputs");
  ++inputs;
  Reader input({data, size});
  const Problem problem(input);
  for (const Table* table : tables_here()) problem.check(*table, input);
  return 0;
}
