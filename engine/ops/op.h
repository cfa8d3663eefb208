// SPDX-License-Identifier: Apache-2.0
// How an op becomes a step. An op is one file here, with one function, and one line in
// op_table.cpp.
#pragma once

#include <string>

#include "engine/errors.h"
#include "engine/graph.h"
#include "engine/step.h"
#include "engine/storage.h"
#include "kernels/kernels.h"

namespace octet::engine {

struct OpContext {
  const Graph& graph;  // checked
  const Node& node;
  const kernels::Table& table;
  Storage& storage;

  const Tensor& input(std::size_t i) const { return graph.tensors[node.inputs[i]]; }
  const Tensor& output() const { return graph.tensors[node.output]; }
  // "clamp_q8 avx2"
  std::string kernel(const char* function) const { return message(function, " ", table.name); }
};

struct Compiled {
  StepFunction run = nullptr;
  const void* params = nullptr;  // in OpContext::storage
  std::string kernel;            // StepInfo::kernel
  std::uint64_t multiply_adds = 0;
  std::size_t parameter_bytes = 0;
  std::size_t unread_bytes = 0;  // of these: forms of weights that a run leaves alone
  bool has_tiles = false;        // kernels::Table::tile_speed is its multiply-adds'
  bool divisible = false;
};

// What a step needs of the arena beside its tensors.
struct Needs {
  std::size_t rows = 0;           // row pointers per sample
  std::size_t scratch_bytes = 0;  // Block::scratch
};

struct Op {
  Compiled (*compile)(const OpContext& context);  // null: a view of its input, no step
  bool in_place;  // whether the output may be the input's memory, if they have the same size
  Needs (*needs)(const OpContext& context) = nullptr;  // null: nothing; packs and allocates nothing
};
const Op& find_op(OpType type) noexcept;

// The steps at a network's ends: bytes of one sample, as they are or with the sign flipped.
Compiled compile_copy(std::size_t bytes, Storage& storage);
Compiled compile_flip(std::size_t bytes, const kernels::Table& table, Storage& storage);

// Elements of a sample before, along and after an axis.
struct AxisExtents {
  std::size_t outer;
  std::size_t extent;
  std::size_t inner;
};
AxisExtents around_axis(const Tensor& tensor, std::size_t axis) noexcept;

// Calls f(x, y, n) until all elements of the block are passed: at once where samples lie equally
// far apart in input and output (the padding between them is computed on too), else one by one.
template <class In, class Out, class Function>
void for_elements(const Step& step, const Block& block, std::size_t elements, Function f) {
  const std::size_t stride = step.in[0].stride / sizeof(In);
  if (stride == step.out.stride / sizeof(Out)) {
    f(at<const In>(block, step.in[0]), at<Out>(block, step.out),
      (block.samples - 1) * stride + elements);
    return;
  }
  for (std::size_t i = 0; i < block.samples; ++i) {
    f(at<const In>(block, step.in[0], i), at<Out>(block, step.out, i), elements);
  }
}

}  // namespace octet::engine
