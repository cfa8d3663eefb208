// SPDX-License-Identifier: Apache-2.0
// One search for both: the ends of the range in turn, in coarse steps, then in fine ones.
#include "tools/convert/choose_range.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

namespace octet::convert {
namespace {

constexpr std::size_t kBins = HistogramObserver::kBins;

// Bins [first, last) of a histogram.
struct Bins {
  std::size_t first = 0;
  std::size_t last = kBins;
};

double middle(const HistogramObserver& histogram, std::size_t bin) {
  return (histogram.edge(bin) + histogram.edge(bin + 1)) / 2;
}

Range range_of(const HistogramObserver& histogram, Bins bins, bool symmetric) {
  const Range range{static_cast<float>(histogram.edge(bins.first)),
                    static_cast<float>(histogram.edge(bins.last))};
  if (!symmetric) return range;
  const float end = std::max(std::abs(range.min), std::abs(range.max));
  return {-end, end};
}

int code_of(double x, ScaleZeroPoint codes, bool symmetric) noexcept {
  const double code = std::nearbyint(x / static_cast<double>(codes.scale)) + codes.zero_point;
  return static_cast<int>(symmetric ? std::clamp(code, -127.0, 127.0)
                                    : std::clamp(code, 0.0, 255.0));
}

// What is tried while the ends of a range move: the outermost bins stay beyond the bin of 0, which
// the range holds anyway.
template <class Cost>
class Search {
 public:
  Search(const HistogramObserver& histogram, const Cost& cost)
      : histogram_(histogram), cost_(cost), least_(cost(Bins{})) {
    while (zero_ < kBins && histogram.edge(zero_ + 1) <= 0) ++zero_;
  }

  // Both ends in turn.
  Bins ends() {
    for (int round = 0; round < kRounds && sweep(kCoarse, kBins); ++round) {
    }
    for (int round = 0; round < kRounds && sweep(kFine, kCoarse); ++round) {
    }
    return best_;
  }
  // The farther end, and what lies as far on the other side of 0.
  Bins symmetric_ends() {
    const bool positive = histogram_.edge(kBins) >= -histogram_.edge(0);
    for (std::size_t cut = 0; cut < kBins; cut += kFine) {
      Bins bins{cut, kBins - cut};
      const double end = positive ? histogram_.edge(bins.last) : -histogram_.edge(bins.first);
      if (positive ? bins.last <= zero_ + 1 : bins.first >= zero_) break;
      if (positive) bins.first = 0;
      if (!positive) bins.last = kBins;
      while (positive && histogram_.edge(bins.first) < -end) ++bins.first;
      while (!positive && histogram_.edge(bins.last) > end) --bins.last;
      try_bins(bins);
    }
    return best_;
  }

 private:
  static constexpr int kRounds = 3;
  static constexpr std::size_t kCoarse = 64;
  static constexpr std::size_t kFine = 8;

  void try_bins(Bins bins) {
    const double value = cost_(bins);
    if (value >= least_) return;
    least_ = value;
    best_ = bins;
  }
  // False: nothing moved.
  bool sweep(std::size_t step, std::size_t reach) {
    const Bins start = best_;
    const std::size_t highest = std::min(kBins, start.last + reach);
    const std::size_t lowest = std::max(zero_ + 1, start.last - std::min(start.last, reach));
    for (std::size_t last = highest; last > lowest; last -= std::min(last, step)) {
      if (last > best_.first) try_bins({best_.first, last});
    }
    const std::size_t end = std::min(zero_, start.first + reach);
    for (std::size_t first = start.first - std::min(start.first, reach); first < end;
         first += step) {
      if (first < best_.last) try_bins({first, best_.last});
    }
    return best_.first != start.first || best_.last != start.last;
  }

  const HistogramObserver& histogram_;
  const Cost& cost_;
  Bins best_;
  double least_;
  std::size_t zero_ = 0;  // the bin that holds 0; kBins where all are below it
};

// The bins where cost is least.
template <class Cost>
Bins search(const HistogramObserver& histogram, bool symmetric, const Cost& cost) {
  Search<Cost> search(histogram, cost);
  return symmetric ? search.symmetric_ends() : search.ends();
}

// See entropy_range.
double divergence(const HistogramObserver& histogram, Bins bins, bool symmetric) {
  // Where bins are no finer than codes nothing diverges, however much is clipped.
  constexpr std::size_t kFewest = 256;
  if (bins.last - bins.first < kFewest) return std::numeric_limits<double>::infinity();
  const auto counts = histogram.counts();
  const ScaleZeroPoint codes = choose_codes(range_of(histogram, bins, symmetric), symmetric);
  struct Level {
    double count = 0;
    double bins = 0;
  };
  std::array<Level, 256> levels{};
  const auto level_of = [&](std::size_t bin) -> Level& {
    const int code = code_of(middle(histogram, bin), codes, symmetric);
    return levels[static_cast<std::size_t>(code - (symmetric ? -128 : 0))];
  };
  const std::size_t zero = histogram.bin_of(0);
  const auto holds_zero = [&](std::size_t bin) {
    return bin == zero && histogram.range().min <= 0 && histogram.range().max >= 0;
  };
  double below = 0;
  double above = 0;
  for (std::size_t i = 0; i < bins.first; ++i) below += static_cast<double>(counts[i]);
  for (std::size_t i = bins.last; i < kBins; ++i) above += static_cast<double>(counts[i]);

  double values = 0;  // of the reference
  double inside = 0;  // of the codes: without those that are clipped
  const auto reference = [&](std::size_t bin) {
    double count = static_cast<double>(counts[bin]);
    if (bin == bins.first) count += below;
    if (bin + 1 == bins.last) count += above;
    return count;
  };
  for (std::size_t i = bins.first; i < bins.last; ++i) {
    if (holds_zero(i) || reference(i) == 0) continue;
    Level& level = level_of(i);
    level.count += static_cast<double>(counts[i]);
    level.bins += 1;
    values += reference(i);
    inside += static_cast<double>(counts[i]);
  }
  if (inside == 0) return std::numeric_limits<double>::infinity();
  double sum = 0;
  double used_bins = 0;
  for (std::size_t i = bins.first; i < bins.last; ++i) {
    const double count = reference(i);
    if (holds_zero(i) || count == 0) continue;
    const Level& level = level_of(i);
    const double p = count / values;
    const double q = std::max(level.count / level.bins / inside, 1e-12);
    sum += p * std::log(p / q);
    used_bins += 1;
  }
  const auto used_levels = std::count_if(levels.begin(), levels.end(),
                                         [](const Level& level) { return level.bins > 0; });
  const double by_chance = (used_bins - static_cast<double>(used_levels)) / (2 * values);
  // As a float: the last bits of a logarithm are not the same everywhere.
  return static_cast<double>(static_cast<float>(sum - by_chance));
}

}  // namespace

double through_codes(double x, ScaleZeroPoint codes, bool symmetric) noexcept {
  return static_cast<double>(codes.scale) * (code_of(x, codes, symmetric) - codes.zero_point);
}

Range mse_range(const HistogramObserver& histogram, bool symmetric) {
  const auto counts = histogram.counts();
  const Bins bins = search(histogram, symmetric, [&](Bins tried) {
    const ScaleZeroPoint codes = choose_codes(range_of(histogram, tried, symmetric), symmetric);
    double sum = 0;
    for (std::size_t i = 0; i < kBins; ++i) {
      if (counts[i] == 0) continue;
      const double x = middle(histogram, i);
      const double error = x - through_codes(x, codes, symmetric);
      sum += static_cast<double>(counts[i]) * error * error;
    }
    return sum;
  });
  return range_of(histogram, bins, symmetric);
}

Range entropy_range(const HistogramObserver& histogram, bool symmetric) {
  const Bins bins = search(histogram, symmetric,
                           [&](Bins tried) { return divergence(histogram, tried, symmetric); });
  return range_of(histogram, bins, symmetric);
}

}  // namespace octet::convert
