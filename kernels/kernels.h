// SPDX-License-Identifier: Apache-2.0
// The kernel table: one set of pure functions per instruction set. Kernels know nothing of graphs,
// threads, memory management or errors: callers hand in checked pointers and sizes, and every table
// gives the bytes of the reference (reference.h).
#pragma once

#include <cstddef>
#include <cstdint>

namespace octet::kernels {

// How a table reads an activation byte. A u8 code q and the s8 code q - 128 are the same byte with
// the top bit flipped, so a caller shifts zero points and bounds once and never converts data
// inside a network.
enum class Sign : std::uint8_t { u8, s8 };

// What a GEMM writes: 8-bit codes (one byte), float, or the int32 accumulator.
enum class Store : std::uint8_t { q8, f32, s32 };

// The register block: mr rows by nr columns, kr consecutive k per weight group; of amx_int8 the
// rows of a tile and the columns of two pairs of tiles.
struct Tile {
  std::uint8_t mr;
  std::uint8_t nr;
  std::uint8_t kr;
};

// Rows of packed parameters that tables may read past the last column: per-column arrays (bias,
// mult) hold round_up(n, kColumnPadding) entries, the padding zero.
inline constexpr std::size_t kColumnPadding = 64;

// What happens to acc[m][n] = bias[n] + sum a[m][k] * w[n][k] on its way to memory:
//   q8   y = saturate(rne(float(acc) * mult[n]) + zero_point) to [lo, hi]; the low byte is stored
//   f32  y = float(acc) * mult[n], then y > min ? y : min, then y < max ? y : max
//   s32  y = acc; mult may be null
// bias already holds -za * sum(w[n]) (int32, modulo 2^32). mult is finite, not negative. lo, hi and
// zero_point are codes in the table's sign, lo <= hi. The clamp is done on the float product
// against lo - zero_point and hi - zero_point, which is the same since both are integers.
struct Epilogue {
  Store store;
  const std::int32_t* bias;
  const float* mult;
  std::int32_t zero_point;
  std::int32_t lo;
  std::int32_t hi;
  float min;
  float max;
  // all_below_one(mult, n): no product reaches 2^31; false promises nothing.
  bool below_one = false;
};

inline constexpr bool all_below_one(const float* mult, std::size_t n) {
  for (std::size_t i = 0; i < n; ++i) {
    if (!(mult[i] < 1.0f)) return false;
  }
  return true;
}

// C[m][n] for all m rows and the columns [n_begin, n_end).
struct GemmTask {
  const std::uint8_t* const*
      rows;             // [taps][m] pointers to k codes each; no byte past the k-th is read
  std::size_t m;        // not 0
  std::size_t taps;     // 1 for a linear layer; a convolution has one per kernel position; not 0
  std::size_t k;        // codes per tap, not 0
  const void* weights;  // written by pack_weights, 64-byte aligned
  std::size_t n_begin;  // a multiple of tile.nr
  std::size_t n_end;    // a multiple of tile.nr, or n; above n_begin
  void* c;  // row 0, column 0 (not column n_begin), any alignment for q8; natural for f32, s32
  std::size_t ldc;  // bytes from row to row
  void* scratch;    // scratch_bytes(taps, k) bytes, 64-byte aligned; may be null where that is 0
  Epilogue epilogue;
};

// float_linear: y[m][n] = bias[n], then for k ascending y = y + a[m][k] * w[n][k].
// group_linear, weight-only: y[m][n] = bias[n], then for each group of k, ascending, y = y + t *
// scale[n][group] with t = 0, then t = t + a[m][k] * float(q[n][k]) for the k of the group,
// ascending; the last group may be short.
// Each step is rounded; then the clamp of Store::f32. No byte outside [0, k) of a row is read, none
// outside [n_begin, n_end) is written.
struct FloatLinearTask {
  const float* const* rows;  // [m] pointers to k floats
  std::size_t m;
  std::size_t k;
  const void* weights;  // written by FloatTable's functions, 64-byte aligned
  const float* bias;    // round_up(n, kColumnPadding) entries
  std::size_t n_begin;  // a multiple of FloatTable::nr
  std::size_t n_end;
  float* c;         // row 0, column 0
  std::size_t ldc;  // floats from row to row
  float min;
  float max;
  // group_linear only
  std::size_t group = 0;  // k's per scale
  std::size_t bits = 0;   // 8, or 4: codes in [-8, 7]
};

// y = saturate(rne(x / scale) + zero_point) to [lo, hi], a true division; NaN gives lo. The low
// byte is stored. lo, hi and zero_point are codes in the table's sign, lo <= hi.
struct QuantizeParams {
  float scale;
  std::int32_t zero_point;
  std::int32_t lo;
  std::int32_t hi;
};

// y = saturate(rne(ra * a + (rb * b + c))) to [lo, hi], every float operation rounded, in this
// order. Unlike the other formulas this one rounds differently when codes are shifted, so it is
// evaluated in the file's own codes: offset (0, 128 or -128) is added to the codes a and b of the
// table's sign and taken from y again; lo and hi, lo <= hi, are the file's codes.
struct AddParams {
  float ra;
  float rb;
  float c;
  std::int32_t lo;
  std::int32_t hi;
  std::int32_t offset = 0;
};

// What becomes of a row of sums whose activations were quantized with a scale of their own:
//   y[n] = float(sum[n] - zero_point * weight_sum[n]) * (scale * weight_scale[n]) + bias[n]
// in int32 modulo 2^32, then three float operations, each rounded; then the clamp of Store::f32.
// zero_point is in the table's sign, weight_sum the sum of a column's weights.
struct DynamicParams {
  std::int32_t zero_point;
  float scale;
  const std::int32_t* weight_sum;
  const float* weight_scale;
  const float* bias;
  float min;
  float max;
};

// Functions on floats. Instruction sets whose vectors of floats are the same share one FloatTable.
// Here and in Table elementwise functions work on n contiguous elements at any alignment; y may
// equal an input, no other overlap.
struct FloatTable {
  std::size_t nr;  // linear and group_linear take columns from multiples of it
  std::size_t (*packed_bytes)(std::size_t n, std::size_t k);
  void (*pack_weights)(const float* w, std::size_t n, std::size_t k, void* packed);
  void (*linear)(const FloatLinearTask& task);

  // codes[n][k], one per byte whatever the bits, and scale[n][groups], row-major.
  std::size_t (*packed_group_bytes)(std::size_t n, std::size_t k, std::size_t group,
                                    std::size_t bits);
  void (*pack_group_weights)(const std::int8_t* codes, const float* scale, std::size_t n,
                             std::size_t k, std::size_t group, std::size_t bits, void* packed);
  void (*group_linear)(const FloatLinearTask& task);

  // The least and the largest of x and 0; NaN counts for nothing.
  void (*range)(const float* x, std::size_t n, float* least, float* largest);
  void (*dequantize_sums)(const std::int32_t* sum, std::size_t n, const DynamicParams& params,
                          float* y);
  // y = x > min ? x : min, then y < max ? y : max; so NaN gives min.
  void (*clamp)(const float* x, std::size_t n, float min, float max, float* y);
  // y = a + b. This and affine give one NaN, 0x7fc00000: the hardware's own depends on the CPU
  // and on the order of operands.
  void (*add)(const float* a, const float* b, std::size_t n, float* y);
  // y[i] = x[i] * scale[i] + shift[i], two roundings
  void (*affine)(const float* x, const float* scale, const float* shift, std::size_t n, float* y);
};

// Functions on 8-bit codes, in the table's sign, and the floats beside them.
struct Table {
  const char* name;
  Sign sign;
  const FloatTable* f32;

  Tile tile;
  // How many multiply-adds of tile.mr rows and more take as long as one of few rows.
  std::uint8_t tile_speed;
  // Forms of the weights that are packed side by side; a call of gemm reads one of them.
  std::uint8_t forms;
  // Bytes of the packed form of w[n][taps][k], a multiple of 64.
  std::size_t (*packed_bytes)(std::size_t n, std::size_t taps, std::size_t k);
  // Packs w (row-major, s8, -128 allowed) to packed, 64-byte aligned. Padding is zero.
  void (*pack_weights)(const std::int8_t* w, std::size_t n, std::size_t taps, std::size_t k,
                       void* packed);
  std::size_t (*scratch_bytes)(std::size_t taps, std::size_t k);
  void (*gemm)(const GemmTask& task);

  void (*quantize)(const float* x, std::size_t n, const QuantizeParams& params, std::uint8_t* y);
  // y = scale * float(q - zero_point)
  void (*dequantize)(const std::uint8_t* x, std::size_t n, float scale, std::int32_t zero_point,
                     float* y);
  void (*clamp_q8)(const std::uint8_t* x, std::size_t n, std::int32_t lo, std::int32_t hi,
                   std::uint8_t* y);
  void (*add_q8)(const std::uint8_t* a, const std::uint8_t* b, std::size_t n,
                 const AddParams& params, std::uint8_t* y);
  // y[i] = table[x[i]], table indexed by the byte as it is in memory
  void (*lookup)(const std::uint8_t* x, std::size_t n, const std::uint8_t* table, std::uint8_t* y);
  // y[i] = x[i] ^ 0x80: u8 codes to s8 and back
  void (*flip)(const std::uint8_t* x, std::size_t n, std::uint8_t* y);
};

inline constexpr std::size_t round_up(std::size_t x, std::size_t multiple) {
  return (x + multiple - 1) / multiple * multiple;
}

}  // namespace octet::kernels
