// SPDX-License-Identifier: Apache-2.0
// The host's floating-point environment neither changes results nor is changed: rounding modes,
// flushed denormals, unmasked exceptions.
#include "engine/fp_env.h"

#include <doctest/doctest.h>

#include <bit>
#include <cstdint>

#include "tests/engine/networks.h"
#include "tests/engine/run_graph.h"

namespace octet::test::fp_env_test {

using octet::engine::FloatEnvironment;

namespace {

#if defined(__x86_64__)

using Control = unsigned;
Control get_control() {
  return _mm_getcsr();
}
void set_control(Control control) {
  _mm_setcsr(control);
}
// The four rounding modes, with and without FTZ and DAZ; one with sticky flags set.
constexpr Control kControls[] = {0x1f80, 0x3f80, 0x5f80, 0x7f80, 0x9fc0,
                                 0xbfc0, 0xdfc0, 0xffc0, 0x1fbf};

#elif defined(__aarch64__)

using Control = std::uint64_t;
Control get_control() {
  Control control;
  __asm__ volatile("mrs %0, fpcr" : "=r"(control));
  return control;
}
void set_control(Control control) {
  __asm__ volatile("msr fpcr, %0" : : "r"(control) : "memory");
}
// RMode in bits 22 and 23, FZ in 24, DN in 25.
constexpr Control kControls[] = {0x0000000, 0x0400000, 0x0800000, 0x0c00000,
                                 0x1000000, 0x1400000, 0x1800000, 0x3c00000};

#endif

#if defined(__x86_64__) || defined(__aarch64__)

// Sets a control word for a scope.
class HostControl {
 public:
  explicit HostControl(Control control) : before_(get_control()) { set_control(control); }
  ~HostControl() { set_control(before_); }

 private:
  Control before_;
};

// A call, so that the division stays where it is written.
[[gnu::noinline]] float divide(float a, float b) {
  const volatile float x = a;
  const volatile float y = b;
  return x / y;
}

// x + tiny -> quantize: denormals and rounding both show.
GraphBuilder sensitive() {
  GraphBuilder b = mlp({40, 30, 20});
  const auto half = b.f32("half", {-1, 20});
  const auto scale = b.constant<float>("scale", DType::f32, {1}, {1e-38f});
  const auto shift = b.constant<float>("shift", DType::f32, {1}, {1e-39f});
  b.node(OpType::affine, "denormal", {b.index("logits"), scale, shift}, half).inner = 20;
  const auto sum = b.f32("sum", {-1, 20});
  b.node(OpType::add, "sum", {half, half}, sum);
  b.graph.outputs.push_back(sum);
  const auto soft = b.f32("soft", {-1, 20});
  b.node(OpType::softmax, "soft", {b.index("logits")}, soft).axis = 1;
  b.graph.outputs.push_back(soft);
  return b;
}

#endif

}  // namespace

#if defined(__x86_64__) || defined(__aarch64__)

TEST_CASE("FloatEnvironment rounds to nearest, keeps denormals, and restores the host's") {
  for (const Control control : kControls) {
    const HostControl host(control);
    const Control before = get_control();
    float up = 0;
    float denormal = 0;
    {
      const FloatEnvironment environment;
      up = divide(2, 3);
      denormal = divide(1e-38f, 16);
    }
    CHECK(get_control() == before);
    CHECK(up == 0x1.555556p-1f);
    // By its bits: the host may take denormals for zero here.
    CHECK(std::bit_cast<std::uint32_t>(denormal) != 0);
  }
}

TEST_CASE("the host's rounding and flushing really differ where octet does not set its own") {
  float down = 0;
  float flushed = 1;
  {
    const HostControl host(kControls[3]);
    down = divide(2, 3);
  }
  CHECK(down == 0x1.555554p-1f);
  {
    const HostControl host(kControls[4]);
    flushed = divide(1e-38f, 16);
  }
  CHECK(flushed == 0);
}

TEST_CASE("models give the same bytes in every environment, at load and at run, on all threads") {
  const GraphBuilder b = sensitive();
  const std::size_t batch = 100;
  const auto inputs = random_inputs(b.graph, batch);
  const auto expected = evaluate(b.graph, inputs, batch);
  for (const auto* table : tables_here()) {
    CAPTURE(std::string(table->name));
    octet::engine::check_graph(b.graph, "test", {});
    for (const Control control : kControls) {
      CAPTURE(control);
      bool restored = false;
      std::vector<Bytes> serial;
      std::vector<Bytes> parallel;
      {
        const HostControl host(control);
        const Control before = get_control();
        const auto model = make_eager(octet::engine::create_model(b.graph, "test", *table));
        serial = run(model, inputs, batch);
        const auto executor = octet::engine::make_thread_executor(3);
        const octet_executor functions = handle(*executor);
        octet_session session(model, {&functions, nullptr, 0});
        parallel = run(session, *model, inputs, batch);
        restored = get_control() == before;
      }
      CHECK(restored);
      CHECK(serial == expected);
      CHECK(parallel == expected);
    }
  }
}

#endif

}  // namespace octet::test::fp_env_test
