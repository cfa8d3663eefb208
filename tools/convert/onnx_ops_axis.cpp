// SPDX-License-Identifier: Apache-2.0
// Operators along one axis of an activation: Concat, Split, Slice.
#include <algorithm>
#include <limits>
#include <utility>

#include "tools/convert/onnx_ops.h"

namespace octet::convert {
namespace {

Node make_slice(ValueId x, std::size_t axis, std::int64_t start) {
  Node slice;
  slice.op = Op::slice;
  slice.inputs = {x};
  slice.axis = axis;
  slice.start = static_cast<std::size_t>(start);
  return slice;
}

// The extents of Split's pieces along an axis of `extent`.
Dims split_sizes(const OnnxNode& node, std::int64_t extent) {
  const std::int64_t outputs = node.proto().output_size();
  Dims sizes;
  if (node.opset < 13) {
    sizes = node.ints_attribute("split").value_or(Dims{});
  } else if (node.has(1)) {
    sizes = node.need_ints(1, "split");
  }
  if (sizes.empty()) {
    if (node.attribute("num_outputs", outputs) != outputs) {
      node.invalid("num_outputs differs from its " + std::to_string(outputs) + " outputs");
    }
    // From opset 18 on the last piece may be smaller.
    if (extent % outputs != 0 && !node.has_attribute("num_outputs")) {
      node.invalid(std::to_string(extent) + " elements do not split into " +
                   std::to_string(outputs) + " equal pieces");
    }
    const std::int64_t piece = (extent + outputs - 1) / outputs;
    sizes.assign(static_cast<std::size_t>(outputs), piece);
    sizes.back() = extent - piece * (outputs - 1);
  }
  std::int64_t sum = 0;
  for (const std::int64_t size : sizes) {
    if (size <= 0 || size > extent - sum) {
      node.invalid("its pieces " + to_text(sizes) + " do not split " + std::to_string(extent) +
                   " elements");
    }
    sum += size;
  }
  if (sum != extent || static_cast<std::int64_t>(sizes.size()) != outputs) {
    node.invalid("its pieces " + to_text(sizes) + " for " + std::to_string(outputs) +
                 " outputs do not split " + std::to_string(extent) + " elements");
  }
  return sizes;
}

}  // namespace

void import_concat(const OnnxNode& node, GraphBuilder& builder) {
  Node concat;
  concat.op = Op::concat;
  if (node.inputs() == 0) node.invalid("has no input");
  for (std::size_t i = 0; i < node.inputs(); ++i) {
    concat.inputs.push_back(node.activation(i, "input"));
  }
  Shape shape = builder.shape(concat.inputs[0]);
  if (!node.has_attribute("axis")) node.invalid("has no axis");
  concat.axis = node.resolve_axis(node.attribute("axis", std::int64_t{0}), shape.size());
  if (concat.axis == 0) {
    node.refuse("axis 0 is the batch, and octet never mixes samples; export it with axis 1");
  }
  if (concat.inputs.size() == 1) {
    builder.alias(node, concat.inputs[0]);
    return;
  }
  for (std::size_t i = 1; i < concat.inputs.size(); ++i) {
    Shape other = builder.shape(concat.inputs[i]);
    if (other.size() != shape.size()) {
      node.invalid("its inputs have the ranks " + std::to_string(shape.size()) + " and " +
                   std::to_string(other.size()));
    }
    if (builder.graph.values[concat.inputs[i]].dtype !=
        builder.graph.values[concat.inputs[0]].dtype) {
      node.invalid("its inputs have different element types");
    }
    const std::int64_t extent = other[concat.axis];
    other[concat.axis] = shape[concat.axis];
    if (other != shape) {
      node.invalid("its inputs " + to_text(shape) + " and " +
                   to_text(builder.shape(concat.inputs[i])) + " differ beside axis " +
                   std::to_string(concat.axis));
    }
    shape[concat.axis] += extent;
  }
  builder.emit(node, std::move(concat), std::move(shape));
}

void import_split(const OnnxNode& node, GraphBuilder& builder) {
  const ValueId x = node.activation(0, "input");
  const Shape from = builder.shape(x);
  const std::size_t axis = node.resolve_axis(node.attribute("axis", std::int64_t{0}), from.size());
  if (axis == 0) {
    node.refuse("axis 0 is the batch, and octet never parts it; export it with axis 1");
  }
  const Dims sizes = split_sizes(node, from[axis]);
  std::int64_t start = 0;
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    const int output = static_cast<int>(i);
    if (!node.proto().output(output).empty()) {
      Shape to = from;
      to[axis] = sizes[i];
      Node slice = make_slice(x, axis, start);
      builder.emit(node, std::move(slice), std::move(to), output);
    }
    start += sizes[i];
  }
}

std::vector<SliceRange> slice_ranges(const OnnxNode& node, const Dims& dims) {
  const auto list = [&](const char* name, std::size_t input) {
    return node.opset < 10   ? node.ints_attribute(name)
           : node.has(input) ? std::optional<std::vector<std::int64_t>>(node.need_ints(input, name))
                             : std::nullopt;
  };
  const auto starts = list("starts", 1);
  const auto ends = list("ends", 2);
  const auto axes = list("axes", 3);
  const auto steps = node.opset < 10 ? std::nullopt : list("steps", 4);
  if (!starts || !ends) node.invalid("has no starts or no ends");
  const std::size_t count = starts->size();
  if (ends->size() != count || (axes && axes->size() != count) ||
      (steps && steps->size() != count) || count > dims.size()) {
    node.invalid("its starts, ends, axes and steps differ in number");
  }
  std::vector<SliceRange> ranges;
  std::vector<bool> seen(dims.size(), false);
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t axis = axes ? node.resolve_axis((*axes)[i], dims.size()) : i;
    if (seen[axis]) node.invalid("it slices axis " + std::to_string(axis) + " twice");
    seen[axis] = true;
    const std::int64_t step = steps ? (*steps)[i] : 1;
    if (step == 0) node.invalid("a step is 0");
    if (dims[axis] == kBatch) {
      if ((*starts)[i] != 0 || step != 1 || (*ends)[i] < std::numeric_limits<std::int32_t>::max()) {
        node.refuse("it slices axis 0, the batch, and octet never parts it; slice other axes only");
      }
      continue;
    }
    const std::int64_t extent = dims[axis];
    // ONNX: negative numbers count from the end, then all are clamped to what the step can reach.
    const std::int64_t low = step > 0 ? 0 : -1;
    const std::int64_t high = step > 0 ? extent : extent - 1;
    const auto place = [&](std::int64_t at) {
      return std::clamp(at < 0 ? std::max(at, -extent - 1) + extent : at, low, high);
    };
    const std::int64_t start = std::max<std::int64_t>(place((*starts)[i]), 0);
    const std::int64_t end = place((*ends)[i]);
    const std::int64_t distance = step > 0 ? end - start : start - end;
    // Steps beyond the extent take one element; so bounded, none of this can overflow.
    const std::int64_t width = std::max<std::int64_t>(extent, 1);
    const std::int64_t stride =
        step > 0 ? std::min(step, width) : std::min(-std::max(step, -width), width);
    ranges.push_back({axis, start, step > 0 ? stride : -stride,
                      distance > 0 ? (distance + stride - 1) / stride : 0});
  }
  return ranges;
}

void import_slice(const OnnxNode& node, GraphBuilder& builder) {
  ValueId x = node.activation(0, "data");
  Shape shape = builder.shape(x);
  std::vector<SliceRange> parts;
  for (const SliceRange& range : slice_ranges(node, shape)) {
    if (range.step != 1 && range.count > 1) {
      node.refuse("it slices axis " + std::to_string(range.axis) +
                  " with a step other than 1; octet takes runs of neighbours only");
    }
    if (range.count == 0) {
      node.refuse("its result is empty along axis " + std::to_string(range.axis));
    }
    if (range.count != shape[range.axis]) parts.push_back(range);
  }
  if (parts.empty()) {
    builder.alias(node, x);
    return;
  }
  for (std::size_t i = 0; i < parts.size(); ++i) {
    shape[parts[i].axis] = parts[i].count;
    Node slice = make_slice(x, parts[i].axis, parts[i].start);
    if (i + 1 < parts.size()) {
      x = builder.emit_hidden(node, std::move(slice), shape);
    } else {
      builder.emit(node, std::move(slice), shape);
    }
  }
}

}  // namespace octet::convert
