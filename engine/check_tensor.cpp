// SPDX-License-Identifier: Apache-2.0
// What a tensor may be, whatever reads it: name, dtype, extents, quantization, data.
#include <algorithm>
#include <cstring>
#include <optional>

#include "engine/check.h"

namespace octet::engine::check {

std::string label(std::string_view kind, std::size_t index, const std::string& name) {
  return name.empty() ? message(kind, " ", index) : message(kind, " ", index, " '", name, "'");
}

std::string shape_text(const Tensor& tensor) {
  if (tensor.shape.empty()) return "scalar";
  if (tensor.shape.size() > kMaxRank) return message("of rank ", tensor.shape.size());
  std::string text;
  for (const std::int64_t extent : tensor.shape) {
    if (!text.empty()) text += 'x';
    if (extent == -1) {
      text += 'N';
    } else {
      text += message(extent);
    }
  }
  return text;
}

namespace {

// Nothing where check.h's constant_bytes() throws.
std::optional<std::uint64_t> bytes_from(const Tensor& tensor, std::size_t first) {
  if (tensor.shape.size() < std::max<std::size_t>(first, 1) || tensor.shape.size() > kMaxRank) {
    return {};
  }
  std::uint64_t bytes = dtype_bytes(tensor.dtype);
  for (std::size_t i = first; i < tensor.shape.size(); ++i) {
    const std::int64_t extent = tensor.shape[i];
    if (extent < 1 || extent > std::numeric_limits<std::int32_t>::max()) return {};
    if (bytes > kMaxTensorBytes / static_cast<std::uint64_t>(extent)) return {};
    bytes *= static_cast<std::uint64_t>(extent);
  }
  return bytes;
}

}  // namespace

std::uint64_t constant_bytes(const std::string& source, const std::string& what,
                             const Tensor& tensor) {
  const auto bytes = bytes_from(tensor, 0);
  if (!bytes) {
    fail(Error::Code::format, source, ": ", what, ": a constant cannot have shape ",
         shape_text(tensor), ": 1 to ", kMaxRank,
         " extents of at least 1, at most 2^40 bytes in all");
  }
  return *bytes;
}

namespace {

using Code = Error::Code;

constexpr std::size_t kMaxNameBytes = 1024;

class TensorCheck {
 public:
  TensorCheck(const Graph& graph, const std::string& source, const Limits& limits,
              std::size_t index)
      : tensor_(graph.tensors[index]),
        source_(source),
        limits_(limits),
        name_(label("tensor", index, tensor_.name)) {}

  void run() const {
    check_dtype(source_, name_, tensor_.dtype);
    if (tensor_.is_constant) {
      check_constant();
    } else {
      check_activation();
    }
  }

 private:
  // Throws Error (format): "net.octet: tensor 3 'x': " and the parts.
  template <class... Parts>
  [[noreturn, gnu::always_inline]] void fail(const Parts&... parts) const {
    octet::engine::fail(Code::format, source_, ": ", name_, ": ", parts...);
  }

  void check_constant() const {
    const std::uint64_t bytes = constant_bytes(source_, name_, tensor_);
    if (tensor_.data.size() != bytes) {
      fail("has ", tensor_.data.size(), " bytes of data, shape ", shape_text(tensor_), " of ",
           dtype_name(tensor_.dtype), " needs ", bytes);
    }
    // An operand of add has a quantization; weights and tables have theirs elsewhere.
    if (is_q8(tensor_.dtype) && tensor_.scale != 0) {
      check_quantization();
    } else {
      check_unquantized();
    }
    if (tensor_.dtype != DType::f32) return;
    for (std::size_t i = 0; i < tensor_.data.size(); i += sizeof(float)) {
      constexpr std::uint32_t kExponent = 0x7F800000;
      std::uint32_t bits;
      std::memcpy(&bits, tensor_.data.data() + i, sizeof bits);
      if ((bits & kExponent) == kExponent) {
        fail("element ", i / sizeof(float), " is NaN or infinite");
      }
    }
  }

  void check_activation() const {
    const auto bytes = bytes_from(tensor_, 1);
    if (!bytes || tensor_.shape[0] != -1) {
      fail("an activation cannot have shape ", shape_text(tensor_), ": 1 to ", kMaxRank,
           " extents, the first of them the batch, the others at least 1,",
           " at most 2^40 bytes per sample");
    }
    if (*bytes > limits_.arena_bytes) {
      octet::engine::fail(Code::limit, source_, ": ", name_, ": has ", *bytes,
                          " bytes per sample, the limit arena_bytes is ", limits_.arena_bytes);
    }
    if (!tensor_.data.empty()) fail("an activation cannot have data");
    if (is_q8(tensor_.dtype)) {
      check_quantization();
    } else {
      check_unquantized();
    }
  }

  void check_quantization() const {
    if (!is_normal_positive(tensor_.scale)) {
      fail("scale ", tensor_.scale, " is not a positive, normal number");
    }
    if (tensor_.zero_point < lowest_code(tensor_.dtype) ||
        tensor_.zero_point > highest_code(tensor_.dtype)) {
      fail("zero point ", tensor_.zero_point, " is outside ", lowest_code(tensor_.dtype), " to ",
           highest_code(tensor_.dtype));
    }
  }

  void check_unquantized() const {
    // Written so that NaN fails.
    if (!(tensor_.scale == 0) || tensor_.zero_point != 0) {
      fail("scale ", tensor_.scale, " and zero point ", tensor_.zero_point,
           " belong to 8-bit tensors only, here they must be 0");
    }
  }

  const Tensor& tensor_;
  const std::string& source_;
  const Limits& limits_;
  std::string name_;
};

}  // namespace

void check_name(const std::string& source, const std::string& what, std::string_view name) {
  if (name.size() > kMaxNameBytes) {
    fail(Code::format, source, ": ", what, ": its name has ", name.size(), " bytes, at most ",
         kMaxNameBytes, " are allowed");
  }
  if (!is_printable(name)) {
    fail(Code::format, source, ": ", what, ": its name is not UTF-8 without control characters");
  }
}

void check_count(const std::string& source, const char* what, std::size_t count,
                 const Limits& limits) {
  if (count > limits.tensors) {
    fail(Code::limit, source, ": has ", count, " ", what, ", the limit tensors is ",
         limits.tensors);
  }
}

void check_dtype(const std::string& source, const std::string& what, DType dtype) {
  constexpr auto kLast = static_cast<std::uint8_t>(DType::s32);
  const auto number = static_cast<std::uint8_t>(dtype);
  if (number > kLast) {
    fail(Code::unsupported, source, ": ", what, ": has dtype ", number, ", this octet knows 0 to ",
         kLast, "; update octet");
  }
}

void check_tensor(const Graph& graph, const std::string& source, const Limits& limits,
                  std::size_t index) {
  check_name(source, message("tensor ", index), graph.tensors[index].name);
  TensorCheck(graph, source, limits, index).run();
}

}  // namespace octet::engine::check
