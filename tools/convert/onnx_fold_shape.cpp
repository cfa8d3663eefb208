// SPDX-License-Identifier: Apache-2.0
// Constants from constants: operators that move elements and compute nothing.
#include <algorithm>
#include <utility>

#include "tools/convert/onnx_ops.h"

namespace octet::convert {
namespace {

void define_reshaped(const OnnxNode& node, GraphBuilder& builder, Dims dims) {
  Constant result = node.need_constant(0, "data");
  builder.spend(node, result.size());
  // The axis of several scales may be gone.
  if (result.quantized && result.quantized->scale.size() != 1) result.quantized = nullptr;
  result.dims = std::move(dims);
  builder.define(node, std::move(result));
}

std::vector<std::int64_t> strides_of(const Dims& dims) {
  std::vector<std::int64_t> strides(dims.size(), 1);
  for (std::size_t i = dims.size(); i > 1; --i) strides[i - 2] = strides[i - 1] * dims[i - 1];
  return strides;
}

// Defines the tensor of shape dims whose element at index lies at first + sum(index * strides) in
// the node's first input. perm: of a transpose, null for others, which keep the codes behind a
// dequantized constant only where they have one scale.
void define_view(const OnnxNode& node, GraphBuilder& builder, const Dims& dims, std::int64_t first,
                 const std::vector<std::int64_t>& strides,
                 const std::vector<std::size_t>* perm = nullptr) {
  const Constant& from = node.need_constant(0, "data");
  const std::size_t count = count_elements(dims, builder.graph.source + ": " + node.where());
  builder.spend(node, count);
  Constant result;
  result.is_float = from.is_float;
  result.type = from.type;
  result.dims = dims;
  const auto copy = [&](const auto& source, auto& target) {
    target.reserve(count);
    std::int64_t offset = first;
    Dims index(dims.size(), 0);
    for (std::size_t i = 0; i < count; ++i) {
      target.push_back(source[static_cast<std::size_t>(offset)]);
      for (std::size_t left = dims.size(); left > 0; --left) {  // the next index, last axis fastest
        const std::size_t axis = left - 1;
        offset += strides[axis];
        if (++index[axis] < dims[axis]) break;
        offset -= strides[axis] * dims[axis];
        index[axis] = 0;
      }
    }
  };
  if (from.is_float) {
    copy(from.floats, result.floats);
  } else {
    copy(from.ints, result.ints);
  }
  if (from.quantized && (perm != nullptr || from.quantized->scale.size() == 1)) {
    auto quantized = std::make_shared<QuantizedConstant>();
    copy(from.quantized->codes, quantized->codes);
    quantized->scale = from.quantized->scale;
    if (perm != nullptr) {
      quantized->axis =
          static_cast<std::size_t>(std::ranges::find(*perm, from.quantized->axis) - perm->begin());
    }
    result.quantized = std::move(quantized);
  }
  builder.define(node, std::move(result));
}

}  // namespace

void fold_shape(const OnnxNode& node, GraphBuilder& builder) {
  builder.define(node, shape_of(node, node.need_constant(0, "data").dims));
}

void fold_reshape(const OnnxNode& node, GraphBuilder& builder) {
  const Constant& from = node.need_constant(0, "data");
  const bool allow_zero = node.attribute("allowzero", std::int64_t{0}) != 0;
  Dims dims = node.need_ints(1, "shape");
  const std::string clash =
      "it reshapes the constant " + to_text(from.dims) + " to " + to_text(dims);
  std::size_t inferred = dims.size();
  for (std::size_t i = 0; i < dims.size(); ++i) {
    if (dims[i] == kBatchSize) node.refuse(clash + ", whose size depends on the batch");
    if (dims[i] == 0 && !allow_zero) {
      if (i >= from.dims.size()) node.invalid(clash);
      dims[i] = from.dims[i];
    } else if (dims[i] == -1) {
      if (inferred != dims.size()) node.invalid(clash);
      inferred = i;
      dims[i] = 1;
    }
  }
  std::size_t count = count_elements(dims, builder.graph.source + ": " + node.where());
  if (inferred != dims.size() && count != 0 && from.size() % count == 0) {
    dims[inferred] = static_cast<std::int64_t>(from.size() / count);
    count = from.size();
  }
  if (count != from.size()) node.invalid(clash);
  define_reshaped(node, builder, std::move(dims));
}

void fold_flatten(const OnnxNode& node, GraphBuilder& builder) {
  const Dims& from = node.need_constant(0, "input").dims;
  const std::int64_t given = node.attribute("axis", std::int64_t{1});
  const std::size_t axis = given == static_cast<std::int64_t>(from.size())
                               ? from.size()
                               : node.resolve_axis(given, from.size());
  Dims dims{1, 1};
  for (std::size_t i = 0; i < from.size(); ++i) dims[i < axis ? 0 : 1] *= from[i];
  define_reshaped(node, builder, std::move(dims));
}

void fold_squeeze(const OnnxNode& node, GraphBuilder& builder) {
  define_reshaped(node, builder, squeezed(node, node.need_constant(0, "data").dims));
}

void fold_unsqueeze(const OnnxNode& node, GraphBuilder& builder) {
  define_reshaped(node, builder, unsqueezed(node, node.need_constant(0, "data").dims));
}

void fold_transpose(const OnnxNode& node, GraphBuilder& builder) {
  const Dims& from = node.need_constant(0, "data").dims;
  const std::vector<std::int64_t> strides = strides_of(from);
  Dims dims;
  std::vector<std::int64_t> moved;
  const std::vector<std::size_t> perm = transpose_perm(node, from.size());
  for (const std::size_t axis : perm) {
    dims.push_back(from[axis]);
    moved.push_back(strides[axis]);
  }
  define_view(node, builder, dims, 0, moved, &perm);
}

void fold_slice(const OnnxNode& node, GraphBuilder& builder) {
  Dims dims = node.need_constant(0, "data").dims;
  std::vector<std::int64_t> strides = strides_of(dims);
  std::int64_t offset = 0;
  for (const SliceRange& range : slice_ranges(node, dims)) {
    dims[range.axis] = range.count;
    offset += range.start * strides[range.axis];
    strides[range.axis] *= range.step;
  }
  define_view(node, builder, dims, offset, strides);
}

void fold_gather(const OnnxNode& node, GraphBuilder& builder) {
  const Constant& from = node.need_constant(0, "data");
  const Constant& indices = node.need_constant(1, "indices");
  if (indices.is_float) node.invalid("its indices are floats");
  const std::size_t axis =
      node.resolve_axis(node.attribute("axis", std::int64_t{0}), from.dims.size());
  const auto at = from.dims.begin() + static_cast<std::ptrdiff_t>(axis);
  Dims dims(from.dims.begin(), at);
  dims.insert(dims.end(), indices.dims.begin(), indices.dims.end());
  dims.insert(dims.end(), at + 1, from.dims.end());
  const std::string where = builder.graph.source + ": " + node.where();
  const std::size_t count = count_elements(dims, where);
  builder.spend(node, count);

  const std::size_t outer = count_elements(Dims(from.dims.begin(), at), where);
  const std::size_t inner = count_elements(Dims(at + 1, from.dims.end()), where);
  const auto extent = static_cast<std::size_t>(*at);
  Constant result;
  result.is_float = from.is_float;
  result.type = from.type;
  result.dims = dims;
  const auto copy = [&](const auto& source, auto& target) {
    if (count == 0) return;  // outer may be any number then
    for (std::size_t o = 0; o < outer; ++o) {
      for (const std::int64_t index : indices.ints) {
        if (index == kBatchSize) node.refuse("its index is the size of the batch");
        const std::size_t entry = node.resolve_axis(index, extent);
        const auto begin =
            source.begin() + static_cast<std::ptrdiff_t>((o * extent + entry) * inner);
        target.insert(target.end(), begin, begin + static_cast<std::ptrdiff_t>(inner));
      }
    }
  };
  if (from.is_float) {
    copy(from.floats, result.floats);
  } else {
    copy(from.ints, result.ints);
  }
  builder.define(node, std::move(result));
}

void fold_concat(const OnnxNode& node, GraphBuilder& builder) {
  if (!node.has_attribute("axis")) node.invalid("has no axis");
  Constant result;
  result.is_float = node.need_constant(0, "input").is_float;
  result.type = node.need_constant(0, "input").type;
  result.dims = node.need_constant(0, "input").dims;
  const std::size_t axis =
      node.resolve_axis(node.attribute("axis", std::int64_t{0}), result.dims.size());
  const std::string where = builder.graph.source + ": " + node.where();
  std::vector<std::size_t> runs;  // of each input: elements per step of the outer dimensions
  for (std::size_t i = 0; i < node.inputs(); ++i) {
    const Constant& part = node.need_constant(i, "input");
    Dims other = part.dims;
    if (other.size() == result.dims.size()) other[axis] = result.dims[axis];
    if (part.is_float != result.is_float || part.type != result.type || other != result.dims) {
      node.invalid("its inputs " + to_text(result.dims) + " and " + to_text(part.dims) +
                   " do not fit together along axis " + std::to_string(axis));
    }
    const auto at = part.dims.begin() + static_cast<std::ptrdiff_t>(axis);
    runs.push_back(count_elements(Dims(at, part.dims.end()), where));
  }
  const std::size_t outer = count_elements(
      Dims(result.dims.begin(), result.dims.begin() + static_cast<std::ptrdiff_t>(axis)), where);
  std::int64_t extent = 0;
  for (std::size_t i = 0; i < node.inputs(); ++i) {
    if (__builtin_add_overflow(extent, node.need_constant(i, "input").dims[axis], &extent)) {
      node.invalid("its result has more than 2^63 - 1 elements along axis " + std::to_string(axis));
    }
  }
  result.dims[axis] = extent;
  const std::size_t count = count_elements(result.dims, where);
  builder.spend(node, count);
  // Without elements, outer may be any number; and many parts may have none.
  if (count != 0) builder.spend(node, outer * node.inputs());
  for (std::size_t o = 0; o < outer && count != 0; ++o) {
    for (std::size_t i = 0; i < node.inputs(); ++i) {
      const Constant& part = node.need_constant(i, "input");
      const auto begin = static_cast<std::ptrdiff_t>(o * runs[i]);
      const auto end = begin + static_cast<std::ptrdiff_t>(runs[i]);
      if (result.is_float) {
        result.floats.insert(result.floats.end(), part.floats.begin() + begin,
                             part.floats.begin() + end);
      } else {
        result.ints.insert(result.ints.end(), part.ints.begin() + begin, part.ints.begin() + end);
      }
    }
  }
  builder.define(node, std::move(result));
}

}  // namespace octet::convert
