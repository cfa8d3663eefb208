// SPDX-License-Identifier: Apache-2.0
// What calibration remembers of a value: its range, and a histogram of fixed bins within it. Counts
// are exact integers, so nothing depends on how the data was cut into batches.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include "tools/convert/calibrate.h"

namespace octet::convert {

class RangeObserver {
 public:
  // Gives the index of the first NaN or infinity, data.size() if there is none.
  std::size_t observe(std::span<const float> data) noexcept;
  // {0, 0} if nothing was observed.
  Range range() const noexcept;

 private:
  float min_ = std::numeric_limits<float>::infinity();
  float max_ = -std::numeric_limits<float>::infinity();
};

class HistogramObserver {
 public:
  static constexpr std::size_t kBins = 8192;

  // Bins of equal width over the range that a first pass has found.
  explicit HistogramObserver(Range range);
  void observe(std::span<const float> data) noexcept;

  // The counts of another part of the data; its range must be the same.
  void merge(const HistogramObserver& other) noexcept;

  Range range() const noexcept { return range_; }
  std::span<const std::uint64_t> counts() const noexcept { return counts_; }
  // The bin that counts x; the outermost ones count what lies beyond.
  std::size_t bin_of(float x) const noexcept;
  // The lower edge of a bin, 0 to kBins (the range's end); as floats, the outermost edges are the
  // range.
  double edge(std::size_t bin) const noexcept;

  // The narrowest range of whole bins below and above which at most (100 - percentile) / 2 percent
  // of the values lie, each; 100 gives the whole range.
  Range percentile(double percentile) const noexcept;

 private:
  Range range_;
  double bins_per_unit_;
  std::vector<std::uint64_t> counts_;
};

}  // namespace octet::convert
