// SPDX-License-Identifier: Apache-2.0
// Turns the nodes of a quantized graph into those of the engine. Internal to lower_quantized().
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "tools/convert/engine_builder.h"
#include "tools/convert/links.h"

namespace octet::convert {

class QuantizedLowering {
 public:
  QuantizedLowering(const Graph& graph, const std::optional<engine::Normalization>& pixels)
      : graph_(graph),
        links_(graph),
        pixels_(pixels),
        codes_(graph.values.size()),
        reals_(graph.values.size()),
        sums_(graph.values.size()) {}

  // Call once. The graph's metadata is left empty.
  QuantizedGraph run();

 private:
  using Tensor = EngineBuilder::Tensor;
  using Codes = EngineBuilder::Codes;

  bool is_codes(ValueId value) const { return engine::is_q8(graph_.values[value].dtype); }
  bool is_sums(ValueId value) const { return graph_.values[value].dtype == engine::DType::s32; }
  const Shape& shape(ValueId value) const { return graph_.values[value].shape; }
  const std::string& name(ValueId value) const { return graph_.values[value].name; }
  void note(const Node& node, const std::string& text);

  void add_input(ValueId value);
  // What the codes of an input mean: what the first node that computes with them says.
  Encoding meaning(ValueId input) const;
  Codes add_codes(ValueId value, const Encoding& encoding);
  Tensor make_reals(ValueId value);

  // The codes that a float value was dequantized from.
  std::optional<Codes> source_codes(ValueId value);
  // The same bytes under another meaning: two nodes of the file may not agree about a tensor.
  Codes with_meaning(ValueId value, const Encoding& encoding);
  Tensor reals(ValueId value);

  // The quantize that alone takes a value: its node writes the codes itself.
  const Node* quantizer(ValueId value) const;
  Codes output_codes(const Node& quantize);
  // Codes where a quantize follows, else floats.
  Tensor make_output(ValueId value);

  void lower(const Node& node);
  void lower_quantize(const Node& node);
  void quantize_pixels(const Node& node);  // as if the pixel had been made a float outside
  void lower_dynamic_quantize(const Node& node);
  void lower_linear(const Node& node);
  void integer_linear(const Node& node, Tensor y);  // from codes to y, in whatever form y has
  void lower_dynamic_linear(const Node& node);
  void lower_float_linear(const Node& node, bool quantized_input);
  // The input's columns, once for each part of the weights.
  Tensor repeat(const Node& node, Tensor x, std::size_t parts);
  void lower_add(const Node& node);
  void lower_add_operand(const Node& node);  // of QLinearAdd, between dequantize and quantize
  void lower_affine(const Node& node);
  void look_up(const Node& node, const Codes& x, const Codes& y,
               const std::function<double(double)>& function);
  void lower_unary(const Node& node);
  void lower_move(const Node& node);  // views, concat and clip, of codes or of floats

  const Graph& graph_;
  const Links links_;
  const std::optional<engine::Normalization>& pixels_;
  EngineBuilder builder_;
  // Of codes, of pixels, and of what was dequantized: the codes that it came from.
  std::vector<std::optional<Codes>> codes_;
  std::vector<std::optional<Tensor>> reals_;  // of floats
  std::vector<std::optional<Tensor>> sums_;   // of int32
};

}  // namespace octet::convert
