// SPDX-License-Identifier: Apache-2.0
// Turns the nodes of a float graph into those of the engine, by a plan. Internal to quantize().
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "tools/convert/engine_builder.h"
#include "tools/convert/quantize_plan.h"

namespace octet::convert {

class Lowering {
 public:
  Lowering(const Graph& graph, const std::vector<ValuePlan>& plan, const QuantizeOptions& options);

  // Call once. The graph's metadata is left empty.
  QuantizedGraph run();

 private:
  using Tensor = EngineBuilder::Tensor;
  using Codes = EngineBuilder::Codes;

  void add_inputs();
  void lower(const Node& node);
  void lower_linear(const Node& node);
  void lower_float_linear(const Node& node);
  void lower_group_linear(const Node& node);
  void lower_dynamic_linear(const Node& node);
  void lower_integer_linear(const Node& node);
  void lower_add(const Node& node);
  void lower_affine(const Node& node);
  void lower_softmax(const Node& node);
  void lower_lookup(const Node& node, const std::function<double(double)>& function);
  void lower_view(const Node& node);  // clip too
  void lower_concat(const Node& node);

  // The value in 8 bits or f32: as produced, or converted on first use.
  Codes codes(ValueId value);
  Tensor reals(ValueId value);
  // Codes without offset: pixels go through a table to the value's planned encoding.
  Codes plain_codes(ValueId value, const Node& consumer);
  Codes in_encoding(ValueId value, const Encoding& encoding, const Node& consumer);
  Codes table_look_up(const std::string& name, ValueId value, const Codes& input,
                      const Encoding& encoding, const std::string& output_name,
                      const std::function<double(double)>& function);

  Tensor add_codes(const std::string& name, ValueId like, const Encoding& encoding);
  Tensor add_reals(const std::string& name, ValueId like);
  Tensor make_codes(ValueId value, const Encoding& encoding);  // the value's main 8-bit form
  Tensor make_reals(ValueId value);                            // the value's main f32 form
  void note_lost_offset(ValueId value, const Encoding& from, const Encoding& to,
                        const Node& consumer);

  const Graph& graph_;
  const std::vector<ValuePlan>& plan_;
  const QuantizeOptions& options_;
  const std::vector<bool> pixels_;
  EngineBuilder builder_;
  std::vector<std::optional<Codes>> codes_;   // of each value
  std::vector<std::optional<Codes>> plain_;   // of values whose codes have an offset
  std::vector<std::optional<Tensor>> reals_;  // of each value
};

}  // namespace octet::convert
