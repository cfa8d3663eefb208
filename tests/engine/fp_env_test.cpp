// SPDX-License-Identifier: Apache-2.0
// The host's floating-point environment neither changes results nor is changed: rounding modes,
// flushed denormals, unmasked exceptions.
#include "engine/fp_env.h"

#include <doctest/doctest.h>
#include <octet/octet.h>

#include <bit>
#include <cstdint>
#include <string>

#include "tests/engine/host_control.h"
#include "tests/engine/networks.h"
#include "tests/engine/run_graph.h"

namespace octet::test::fp_env_test {

using octet::engine::FloatEnvironment;

namespace {

#if OCTET_HAS_HOST_CONTROL

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

#if OCTET_HAS_HOST_CONTROL

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

namespace {

// Every output of a model file, loaded and run here, on one sample of small numbers.
std::vector<Bytes> load_and_run(const std::string& path, const octet::LoadOptions& options) {
  const octet::Model model = octet::Model::load(path, options);
  octet::Session session(model);
  std::vector<Bytes> memory;
  std::vector<octet::Input> inputs;
  std::vector<octet::Output> outputs;
  for (std::size_t i = 0; i < model.inputs(); ++i) {
    inputs.push_back(
        octet::input(memory.emplace_back(model.input(i).sample_bytes, std::byte{0x3f})));
  }
  for (std::size_t i = 0; i < model.outputs(); ++i) {
    outputs.push_back(octet::output(memory.emplace_back(model.output(i).sample_bytes)));
  }
  if (session.run(inputs, outputs, 1) != OCTET_OK) return {};
  return memory;
}

}  // namespace

TEST_CASE("model files load and run the same in every environment; a failure restores it too") {
  for (const int version : {1, 2, 3}) {
    const std::string path =
        OCTET_SOURCE_DIR "/tests/golden/v" + std::to_string(version) + ".octet";
    for (const auto* table : tables_here()) {
      octet::LoadOptions options{};
      options.isa = table->name;
      const std::vector<Bytes> expected = load_and_run(path, options);
      REQUIRE(!expected.empty());
      for (const Control control : kControls) {
        CAPTURE(path);
        CAPTURE(std::string(table->name));
        CAPTURE(control);
        std::vector<Bytes> outputs;
        octet_status status = OCTET_OK;
        int restored = 0;
        {
          const HostControl host(control);
          const Control before = get_control();
          outputs = load_and_run(path, options);
          restored += get_control() == before;
          octet_model* model = nullptr;
          octet::LoadOptions tight = options;
          tight.limits.arena_bytes = 64;  // found last, after all that computes
          status = octet_model_load(path.c_str(), &tight, &model, nullptr);
          restored += get_control() == before;
        }
        CHECK(outputs == expected);
        CHECK(status == OCTET_LIMIT);
        CHECK(restored == 2);
      }
    }
  }
}

#endif

}  // namespace octet::test::fp_env_test
