// SPDX-License-Identifier: Apache-2.0
// A float network in which nodes do what a model's do: compute with its weights, on its codes. So
// the effect of a node can be told apart from that of the others.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "engine/graph.h"
#include "tools/command/calibration_source.h"
#include "tools/convert/graph.h"

namespace octet::command {

// What imitated nodes do to the float network's first output.
struct Effect {
  double sqnr_db = 0;
  std::size_t flips = 0;  // arg-max answers that change
};

class Imitation {
 public:
  // original: simplified; expected: its first output for all of source's samples. All of them must
  // outlive this.
  Imitation(const convert::Graph& original, CalibrationSource& source,
            std::span<const float> expected);

  // node, of model, does what the original's node of that index does. offsets: what the model's
  // tensors mean beside scale * (q - zero_point).
  void add(std::size_t index, const engine::Graph& model, const engine::Node& node,
           const std::vector<float>& offsets);

  // Of the pairs that were added, by their order: this node in int8, all others in float; this node
  // in float, all others in int8. The codes that a linear takes are its own, as with --keep-float;
  // others have those that they give.
  Effect alone(std::size_t pair) const;
  Effect without(std::size_t pair) const;

 private:
  // How a value goes through codes.
  struct Rounding {
    convert::Encoding encoding;
    float offset;
    std::size_t dynamic_run;  // of dynamic_linear: neighbours that share a range; else 0
  };
  struct Pair {
    std::size_t index = 0;           // the original's node
    std::optional<Rounding> input;   // what a linear alone reads through its codes
    std::optional<Rounding> output;  // what all see
    std::vector<float> weight;       // of linears: what the codes mean, [m][k]; else empty
    std::vector<float> bias;
  };
  struct Changed;
  static void round(std::span<const float> x, const Rounding& rounding, std::vector<float>& y);
  Changed change(const std::function<bool(std::size_t pair)>& imitates) const;
  bool feeds_linears_only(convert::ValueId value) const;
  Effect measure(const std::function<bool(std::size_t pair)>& imitates) const;

  const convert::Graph& original_;
  CalibrationSource& source_;
  std::span<const float> expected_;
  std::vector<Pair> pairs_;
};

}  // namespace octet::command
