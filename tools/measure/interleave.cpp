// SPDX-License-Identifier: Apache-2.0
#include "tools/measure/interleave.h"

#include <algorithm>

namespace octet::measure {
namespace {

double seconds_per_call(const Repeat& repeat, std::size_t calls, double (*clock)()) {
  const double start = clock();
  repeat(calls);
  return (clock() - start) / static_cast<double>(calls);
}

// How many calls last that long.
std::size_t calls_lasting(const Repeat& repeat, double seconds, double (*clock)()) {
  // A tenth of the time is enough to extrapolate from; the least of three, because whatever comes
  // between would make all turns too short.
  for (std::size_t calls = 1;; calls *= 4) {
    double time = seconds_per_call(repeat, calls, clock);
    for (int i = 0; i < 2; ++i) time = std::min(time, seconds_per_call(repeat, calls, clock));
    if (time * static_cast<double>(calls) >= seconds / 10) {
      return std::max<std::size_t>(1, static_cast<std::size_t>(seconds / time));
    }
  }
}

}  // namespace

std::vector<double> interleaved_medians(std::span<const Repeat> competitors, int rounds,
                                        double turn_seconds, double (*clock)()) {
  std::vector<std::size_t> calls;
  for (const Repeat& repeat : competitors) {
    repeat(1);
    calls.push_back(calls_lasting(repeat, turn_seconds, clock));
  }
  std::vector<std::vector<double>> times(competitors.size());
  const double enough =
      clock() + 2 * turn_seconds * static_cast<double>(competitors.size()) * rounds;
  for (int round = 0; round < rounds && (round < kLeastRounds || clock() < enough); ++round) {
    for (std::size_t i = 0; i < competitors.size(); ++i) {
      competitors[i](1);
      times[i].push_back(seconds_per_call(competitors[i], calls[i], clock));
    }
  }
  std::vector<double> medians;
  for (auto& of_one : times) {
    const auto middle = of_one.begin() + static_cast<std::ptrdiff_t>(of_one.size() / 2);
    std::nth_element(of_one.begin(), middle, of_one.end());
    medians.push_back(*middle);
  }
  return medians;
}

}  // namespace octet::measure
