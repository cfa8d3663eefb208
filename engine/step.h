// SPDX-License-Identifier: Apache-2.0
// What run() executes: a step is a function, its parameters, and where its tensors lie.
#pragma once

#include <cstddef>
#include <cstdint>

namespace octet::engine {

// A tensor of a block of samples. A sample's elements are contiguous.
struct Place {
  std::uint32_t base = 0;  // index into Block::bases
  std::size_t offset = 0;  // bytes from there to the first sample
  std::size_t stride = 0;  // bytes from sample to sample
};

// What changes from call to call.
struct Block {
  std::byte* const* bases;  // the task's arena, then each input and output at the first sample
  std::size_t samples;
  const void** rows;  // of this task: row pointers of a matrix product
  void* scratch;      // of this task: for a kernel, 64-byte aligned
};

// The part of a step's output that a call computes: of one or, in divisible steps, of an even
// number, two of each task.
struct Share {
  std::size_t part;
  std::size_t parts;
};

struct Step;
using StepFunction = void (*)(const Step& step, const Block& block, Share share);

struct Step {
  StepFunction run;
  const void* params;  // the op's own struct
  const Place* in;
  Place out;
  std::uint64_t cost;        // per sample, in multiply-adds
  std::uint64_t block_cost;  // per block
  bool divisible;
};

template <class T>
T* at(const Block& block, const Place& place, std::size_t sample = 0) noexcept {
  return reinterpret_cast<T*>(block.bases[place.base] + place.offset + sample * place.stride);
}

}  // namespace octet::engine
