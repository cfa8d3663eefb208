// SPDX-License-Identifier: Apache-2.0
// Times competitors in turn, round after round, so that a machine that slows down for a while slows
// all of them.
#pragma once

#include <cstddef>
#include <functional>
#include <span>
#include <vector>

#include "tools/measure/clock.h"

namespace octet::measure {

// Does the same work that many times.
using Repeat = std::function<void(std::size_t calls)>;

constexpr int kLeastRounds = 7;  // where calls are long

// The median seconds per call, in the order of the competitors. A turn calls once to warm up, then
// as often as lasts turn_seconds, at least once. After kLeastRounds no round begins once they have
// taken twice rounds * turn_seconds per competitor, as calls longer than a turn do. clock: CPU
// time, or wall time where several threads work.
std::vector<double> interleaved_medians(std::span<const Repeat> competitors, int rounds,
                                        double turn_seconds,
                                        double (*clock)() = process_cpu_seconds);

}  // namespace octet::measure
