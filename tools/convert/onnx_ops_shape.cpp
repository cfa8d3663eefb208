// SPDX-License-Identifier: Apache-2.0
// Operators that change an activation's shape and keep the batch in front.
#include <algorithm>
#include <utility>

#include "tools/convert/onnx_ops.h"

namespace octet::convert {
namespace {

void emit_reshape(const OnnxNode& node, GraphBuilder& builder, ValueId x, Shape shape) {
  if (shape == builder.shape(x)) {
    builder.alias(node, x);
    return;
  }
  Node reshape;
  reshape.op = Op::reshape;
  reshape.inputs = {x};
  builder.emit(node, std::move(reshape), std::move(shape));
}

[[noreturn]] void refuse_target(const OnnxNode& node, const Shape& from, const Dims& target,
                                const std::string& reason) {
  node.refuse("it reshapes " + to_text(from) + " to " + to_text(target) + ": " + reason +
              "; the batch must stay the leading dimension: export it with -1 or 0 in front and "
              "the other dimensions constant");
}

// The target of Reshape with the batch in front: as 0, -1, the computed batch size, or the constant
// that the batch had when the network was exported.
Shape resolve_target(const OnnxNode& node, const GraphBuilder& builder, const Shape& from,
                     const Dims& target) {
  const bool allow_zero = node.attribute("allowzero", std::int64_t{0}) != 0;
  if (target.empty()) refuse_target(node, from, target, "a scalar has no batch");
  const std::size_t elements = sample_elements(from);
  Shape to(target.begin(), target.end());
  std::size_t inferred = to.size();  // the index of -1
  std::size_t rest = 1;              // the product of what is known behind the batch
  for (std::size_t i = 0; i < to.size(); ++i) {
    if (to[i] == 0) {
      if (allow_zero) refuse_target(node, from, target, "allowzero makes it empty");
      if (i >= from.size())
        node.invalid("its shape copies dimension " + std::to_string(i) + " of " + to_text(from));
      to[i] = i == 0 ? kBatchSize : from[i];
    }
    if (to[i] == -1) {
      if (inferred != to.size()) node.invalid("its shape has two dimensions of -1");
      inferred = i;
    } else if (to[i] == kBatchSize) {
      if (i != 0) refuse_target(node, from, target, "the batch would move");
    } else if (to[i] < 0) {
      node.invalid("its shape is " + to_text(target));
    } else if (i != 0) {
      if (static_cast<std::size_t>(to[i]) > elements / rest) {
        refuse_target(node, from, target, "it mixes samples");
      }
      rest *= static_cast<std::size_t>(to[i]);
    }
  }
  const bool batch_known = to[0] == kBatchSize || (to[0] > 0 && to[0] == builder.exported_batch) ||
                           (to[0] > 0 && builder.exported_batch == 0 && inferred == to.size());
  if (inferred != 0 && !batch_known) {
    refuse_target(node, from, target, "its leading dimension is not the batch");
  }
  if (inferred != 0 && inferred != to.size() && elements % rest == 0) {
    to[inferred] = static_cast<std::int64_t>(elements / rest);
    rest = elements;
  }
  if (rest != elements) refuse_target(node, from, target, "it mixes samples");
  to[0] = kBatch;
  return to;
}

}  // namespace

std::vector<std::size_t> transpose_perm(const OnnxNode& node, std::size_t rank) {
  std::vector<std::size_t> perm(rank);
  const auto given = node.ints_attribute("perm");
  if (given && given->size() != rank) {
    node.invalid("perm has " + std::to_string(given->size()) + " entries, its input has rank " +
                 std::to_string(rank));
  }
  std::vector<bool> seen(rank, false);
  for (std::size_t i = 0; i < rank; ++i) {
    perm[i] = given ? node.resolve_axis((*given)[i], rank) : rank - 1 - i;
    if (seen[perm[i]]) node.invalid("perm names axis " + std::to_string(perm[i]) + " twice");
    seen[perm[i]] = true;
  }
  return perm;
}

Dims squeezed(const OnnxNode& node, const Dims& dims) {
  const auto axes = node.axes("axes", 1, 13, dims.size());
  Dims result;
  for (std::size_t i = 0; i < dims.size(); ++i) {
    const bool named = axes && std::binary_search(axes->begin(), axes->end(), i);
    if (named && dims[i] != 1) {
      node.invalid("it squeezes axis " + std::to_string(i) + " of " + to_text(dims));
    }
    if (axes ? !named : dims[i] != 1) result.push_back(dims[i]);
  }
  return result;
}

Dims unsqueezed(const OnnxNode& node, const Dims& dims) {
  // The axes count in the result, whose rank is known once they are: any rank serves to count them.
  const std::size_t added = node.opset < 13 ? node.ints_attribute("axes").value_or(Dims{}).size()
                                            : node.need_ints(1, "axes").size();
  const auto axes = node.axes("axes", 1, 13, dims.size() + added);
  if (!axes) node.invalid("has no axes");
  Dims result;
  std::size_t next = 0;
  for (std::size_t i = 0; i < dims.size() + added; ++i) {
    const bool is_new = std::binary_search(axes->begin(), axes->end(), i);
    result.push_back(is_new ? 1 : dims[next++]);
  }
  return result;
}

Constant shape_of(const OnnxNode& node, const Dims& dims) {
  const auto rank = static_cast<std::int64_t>(dims.size());
  const auto place = [&](const char* name, std::int64_t otherwise) {
    const std::int64_t at = node.attribute(name, otherwise);
    return std::clamp<std::int64_t>(at < 0 ? at + rank : at, 0, rank);
  };
  const std::int64_t start = place("start", 0);
  const std::int64_t end = std::max(start, place("end", rank));
  Constant shape;
  shape.is_float = false;
  shape.type = onnx::TensorProto::INT64;
  shape.ints.assign(dims.begin() + start, dims.begin() + end);
  shape.dims = {end - start};
  return shape;
}

void import_shape(const OnnxNode& node, GraphBuilder& builder) {
  Dims dims = builder.shape(node.activation(0, "data"));
  dims[0] = kBatchSize;
  builder.define(node, shape_of(node, dims));
}

void import_reshape(const OnnxNode& node, GraphBuilder& builder) {
  const ValueId x = node.activation(0, "data");
  const Dims& target = node.need_ints(1, "shape");
  emit_reshape(node, builder, x, resolve_target(node, builder, builder.shape(x), target));
}

void import_flatten(const OnnxNode& node, GraphBuilder& builder) {
  const ValueId x = node.activation(0, "input");
  const Shape& shape = builder.shape(x);
  const std::int64_t given = node.attribute("axis", std::int64_t{1});
  const auto rank = static_cast<std::int64_t>(shape.size());
  const std::size_t axis = given == rank ? shape.size() : node.resolve_axis(given, shape.size());
  // Axis 0 puts everything into one row, which is the batch if the network was exported with one
  // sample; behind axis 1 the dimensions that join the batch must be 1.
  const bool keeps_batch =
      axis == 0 ? builder.exported_batch == 1
                : std::all_of(shape.begin() + 1, shape.begin() + static_cast<std::ptrdiff_t>(axis),
                              [](std::int64_t dim) { return dim == 1; });
  if (!keeps_batch) {
    node.refuse("axis " + std::to_string(given) + " of " + to_text(shape) +
                " mixes the batch with other dimensions; export it with axis 1");
  }
  emit_reshape(node, builder, x, {kBatch, static_cast<std::int64_t>(sample_elements(shape))});
}

void import_squeeze(const OnnxNode& node, GraphBuilder& builder) {
  const ValueId x = node.activation(0, "data");
  const Shape& shape = builder.shape(x);
  const auto axes = node.axes("axes", 1, 13, shape.size());
  if (axes ? !axes->empty() && axes->front() == 0 : builder.exported_batch == 1) {
    node.refuse("it removes the batch dimension of " + to_text(shape) +
                "; export it with axes that leave out 0");
  }
  emit_reshape(node, builder, x, squeezed(node, shape));
}

void import_unsqueeze(const OnnxNode& node, GraphBuilder& builder) {
  const ValueId x = node.activation(0, "data");
  Shape shape = unsqueezed(node, builder.shape(x));
  if (shape[0] != kBatch) {
    node.refuse("it puts a dimension in front of the batch of " + to_text(builder.shape(x)) +
                "; export it with axes that leave out 0");
  }
  emit_reshape(node, builder, x, std::move(shape));
}

void import_transpose(const OnnxNode& node, GraphBuilder& builder) {
  const ValueId x = node.activation(0, "data");
  const Shape& from = builder.shape(x);
  Node transpose;
  transpose.op = Op::transpose;
  transpose.inputs = {x};
  transpose.perm = transpose_perm(node, from.size());
  if (transpose.perm[0] != 0) {
    node.refuse("it moves the batch of " + to_text(from) + " to another place" +
                "; export it with a perm that begins with 0");
  }
  if (std::is_sorted(transpose.perm.begin(), transpose.perm.end())) {
    builder.alias(node, x);
    return;
  }
  Shape to;
  for (const std::size_t axis : transpose.perm) to.push_back(from[axis]);
  builder.emit(node, std::move(transpose), std::move(to));
}

}  // namespace octet::convert
