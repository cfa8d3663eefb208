// SPDX-License-Identifier: Apache-2.0
// The contents of a model file as plain structs: what the loader reads, checks and plans, and what
// the converter fills and writes. Codes and zero points are in the file's own signs, not yet a
// kernel table's.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace octet::engine {

inline constexpr std::size_t kMaxRank = 8;
inline constexpr std::uint32_t kArithmeticVersion = 1;

enum class DType : std::uint8_t { f32 = 0, u8 = 1, s8 = 2, s32 = 3 };

// Inputs in order; N is the batch, E the elements of a sample. Only the leading dimension is
// dynamic, and no op mixes samples. clip_min / clip_max are bounds in the reals, applied before the
// output is quantized; a NaN becomes clip_min (-inf where it is not set), but passes an add of
// floats without bounds.
enum class OpType : std::uint8_t {
  quantize = 0,    // f32 -> 8-bit
  dequantize = 1,  // 8-bit -> f32
  requantize = 2,  // 8-bit -> 8-bit of another scale: quantize(dequantize(x))
  linear = 3,  // x 8-bit [N,...,K], weight s8 [M,K] (constant), weight_scale f32 [M] or [1], bias
               // s32 [M]
               // -> 8-bit or f32 [N,...,M]; clip; or s32, the sums themselves. bias is at scale
               // x.scale * weight_scale[m]
  float_linear = 4,  // x f32 [N,...,K], weight f32 [M,K], bias f32 [M] -> f32 [N,...,M]; clip
  clip = 5,          // 8-bit -> 8-bit of the same quantization, or f32 -> f32; clip
  reshape = 6,       // any -> same dtype, quantization and number of elements per sample
  add = 7,  // two of 8-bit -> 8-bit, or f32 -> f32, same shape; one of 8-bit may be a constant, a
            // single sample [1,...]; clip
  affine = 8,  // x f32, scale f32 [C], shift f32 [C] -> f32; element i of a sample uses entry (i /
               // inner) % C
  lookup =
      9,  // x 8-bit, table of the output's dtype [256], entry i for the code lowest + i -> 8-bit
  transpose = 10,     // any; perm of all dimensions, perm[0] = 0
  concat = 11,        // two or more of one dtype and quantization; axis >= 1
  slice = 12,         // any; [start, start + output's extent) along axis >= 1
  softmax = 13,       // f32, along axis >= 1
  log_softmax = 14,   // f32, along axis >= 1
  group_linear = 15,  // x f32 [N,...,K], weight s8 [M,K], or of 4 bits u8 [M,(K+1)/2], the low
                      // nibble first, codes in [-8, 7]; scale f32 [M,(K+group-1)/group], bias f32
                      // [M] -> f32 [N,...,M]; clip. Every `group` neighbours along K share a scale,
                      // the last ones may be fewer
  dynamic_linear = 16,  // x f32 [N,...,K], weight s8 [M,K], weight_scale f32 [M] or [1], bias f32
                        // [M] -> f32 [N,...,M]; clip. x is quantized to u8 as it comes, by the
                        // range of all elements that differ in the dimensions from axis >= 1 on
                        // only: y = float(sum) * (scale * weight_scale[m]) + bias[m]
  // ONNX's DynamicQuantizeLinear of a sample x f32:
  dynamic_quantize = 17,    // its codes, u8 of scale 1 and zero point 0, since their own are not
                            // known before
  dynamic_scale = 18,       // its scale, f32 [N]
  dynamic_zero_point = 19,  // its zero point, u8 [N] of scale 1 and zero point 0
};
inline constexpr std::uint8_t kOpTypes = 20;

struct Tensor {
  std::string name;
  DType dtype = DType::f32;
  std::vector<std::int64_t> shape;  // activations: shape[0] == -1, the batch; constants: all >= 1
  float scale = 0;  // 8-bit activations and operands: real = scale * (q - zero_point); else 0
  std::int32_t zero_point = 0;
  bool is_constant = false;
  std::span<const std::byte> data;  // of a constant: dense, row-major, little-endian; not owned
};

struct Node {
  std::string name;
  OpType op = OpType::quantize;
  std::vector<std::uint32_t> inputs;  // indices into Graph::tensors
  std::uint32_t output = 0;
  float clip_min = -std::numeric_limits<float>::infinity();
  float clip_max = std::numeric_limits<float>::infinity();
  std::uint32_t axis = 0;           // concat, slice, softmax, dynamic_linear
  std::uint32_t start = 0;          // slice
  std::uint32_t inner = 1;          // affine
  std::vector<std::uint32_t> perm;  // transpose
  std::uint32_t group = 0;          // group_linear
};

// What pixels meant in training: real = (p / 255 - mean) / std. A u8 input holds p itself, with
// scale 1 / (255 * std) and zero point 0; the offset -mean / std is folded into the bias of its
// first Linear.
struct Normalization {
  float mean = 0;
  float std = 1;
};

struct GraphInput {
  std::uint32_t tensor = 0;
  bool has_normalization = false;
  Normalization normalization;
};

struct Graph {
  std::vector<Tensor> tensors;
  std::vector<Node> nodes;  // in topological order; each tensor is written at most once
  std::vector<GraphInput> inputs;
  std::vector<std::uint32_t> outputs;
  // What made the file, what was measured: keys such as "producer", "source", "source_sha256",
  // "weights", "calibration", "calibration_sha256", "accuracy". Shown by `octet info`, ignored by
  // the runtime.
  std::vector<std::pair<std::string, std::string>> metadata;
};

std::string_view op_name(OpType op) noexcept;       // "float_linear"
std::string_view dtype_name(DType dtype) noexcept;  // "u8"
std::size_t dtype_bytes(DType dtype) noexcept;
inline bool is_q8(DType dtype) noexcept {
  return dtype == DType::u8 || dtype == DType::s8;
}
// The lowest and highest code of an 8-bit dtype.
inline std::int32_t lowest_code(DType dtype) noexcept {
  return dtype == DType::u8 ? 0 : -128;
}
inline std::int32_t highest_code(DType dtype) noexcept {
  return dtype == DType::u8 ? 255 : 127;
}

// Checks everything that a plan relies on: arity, dtypes, ranks, shapes in checked arithmetic,
// topological order, one writer per tensor, scales normal and positive, zero points in range, the
// accumulator bound |bias| + sum |w| * max |a - za| < 2^31 per channel, multipliers that are normal
// numbers. Throws octet::Error (format, unsupported or limit) that names source, node and both
// numbers. The converter runs the same check.
struct Limits {
  std::uint64_t file_bytes = std::uint64_t{4} << 30;  // and of all nodes' parameters in memory
  std::uint64_t tensors = 65536;
  std::uint64_t arena_bytes = std::uint64_t{256} << 20;
  std::uint64_t multiply_adds = std::uint64_t{1} << 40;
};
void check_graph(const Graph& graph, const std::string& source, const Limits& limits);

// Element i of a constant.
template <class T>
T element(const Tensor& constant, std::size_t i) noexcept {
  T value;
  std::memcpy(&value, constant.data.data() + i * sizeof value, sizeof value);
  return value;
}

// The codes of weights [m][k], one per byte, whether s8 or of 4 bits as group_linear has them.
std::vector<std::int8_t> weight_codes(const Tensor& weight, std::size_t k);

// Elements of one sample (of the whole tensor for a constant). The graph must have been checked.
std::size_t sample_elements(const Tensor& tensor) noexcept;

}  // namespace octet::engine
