// SPDX-License-Identifier: Apache-2.0
// Ranges and percentiles of streams of floats.
#include "tools/convert/observers.h"

#include <algorithm>
#include <cmath>

namespace octet::convert {

std::size_t RangeObserver::observe(std::span<const float> data) noexcept {
  float min = min_;
  float max = max_;
  bool finite = true;
  for (const float x : data) {
    min = x < min ? x : min;
    max = x > max ? x : max;
    finite &= x - x == 0;
  }
  if (!finite) {
    const auto bad = std::find_if(data.begin(), data.end(), [](float x) { return x - x != 0; });
    return static_cast<std::size_t>(bad - data.begin());
  }
  min_ = min;
  max_ = max;
  return data.size();
}

Range RangeObserver::range() const noexcept {
  return min_ <= max_ ? Range{min_, max_} : Range{};
}

HistogramObserver::HistogramObserver(Range range)
    : range_(range), bins_per_unit_(0), counts_(kBins) {
  const double width = static_cast<double>(range.max) - static_cast<double>(range.min);
  if (width > 0) bins_per_unit_ = kBins / width;
}

std::size_t HistogramObserver::bin_of(float x) const noexcept {
  const double bin = (static_cast<double>(x) - static_cast<double>(range_.min)) * bins_per_unit_;
  return static_cast<std::size_t>(std::clamp(bin, 0.0, kBins - 1.0));
}

void HistogramObserver::observe(std::span<const float> data) noexcept {
  for (const float x : data) ++counts_[bin_of(x)];
}

void HistogramObserver::merge(const HistogramObserver& other) noexcept {
  for (std::size_t i = 0; i < kBins; ++i) counts_[i] += other.counts_[i];
}

double HistogramObserver::edge(std::size_t bin) const noexcept {
  const double part = static_cast<double>(bin) / kBins;
  return static_cast<double>(range_.min) * (1 - part) + static_cast<double>(range_.max) * part;
}

Range HistogramObserver::percentile(double percentile) const noexcept {
  std::uint64_t total = 0;
  for (const std::uint64_t count : counts_) total += count;
  if (total == 0) return range_;
  // Values outside the kept range, on each side.
  const double cut = static_cast<double>(total) * (100 - percentile) / 200;
  std::size_t first = 0;
  for (std::uint64_t below = counts_[0]; first + 1 < kBins && static_cast<double>(below) <= cut;) {
    below += counts_[++first];
  }
  std::size_t last = kBins - 1;
  for (std::uint64_t above = counts_[last]; last > first && static_cast<double>(above) <= cut;) {
    above += counts_[--last];
  }
  // The outermost edges exactly as observed.
  return {first == 0 ? range_.min : static_cast<float>(edge(first)),
          last == kBins - 1 ? range_.max : static_cast<float>(edge(last + 1))};
}

}  // namespace octet::convert
