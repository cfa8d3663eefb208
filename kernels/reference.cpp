// SPDX-License-Identifier: Apache-2.0
// The specification of every kernel as plain loops. Float expressions are the sequence of rounded
// operations that they read as: the build forbids contraction and fast-math.
#include "kernels/reference.h"

#include <limits>

namespace octet::kernels::reference {
namespace {

std::int32_t decode(Sign sign, std::uint8_t byte) {
  return sign == Sign::u8 ? std::int32_t{byte} : std::int32_t{static_cast<std::int8_t>(byte)};
}

float clamp(float x, float min, float max) {
  x = x > min ? x : min;
  return x < max ? x : max;
}

float one_nan(float x) {
  return x == x ? x : std::numeric_limits<float>::quiet_NaN();
}

// Round half to even without libm: at 1.5 * 2^23 a float's last bit is worth one, so the addition
// itself rounds. Exact for |x| <= 2^22; every caller clamps to 8-bit codes first.
std::int32_t round_even(float x) {
  constexpr float kMagic = 12582912.0f;
  return static_cast<std::int32_t>((x + kMagic) - kMagic);
}

// saturate(rne(x) + zero_point) to [lo, hi]. The bounds are integers, so clamping before the
// rounding is the same as after it.
std::uint8_t encode(float x, std::int32_t zero_point, std::int32_t lo, std::int32_t hi) {
  const float clamped =
      clamp(x, static_cast<float>(lo - zero_point), static_cast<float>(hi - zero_point));
  return static_cast<std::uint8_t>(round_even(clamped) + zero_point);
}

void store(const Epilogue& epilogue, std::int32_t acc, std::size_t column, char* row) {
  switch (epilogue.store) {
    case Store::q8:
      reinterpret_cast<std::uint8_t*>(row)[column] =
          encode(static_cast<float>(acc) * epilogue.mult[column], epilogue.zero_point, epilogue.lo,
                 epilogue.hi);
      return;
    case Store::f32:
      reinterpret_cast<float*>(row)[column] =
          clamp(static_cast<float>(acc) * epilogue.mult[column], epilogue.min, epilogue.max);
      return;
    case Store::s32:
      reinterpret_cast<std::int32_t*>(row)[column] = acc;
      return;
  }
}

}  // namespace

void gemm(Sign sign, const GemmTask& task, const std::int8_t* w) {
  for (std::size_t m = 0; m < task.m; ++m) {
    char* row = static_cast<char*>(task.c) + m * task.ldc;
    for (std::size_t n = task.n_begin; n < task.n_end; ++n) {
      // Unsigned, because partial sums may wrap modulo 2^32 where the whole cannot.
      auto sum = static_cast<std::uint32_t>(task.epilogue.bias[n]);
      for (std::size_t tap = 0; tap < task.taps; ++tap) {
        const std::uint8_t* a = task.rows[tap * task.m + m];
        const std::int8_t* b = w + (n * task.taps + tap) * task.k;
        for (std::size_t k = 0; k < task.k; ++k) {
          sum += static_cast<std::uint32_t>(decode(sign, a[k]) * b[k]);
        }
      }
      store(task.epilogue, static_cast<std::int32_t>(sum), n, row);
    }
  }
}

void float_linear(const FloatLinearTask& task, const float* w) {
  for (std::size_t m = 0; m < task.m; ++m) {
    const float* a = task.rows[m];
    for (std::size_t n = task.n_begin; n < task.n_end; ++n) {
      float y = task.bias[n];
      for (std::size_t k = 0; k < task.k; ++k) y = y + a[k] * w[n * task.k + k];
      task.c[m * task.ldc + n] = clamp(y, task.min, task.max);
    }
  }
}

void group_linear(const FloatLinearTask& task, const std::int8_t* codes, const float* scale) {
  const std::size_t groups = (task.k + task.group - 1) / task.group;
  for (std::size_t m = 0; m < task.m; ++m) {
    const float* a = task.rows[m];
    for (std::size_t n = task.n_begin; n < task.n_end; ++n) {
      float y = task.bias[n];
      for (std::size_t g = 0; g < groups; ++g) {
        float t = 0;
        for (std::size_t k = g * task.group; k < task.k && k < (g + 1) * task.group; ++k) {
          t = t + a[k] * static_cast<float>(codes[n * task.k + k]);
        }
        y = y + t * scale[n * groups + g];
      }
      task.c[m * task.ldc + n] = clamp(y, task.min, task.max);
    }
  }
}

void quantize(const float* x, std::size_t n, const QuantizeParams& params, std::uint8_t* y) {
  for (std::size_t i = 0; i < n; ++i) {
    y[i] = encode(x[i] / params.scale, params.zero_point, params.lo, params.hi);
  }
}

void dequantize(Sign sign, const std::uint8_t* x, std::size_t n, float scale,
                std::int32_t zero_point, float* y) {
  for (std::size_t i = 0; i < n; ++i) {
    y[i] = scale * static_cast<float>(decode(sign, x[i]) - zero_point);
  }
}

void range(const float* x, std::size_t n, float* least, float* largest) {
  float lowest = 0;
  float highest = 0;
  for (std::size_t i = 0; i < n; ++i) {
    lowest = x[i] < lowest ? x[i] : lowest;
    highest = x[i] > highest ? x[i] : highest;
  }
  *least = lowest;
  *largest = highest;
}

void dequantize_sums(const std::int32_t* sum, std::size_t n, const DynamicParams& params,
                     float* y) {
  const auto zero_point = static_cast<std::uint32_t>(params.zero_point);
  for (std::size_t i = 0; i < n; ++i) {
    const auto acc =
        static_cast<std::int32_t>(static_cast<std::uint32_t>(sum[i]) -
                                  zero_point * static_cast<std::uint32_t>(params.weight_sum[i]));
    const float mult = params.scale * params.weight_scale[i];
    const float product = static_cast<float>(acc) * mult;
    y[i] = clamp(product + params.bias[i], params.min, params.max);
  }
}

void clamp_q8(Sign sign, const std::uint8_t* x, std::size_t n, std::int32_t lo, std::int32_t hi,
              std::uint8_t* y) {
  for (std::size_t i = 0; i < n; ++i) {
    const std::int32_t q = decode(sign, x[i]);
    y[i] = static_cast<std::uint8_t>(q < lo ? lo : q > hi ? hi : q);
  }
}

void clamp_f32(const float* x, std::size_t n, float min, float max, float* y) {
  for (std::size_t i = 0; i < n; ++i) y[i] = clamp(x[i], min, max);
}

void add_q8(Sign sign, const std::uint8_t* a, const std::uint8_t* b, std::size_t n,
            const AddParams& params, std::uint8_t* y) {
  for (std::size_t i = 0; i < n; ++i) {
    const auto fa = static_cast<float>(decode(sign, a[i]) + params.offset);
    const auto fb = static_cast<float>(decode(sign, b[i]) + params.offset);
    const float sum = params.ra * fa + (params.rb * fb + params.c);
    y[i] = static_cast<std::uint8_t>(encode(sum, 0, params.lo, params.hi) - params.offset);
  }
}

void add_f32(const float* a, const float* b, std::size_t n, float* y) {
  for (std::size_t i = 0; i < n; ++i) y[i] = one_nan(a[i] + b[i]);
}

void affine_f32(const float* x, const float* scale, const float* shift, std::size_t n, float* y) {
  for (std::size_t i = 0; i < n; ++i) y[i] = one_nan(x[i] * scale[i] + shift[i]);
}

void lookup(const std::uint8_t* x, std::size_t n, const std::uint8_t* table, std::uint8_t* y) {
  for (std::size_t i = 0; i < n; ++i) y[i] = table[x[i]];
}

void flip(const std::uint8_t* x, std::size_t n, std::uint8_t* y) {
  for (std::size_t i = 0; i < n; ++i) y[i] = x[i] ^ 0x80u;
}

}  // namespace octet::kernels::reference
