// SPDX-License-Identifier: Apache-2.0
// The twin of amx_int8 on tiles in memory, for CPUs without AMX, and for products that are too
// small for its own tiles: tests run the same source through it.
#include "kernels/amx_int8.inl"

namespace octet::kernels {
namespace {

struct MemoryTiles {
  static constexpr std::size_t kLeastWork = 0;

  struct Tile {
    std::size_t rows = 0;
    std::size_t row_bytes = 0;
    alignas(64) std::uint8_t bytes[16][64] = {};
  };
  static Tile* tiles() {
    static thread_local Tile eight[8];
    return eight;
  }

  static void configure(std::size_t rows, std::size_t steps) {
    for (std::size_t i = 0; i < 8; ++i) {
      tiles()[i] = {};
      tiles()[i].rows = i < 6 ? rows : steps;
      tiles()[i].row_bytes = i == 4 || i == 5 ? 4 * steps : 64;
    }
  }
  // What is used after it has no rows.
  static void release() { configure(0, 0); }
  template <int Index>
  static void load(const void* from) {
    Tile& tile = tiles()[Index];
    for (std::size_t r = 0; r < tile.rows; ++r) {
      memset(tile.bytes[r], 0, sizeof tile.bytes[r]);
      memcpy(tile.bytes[r], static_cast<const std::uint8_t*>(from) + r * kTileRow, tile.row_bytes);
    }
  }
  template <int Index>
  static void zero() {
    Tile& tile = tiles()[Index];
    memset(tile.bytes, 0, sizeof tile.bytes);
  }
  template <int Index>
  static void store(void* to, std::size_t stride) {
    const Tile& tile = tiles()[Index];
    for (std::size_t r = 0; r < tile.rows; ++r) {
      memcpy(static_cast<std::uint8_t*>(to) + r * stride, tile.bytes[r], tile.row_bytes);
    }
  }
  template <int Sums, int Rows, int Weights>
  static void dot() {
    const Tile& a = tiles()[Rows];
    const Tile& w = tiles()[Weights];
    Tile& sums = tiles()[Sums];
    for (std::size_t r = 0; r < sums.rows; ++r) {
      std::int32_t row[16];
      memcpy(row, sums.bytes[r], sizeof row);
      for (std::size_t k = 0; k < a.row_bytes; ++k) {
        for (std::size_t n = 0; n < 16; ++n) {
          const int weight = static_cast<std::int8_t>(w.bytes[k / 4][4 * n + k % 4]);
          (void)__builtin_add_overflow(row[n], a.bytes[r][k] * weight, &row[n]);  // wraps
        }
      }
      memcpy(sums.bytes[r], row, sizeof row);
    }
  }
};

}  // namespace

namespace amx_int8 {

void gemm_emulated(const GemmTask& task) {
  AmxInt8<MemoryTiles>::gemm(task);
}

}  // namespace amx_int8
}  // namespace octet::kernels
