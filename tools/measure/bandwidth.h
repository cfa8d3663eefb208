// SPDX-License-Identifier: Apache-2.0
// How fast one core reads from each level of its memory: what bounds a layer at batch 1, whose
// every weight is read once.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace octet::measure {

struct Bandwidth {
  std::string level;  // "L1", "L2", "L3", "DRAM"
  std::size_t bytes;  // the buffer that was read over and over
  double gb_per_s;    // 1e9 bytes per second of CPU time, the best of several rounds
};

// One entry per level of cache that the system tells of (usual sizes where it tells nothing), then
// DRAM. Takes up to a second and, for DRAM, four times the last cache (512 MiB at most).
std::vector<Bandwidth> read_bandwidths();

}  // namespace octet::measure
