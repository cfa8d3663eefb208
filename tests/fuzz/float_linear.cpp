// SPDX-License-Identifier: Apache-2.0
// float_linear and group_linear of every table against the reference, bit for bit, rows that end at
// an unmapped page.
#include "tests/fuzz/kernels.h"

using namespace octet::fuzz;
using namespace octet::kernels;

namespace {

constexpr std::size_t kMaxRows = 12;
constexpr std::size_t kMaxWork = 1 << 11;  // products, or 16 times as many for some inputs

class Problem {
 public:
  explicit Problem(Reader& input) {
    const std::size_t work = input.below(16) == 0 ? 16 * kMaxWork : kMaxWork;
    grouped_ = input.flag();
    bits_ = input.flag() ? 8 : 4;
    m_ = 1 + input.below(kMaxRows);
    k_ = 1 + input.below(input.flag() ? 500 : 40);
    n_ = 1 + input.below(input.flag() ? 200 : 40);
    n_ = std::min(n_, std::max<std::size_t>(1, work / (m_ * k_)));
    group_ = 1 + input.below(k_ + 3);
    octet::data::SplitMix64 random(input.byte());
    const bool special = input.flag();
    const auto draw = [&] {
      return special ? draw_float(random) : static_cast<float>(random.next() >> 40) * 0x1p-23f - 1;
    };
    static const octet::test::GuardedRows memory(kMaxRows);
    for (std::size_t i = 0; i < m_; ++i) {
      auto* row = reinterpret_cast<float*>(memory.row(i, k_ * sizeof(float)));
      for (std::size_t j = 0; j < k_; ++j) row[j] = draw();
      rows_.push_back(row);
    }
    bias_.resize(round_up(n_, kColumnPadding));
    for (std::size_t n = 0; n < n_; ++n) bias_[n] = draw();
    if (grouped_) {
      for (std::size_t i = 0; i < n_ * k_; ++i) {
        const auto code = static_cast<std::int8_t>(random.next() >> 56);
        codes_.push_back(bits_ == 8 ? code : static_cast<std::int8_t>(code / 16));
      }
      for (std::size_t i = 0; i < n_ * ((k_ + group_ - 1) / group_); ++i)
        weights_.push_back(draw());
    } else {
      for (std::size_t i = 0; i < n_ * k_; ++i) weights_.push_back(draw());
    }
    begin_ = input.byte();
    end_ = input.byte();
    ldc_ = n_ + input.below(4);
    std::tie(min_, max_) = draw_bounds(input);
  }

  void check(const Table& table) const {
    Padded packed(grouped_ ? table.f32->packed_group_bytes(n_, k_, group_, bits_)
                           : table.f32->packed_bytes(n_, k_));
    if (grouped_) {
      table.f32->pack_group_weights(codes_.data(), weights_.data(), n_, k_, group_, bits_,
                                    packed.data());
    } else {
      table.f32->pack_weights(weights_.data(), n_, k_, packed.data());
    }
    const std::size_t nr = table.f32->nr;
    const std::size_t panels = (n_ + nr - 1) / nr;
    const std::size_t begin = begin_ % panels;
    const std::size_t end = begin + 1 + end_ % (panels - begin);
    Padded got(m_ * ldc_ * sizeof(float));
    Padded expected(m_ * ldc_ * sizeof(float));
    FloatLinearTask task{rows_.data(),
                         m_,
                         k_,
                         packed.data(),
                         bias_.data(),
                         begin * nr,
                         std::min(n_, end * nr),
                         got.as<float>(),
                         ldc_,
                         min_,
                         max_,
                         group_,
                         bits_};
    if (grouped_) {
      table.f32->group_linear(task);
    } else {
      table.f32->linear(task);
    }
    task.c = expected.as<float>();
    if (grouped_) {
      reference::group_linear(task, codes_.data(), weights_.data());
    } else {
      reference::float_linear(task, weights_.data());
    }
    expect(got == expected, table.name);
    expect(packed.intact(), "written behind packed weights");
  }

 private:
  bool grouped_;
  std::size_t bits_, m_, n_, k_, group_, begin_, end_, ldc_;
  float min_, max_;
  std::vector<const float*> rows_;
  std::vector<float> bias_;
  std::vector<float> weights_;  // of groups: their scales
  std::vector<std::int8_t> codes_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static Count inputs("inputs");
  ++inputs;
  Reader input({data, size});
  const Problem problem(input);
  for (const Table* table : tables_here()) problem.check(*table);
  return 0;
}
