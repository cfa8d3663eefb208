// SPDX-License-Identifier: Apache-2.0
// Kernels leave no vector register wider than 128 bits in use: an app's own code for the baseline
// would run at a fraction of its speed on Intel until somebody clears them. Nor tiles, which the
// operating system would save, 8 KB, at each switch of threads. XGETBV tells.
#if defined(__x86_64__)
#include <cpuid.h>

#include <cstdlib>
#include <memory>

#include "tests/kernels/tables.h"

namespace octet::test::vector_state_test {

using namespace kernels;

namespace {

void clear() {
  __asm__ volatile("vzeroupper");
}
// The upper halves of YMM or ZMM registers, or tiles.
bool in_use() {
  unsigned low;
  unsigned high;
  __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(1));
  return (low & 0x60044) != 0;
}
bool can_tell() {
  if (!detect_cpu().avx2) return false;
  unsigned eax = 0;
  unsigned unused = 0;
  if (!__get_cpuid_count(0xd, 1, &eax, &unused, &unused, &unused) || (eax & 4) == 0) return false;
  clear();
  return !in_use();  // emulators say that all is in use
}

struct Free {
  void operator()(void* memory) const { std::free(memory); }
};
std::unique_ptr<void, Free> allocate(std::size_t bytes) {
  return std::unique_ptr<void, Free>(std::aligned_alloc(64, round_up(bytes + 1, 64)));
}

template <class Call>
void check_clean(const Call& call, bool is_clean = true) {
  clear();
  call();
  CHECK(in_use() == !is_clean);
}

void check_gemm(const Table& table, std::size_t m, std::size_t n, std::size_t k,
                bool is_clean = true) {
  const std::vector<std::int8_t> w(n * k, 3);
  const auto packed = allocate(table.packed_bytes(n, 1, k));
  table.pack_weights(w.data(), n, 1, k, packed.get());
  const auto scratch = allocate(table.scratch_bytes(1, k));
  const std::vector<std::uint8_t> a(k, 5);
  const std::vector<const std::uint8_t*> rows(m, a.data());
  const std::vector<std::int32_t> bias(round_up(n, kColumnPadding), 7);
  const std::int32_t lowest = table.sign == Sign::u8 ? 0 : -128;
  std::vector<std::int32_t> c(m * n);
  for (const Store store : {Store::q8, Store::f32, Store::s32}) {
    for (const float multiplier : {0.01F, 1.5F}) {
      const std::vector<float> mult(bias.size(), multiplier);
      const Epilogue epilogue{store,        bias.data(), mult.data(), lowest,        lowest,
                              lowest + 255, -1e30F,      1e30F,       multiplier < 1};
      const GemmTask task{rows.data(),   m,       1, k, packed.get(), 0, n, c.data(), n * 4,
                          scratch.get(), epilogue};
      check_clean([&] { table.gemm(task); }, is_clean);
    }
  }
}

void check_float_linear(const FloatTable& table, std::size_t m, std::size_t n, std::size_t k) {
  constexpr std::size_t kGroup = 32;
  const std::vector<float> a(k, 0.5F);
  const std::vector<const float*> rows(m, a.data());
  const std::vector<float> bias(round_up(n, kColumnPadding), 1.0F);
  std::vector<float> c(m * n);
  FloatLinearTask task{rows.data(), m, k, nullptr, bias.data(), 0, n, c.data(), n, -1e30F, 1e30F};
  const auto packed = allocate(table.packed_bytes(n, k));
  table.pack_weights(std::vector<float>(n * k, 0.25F).data(), n, k, packed.get());
  task.weights = packed.get();
  check_clean([&] { table.linear(task); });
  task.group = kGroup;
  for (const std::size_t bits : {8U, 4U}) {
    const auto codes = allocate(table.packed_group_bytes(n, k, kGroup, bits));
    table.pack_group_weights(std::vector<std::int8_t>(n * k, 3).data(),
                             std::vector<float>(n * (k / kGroup + 1), 0.1F).data(), n, k, kGroup,
                             bits, codes.get());
    task.weights = codes.get();
    task.bits = bits;
    check_clean([&] { table.group_linear(task); });
  }
}

void check_elementwise(const Table& t, std::size_t n) {
  const FloatTable& f = *t.f32;
  const std::vector<float> x(n, 0.5F);
  const std::vector<std::int32_t> sums(n, 3);
  const std::vector<std::uint8_t> q(n, 9);
  const std::vector<std::uint8_t> entries(256, 1);
  std::vector<float> reals(n);
  std::vector<std::uint8_t> y(n);
  float least;
  float largest;
  const DynamicParams dynamic{3, 0.1F, sums.data(), x.data(), x.data(), -1, 1};
  check_clean([&] { t.quantize(x.data(), n, {0.1F, 3, 0, 100}, y.data()); });
  check_clean([&] { t.dequantize(q.data(), n, 0.1F, 3, reals.data()); });
  check_clean([&] { t.clamp_q8(q.data(), n, 3, 100, y.data()); });
  check_clean([&] { t.add_q8(q.data(), q.data(), n, {1, 1, 0, 0, 100}, y.data()); });
  check_clean([&] { t.lookup(q.data(), n, entries.data(), y.data()); });
  check_clean([&] { t.flip(q.data(), n, y.data()); });
  check_clean([&] { f.range(x.data(), n, &least, &largest); });
  check_clean([&] { f.dequantize_sums(sums.data(), n, dynamic, reals.data()); });
  check_clean([&] { f.clamp(x.data(), n, -1, 1, reals.data()); });
  check_clean([&] { f.add(x.data(), x.data(), n, reals.data()); });
  check_clean([&] { f.affine(x.data(), x.data(), x.data(), n, reals.data()); });
}

struct TileConfig {
  unsigned char bytes[64] = {};
};
TileConfig tile_config() {
  TileConfig config;
  __asm__ volatile("sttilecfg %0" : "=m"(config));
  return config;
}

}  // namespace

// A configuration that was there is still there unless tiles were used, and released.
TEST_CASE("kernels: amx_int8 uses tiles where they are worth it, and no others") {
  const Table* table = find_table("amx_int8");
  if (table == nullptr || !runs_here(*table, detect_cpu())) {
    MESSAGE("SKIPPED: this machine has no AMX");
    return;
  }
  struct Size {
    std::size_t m, n, k;
    bool uses_tiles;
  };
  for (const Size& s : {Size{3, 1024, 1024, false},
                        {4, 512, 512, false},
                        {4, 1024, 1024, true},
                        {5, 512, 512, true},
                        {16, 512, 512, true},
                        {64, 100, 100, true},
                        {16, 100, 100, false},
                        {256, 10, 784, false}}) {
    CAPTURE(s.m);
    CAPTURE(s.n);
    TileConfig ours;
    ours.bytes[0] = 1;                    // palette
    ours.bytes[16] = ours.bytes[48] = 4;  // tile 0: 4 bytes of 4 rows
    __asm__ volatile("ldtilecfg %0" : : "m"(ours));
    check_gemm(*table, s.m, s.n, s.k, s.uses_tiles);
    CHECK(tile_config().bytes[0] == (s.uses_tiles ? 0 : 1));
    __asm__ volatile("tilerelease");
  }
}

TEST_CASE("kernels leave no wide register in use") {
  if (!can_tell()) {
    MESSAGE("SKIPPED: this CPU does not tell which registers are in use");
    return;
  }
  for (const Table* table : tables_here()) {
    CAPTURE(std::string(table->name));
    check_gemm(*table, 64, 100, 100);  // worth tiles, of one block and of several
    check_gemm(*table, 16, 256, 128);
    for (const std::size_t n : {1U, 3U, 8U, 10U, 12U, 16U, 31U, 32U, 33U, 64U, 100U, 129U}) {
      CAPTURE(n);
      check_elementwise(*table, n);
      for (const std::size_t m : {1U, 2U, 3U, 4U, 5U, 7U, 13U}) {
        CAPTURE(m);
        for (const std::size_t k : {1U, 19U, 100U}) {
          check_gemm(*table, m, n, k);
          check_float_linear(*table->f32, m, n, k);
        }
      }
    }
  }
}

}  // namespace octet::test::vector_state_test

#endif
