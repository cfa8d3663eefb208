// SPDX-License-Identifier: Apache-2.0
// The specification: plain loops that say what every table must give, byte for byte, for either
// sign of the activations. Not fast; tests compare with it, and the scalar table is made of it.
#pragma once

#include "kernels/kernels.h"

namespace octet::kernels::reference {

// GemmTask with weights as given to pack_weights: w[n][taps][k], row-major. Reads no scratch.
void gemm(Sign sign, const GemmTask& task, const std::int8_t* w);

// FloatLinearTask with weights w[n][k], row-major.
void float_linear(const FloatLinearTask& task, const float* w);

// FloatLinearTask with codes[n][k], one per byte, and scale[n][groups], row-major.
void group_linear(const FloatLinearTask& task, const std::int8_t* codes, const float* scale);

void quantize(const float* x, std::size_t n, const QuantizeParams& params, std::uint8_t* y);
void dequantize(Sign sign, const std::uint8_t* x, std::size_t n, float scale,
                std::int32_t zero_point, float* y);
void range(const float* x, std::size_t n, float* least, float* largest);
void dequantize_sums(const std::int32_t* sum, std::size_t n, const DynamicParams& params, float* y);
void clamp_q8(Sign sign, const std::uint8_t* x, std::size_t n, std::int32_t lo, std::int32_t hi,
              std::uint8_t* y);
void clamp_f32(const float* x, std::size_t n, float min, float max, float* y);
void add_q8(Sign sign, const std::uint8_t* a, const std::uint8_t* b, std::size_t n,
            const AddParams& params, std::uint8_t* y);
void add_f32(const float* a, const float* b, std::size_t n, float* y);
void affine_f32(const float* x, const float* scale, const float* shift, std::size_t n, float* y);
void lookup(const std::uint8_t* x, std::size_t n, const std::uint8_t* table, std::uint8_t* y);
void flip(const std::uint8_t* x, std::size_t n, std::uint8_t* y);

}  // namespace octet::kernels::reference
