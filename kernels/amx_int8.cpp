// SPDX-License-Identifier: Apache-2.0
// AMX: the tiles of the CPU.
#include "kernels/amx_int8.inl"

namespace octet::kernels {
namespace {

// By inline assembly: intrinsics want their tiles as literals.
struct CpuTiles {
  // See is_for_vnni; configuring tiles takes 80 ns.
  static constexpr std::size_t kLeastWork = 1 << 19;

  // Tiles 0 to 3 are sums, 4 and 5 rows, 6 and 7 weights of so many steps of 4 k.
  static void configure(std::size_t rows, std::size_t steps) {
    struct {
      std::uint8_t palette = 1;
      std::uint8_t start_row = 0;
      std::uint8_t reserved[14] = {};
      std::uint16_t row_bytes[16] = {};
      std::uint8_t rows[16] = {};
    } config;
    static_assert(sizeof config == 64);
    for (std::size_t i = 0; i < 8; ++i) {
      config.rows[i] = static_cast<std::uint8_t>(i < 6 ? rows : steps);
      config.row_bytes[i] = static_cast<std::uint16_t>(i == 4 || i == 5 ? 4 * steps : 64);
    }
    asm volatile("ldtilecfg %0" : : "m"(config));
  }
  static void release() { asm volatile("tilerelease"); }
  // The compiler does not see what is read: all of it was written before Pass::copy_rows ended.
  template <int Tile>
  [[gnu::always_inline]] static inline void load(const void* from) {
    if constexpr (Tile < 6) {
      asm volatile("tileloadd (%0,%1,1), %%tmm%c2" : : "r"(from), "r"(kTileRow), "i"(Tile));
    } else {  // all weights pass by before they come again: not by driving rows out of L1
      asm volatile("tileloaddt1 (%0,%1,1), %%tmm%c2" : : "r"(from), "r"(kTileRow), "i"(Tile));
    }
  }
  template <int Tile>
  [[gnu::always_inline]] static inline void store(void* to, std::size_t stride) {
    asm volatile("tilestored %%tmm%c2, (%0,%1,1)" : : "r"(to), "r"(stride), "i"(Tile) : "memory");
  }
  template <int Tile>
  [[gnu::always_inline]] static inline void zero() {
    asm volatile("tilezero %%tmm%c0" : : "i"(Tile));
  }
  template <int Sums, int Rows, int Weights>
  [[gnu::always_inline]] static inline void dot() {
    asm volatile("tdpbusd %%tmm%c2, %%tmm%c1, %%tmm%c0" : : "i"(Sums), "i"(Rows), "i"(Weights));
  }
};
using Amx = AmxInt8<CpuTiles>;

}  // namespace

namespace amx_int8 {

std::size_t packed_bytes(std::size_t n, std::size_t taps, std::size_t k) {
  return Amx::packed_bytes(n, taps, k);
}
void pack_weights(const std::int8_t* w, std::size_t n, std::size_t taps, std::size_t k,
                  void* packed) {
  Amx::pack(w, n, taps, k, packed);
}
std::size_t scratch_bytes(std::size_t taps, std::size_t k) {
  return Amx::scratch_bytes(taps, k);
}
void gemm(const GemmTask& task) {
  Amx::gemm(task);
}

}  // namespace amx_int8
}  // namespace octet::kernels
