// SPDX-License-Identifier: Apache-2.0
// The table that runs on every CPU: the reference itself, on s8 activations and row-major weights.
#include <cstring>

#include "kernels/reference.h"
#include "kernels/tables.h"

namespace octet::kernels {
namespace {

constexpr Sign kSign = Sign::s8;

void copy_padded(const void* from, std::size_t bytes, void* to) {
  std::memcpy(to, from, bytes);
  std::memset(static_cast<char*>(to) + bytes, 0, round_up(bytes, 64) - bytes);
}

std::size_t packed_bytes(std::size_t n, std::size_t taps, std::size_t k) {
  return round_up(n * taps * k, 64);
}
void pack_weights(const std::int8_t* w, std::size_t n, std::size_t taps, std::size_t k,
                  void* packed) {
  copy_padded(w, n * taps * k, packed);
}
std::size_t scratch_bytes(std::size_t, std::size_t) {
  return 0;
}
void gemm(const GemmTask& task) {
  reference::gemm(kSign, task, static_cast<const std::int8_t*>(task.weights));
}

std::size_t packed_float_bytes(std::size_t n, std::size_t k) {
  return round_up(n * k * sizeof(float), 64);
}
void pack_float_weights(const float* w, std::size_t n, std::size_t k, void* packed) {
  copy_padded(w, n * k * sizeof(float), packed);
}
void float_linear(const FloatLinearTask& task) {
  reference::float_linear(task, static_cast<const float*>(task.weights));
}

// A column after the other: its scales, then its codes.
std::size_t column_scales(std::size_t k, std::size_t group) {
  return (k + group - 1) / group;
}
std::size_t column_bytes(std::size_t k, std::size_t group) {
  return column_scales(k, group) * sizeof(float) + round_up(k, sizeof(float));
}
std::size_t packed_group_bytes(std::size_t n, std::size_t k, std::size_t group, std::size_t) {
  return round_up(n * column_bytes(k, group), 64);
}
void pack_group_weights(const std::int8_t* codes, const float* scale, std::size_t n, std::size_t k,
                        std::size_t group, std::size_t bits, void* packed) {
  std::memset(packed, 0, packed_group_bytes(n, k, group, bits));
  const std::size_t scales = column_scales(k, group);
  for (std::size_t j = 0; j < n; ++j) {
    char* column = static_cast<char*>(packed) + j * column_bytes(k, group);
    std::memcpy(column, scale + j * scales, scales * sizeof(float));
    std::memcpy(column + scales * sizeof(float), codes + j * k, k);
  }
}
void group_linear(const FloatLinearTask& task) {
  for (std::size_t n = task.n_begin; n < task.n_end; ++n) {
    const char* column =
        static_cast<const char*>(task.weights) + n * column_bytes(task.k, task.group);
    FloatLinearTask one = task;
    one.bias += n;
    one.c += n;
    one.n_begin = 0;
    one.n_end = 1;
    const auto* scale = reinterpret_cast<const float*>(column);
    reference::group_linear(
        one, reinterpret_cast<const std::int8_t*>(scale + column_scales(task.k, task.group)),
        scale);
  }
}

void dequantize(const std::uint8_t* x, std::size_t n, float scale, std::int32_t zero_point,
                float* y) {
  reference::dequantize(kSign, x, n, scale, zero_point, y);
}
void clamp_q8(const std::uint8_t* x, std::size_t n, std::int32_t lo, std::int32_t hi,
              std::uint8_t* y) {
  reference::clamp_q8(kSign, x, n, lo, hi, y);
}
void add_q8(const std::uint8_t* a, const std::uint8_t* b, std::size_t n, const AddParams& params,
            std::uint8_t* y) {
  reference::add_q8(kSign, a, b, n, params, y);
}

constexpr FloatTable kFloats{
    .nr = 1,
    .packed_bytes = packed_float_bytes,
    .pack_weights = pack_float_weights,
    .linear = float_linear,
    .packed_group_bytes = packed_group_bytes,
    .pack_group_weights = pack_group_weights,
    .group_linear = group_linear,
    .range = reference::range,
    .dequantize_sums = reference::dequantize_sums,
    .clamp = reference::clamp_f32,
    .add = reference::add_f32,
    .affine = reference::affine_f32,
};

}  // namespace

constinit const Table kScalarTable{
    .name = "scalar",
    .sign = kSign,
    .f32 = &kFloats,
    .tile = {1, 1, 1},
    .tile_speed = 1,
    .forms = 1,
    .packed_bytes = packed_bytes,
    .pack_weights = pack_weights,
    .scratch_bytes = scratch_bytes,
    .gemm = gemm,
    .quantize = reference::quantize,
    .dequantize = dequantize,
    .clamp_q8 = clamp_q8,
    .add_q8 = add_q8,
    .lookup = reference::lookup,
    .flip = reference::flip,
};

}  // namespace octet::kernels
