// SPDX-License-Identifier: Apache-2.0
#include "tools/measure/gemm.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <numeric>
#include <random>

namespace octet::measure {

using kernels::round_up;

GemmData::GemmData(std::size_t rows, std::size_t columns, std::size_t depth)
    : m(rows), n(columns), k(depth), a(m * k), w(n * k), bias(n) {
  std::mt19937 rng(1);
  for (auto& x : a) x = static_cast<std::uint8_t>(rng());
  for (auto& x : w) x = static_cast<std::int8_t>(rng());
  for (auto& x : bias) x = static_cast<std::int32_t>(rng() % 2001) - 1000;
  // The standard deviation of a product of such codes is near 1e4.
  mult = 1e-2F / std::sqrt(static_cast<float>(k));
}

Gemm::Gemm(const kernels::Table& table, const GemmData& data, kernels::Store store)
    : table_(table),
      n_(data.n),
      packed_(lines(table.packed_bytes(data.n, 1, data.k))),
      a_(lines(data.m * round_up(data.k, 64))),
      scratch_(lines(table.scratch_bytes(1, data.k))),
      rows_(data.m),
      bias_(round_up(data.n, kernels::kColumnPadding)),
      mult_(bias_.size()) {
  const std::size_t lda = round_up(data.k, 64);
  const std::size_t ldc = round_up(data.n * (store == kernels::Store::q8 ? 1 : 4), 64);
  c_ = lines(data.m * ldc);
  table.pack_weights(data.w.data(), data.n, 1, data.k, packed_.data());

  const std::int32_t zero_point = table.sign == kernels::Sign::u8 ? 0 : -128;
  for (std::size_t i = 0; i < data.m; ++i) {
    std::uint8_t* row = bytes_of(a_) + i * lda;
    std::memcpy(row, data.a.data() + i * data.k, data.k);
    if (zero_point != 0) table.flip(row, data.k, row);
    rows_[i] = row;
  }
  for (std::size_t j = 0; j < data.n; ++j) {
    const std::int8_t* w = data.w.data() + j * data.k;
    bias_[j] = data.bias[j] - zero_point * std::accumulate(w, w + data.k, std::int32_t{0});
    mult_[j] = data.mult;
  }
  const float infinity = std::numeric_limits<float>::infinity();
  task_ = {rows_.data(),
           data.m,
           1,
           data.k,
           packed_.data(),
           0,
           data.n,
           c_.data(),
           ldc,
           scratch_.data(),
           {store, bias_.data(), mult_.data(), zero_point, zero_point, zero_point + 255, -infinity,
            infinity, kernels::all_below_one(mult_.data(), data.n)}};
}

std::vector<std::uint8_t> Gemm::codes() const {
  std::vector<std::uint8_t> result(task_.m * n_);
  for (std::size_t i = 0; i < task_.m; ++i) {
    std::uint8_t* out = result.data() + i * n_;
    std::memcpy(out, bytes_of(c_) + i * task_.ldc, n_);
    if (table_.sign == kernels::Sign::s8) table_.flip(out, n_, out);
  }
  return result;
}

std::vector<std::int32_t> Gemm::sums() const {
  std::vector<std::int32_t> result(task_.m * n_);
  for (std::size_t i = 0; i < task_.m; ++i) {
    std::memcpy(result.data() + i * n_, bytes_of(c_) + i * task_.ldc, n_ * 4);
  }
  return result;
}

}  // namespace octet::measure
