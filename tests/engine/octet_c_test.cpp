// SPDX-License-Identifier: Apache-2.0
// The C API and the C++ header over it: statuses, messages, null arguments, lifetimes, $OCTET_ISA.
#include <doctest/doctest.h>
#include <octet/octet.h>

#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>

#include "kernels/dispatch.h"
#include "tests/engine/run_graph.h"
#include "tests/engine/test_error.h"

namespace octet::test::octet_c_test {
namespace {

// tests/engine/model_file_test.cpp says what it holds.
const std::string kGolden = OCTET_SOURCE_DIR "/tests/golden/v1.octet";

Bytes golden_bytes() {
  std::ifstream file(kGolden, std::ios::binary);
  const std::string text((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  const auto bytes = std::as_bytes(std::span(text));
  return {bytes.begin(), bytes.end()};
}

// Sets $OCTET_ISA for a scope.
class Environment {
 public:
  explicit Environment(const char* value) {
    const char* now = std::getenv("OCTET_ISA");
    if (now != nullptr) before_ = now;
    setenv("OCTET_ISA", value, 1);
  }
  ~Environment() {
    if (before_.empty()) {
      unsetenv("OCTET_ISA");
    } else {
      setenv("OCTET_ISA", before_.c_str(), 1);
    }
  }

 private:
  std::string before_;
};

std::vector<Bytes> run_golden(octet::Session& session, const octet::Model& model,
                              const std::vector<Bytes>& inputs, std::size_t batch) {
  std::vector<octet::Input> in;
  for (const Bytes& bytes : inputs) in.push_back(octet::input(bytes));
  std::vector<Bytes> outputs;
  std::vector<octet::Output> out;
  for (std::size_t i = 0; i < model.outputs(); ++i) {
    outputs.emplace_back(batch * model.output(i).sample_bytes);
  }
  for (Bytes& bytes : outputs) out.push_back(octet::output(bytes));
  REQUIRE(session.run(in, out, batch) == OCTET_OK);
  return outputs;
}

}  // namespace

TEST_CASE("octet.h: load, describe, run") {
  const GraphBuilder b = every_op_graph();
  const octet::Model model = octet::Model::load(kGolden);
  REQUIRE(model.inputs() == 2);
  REQUIRE(model.outputs() == 4);
  const octet::TensorInfo pixels = model.input();
  CHECK(std::string(pixels.name) == "pixels");
  CHECK(pixels.dtype == OCTET_U8);
  CHECK(pixels.rank == 3);
  CHECK(pixels.shape[0] == -1);
  CHECK(pixels.shape[2] == 3);
  CHECK(pixels.sample_bytes == 6);
  CHECK(pixels.scale == 0.0125f);
  CHECK(pixels.has_normalization == 1);
  CHECK(pixels.mean == 0.25f);
  CHECK(pixels.std == 0.3125f);
  CHECK(model.input(1).has_normalization == 0);
  CHECK(model.input(1).sample_bytes == 8);
  CHECK(std::string(model.output(1).name) == "probabilities");
  CHECK(error_of([&] { model.output(4); }) == "argument: there is no output 4");

  const std::size_t batch = 5;
  const auto inputs = random_inputs(b.graph, batch);
  octet::Session session(model);
  CHECK(run_golden(session, model, inputs, batch) == evaluate(b.graph, inputs, batch));
}

TEST_CASE("octet.h: parse at any alignment, from memory that goes; copy instead of map") {
  const GraphBuilder b = every_op_graph();
  const auto inputs = random_inputs(b.graph, 3);
  const auto expected = evaluate(b.graph, inputs, 3);
  for (const std::size_t offset : {0u, 1u, 8u}) {
    Bytes bytes(offset);
    const Bytes file = golden_bytes();
    bytes.insert(bytes.end(), file.begin(), file.end());
    const octet::Model model = octet::Model::parse(std::span(bytes).subspan(offset));
    std::fill(bytes.begin(), bytes.end(), std::byte{0});
    octet::Session session(model);
    CHECK(run_golden(session, model, inputs, 3) == expected);
  }
  octet::LoadOptions options{};
  options.copy = 1;
  const octet::Model model = octet::Model::load(kGolden, options);
  octet::Session session(model);
  CHECK(run_golden(session, model, inputs, 3) == expected);
}

TEST_CASE("octet.h: sessions outlive the model, executors are given by handle") {
  const GraphBuilder b = every_op_graph();
  const auto inputs = random_inputs(b.graph, 3);
  const octet::Executor executor = octet::Executor::threads(2);
  const octet::Model other = octet::Model::load(kGolden);
  std::unique_ptr<octet::Session> session;
  {
    const octet::Model model = octet::Model::load(kGolden);
    session = std::make_unique<octet::Session>(model, executor);
  }
  CHECK(run_golden(*session, other, inputs, 3) == evaluate(b.graph, inputs, 3));
}

TEST_CASE("octet_c.h: errors have a status and a message, and leave null behind") {
  octet_error error{};
  int something = 0;
  auto* model = reinterpret_cast<octet_model*>(&something);
  CHECK(octet_model_load("no/such/file", nullptr, &model, &error) == OCTET_IO);
  CHECK(model == nullptr);
  CHECK(error.status == OCTET_IO);
  CHECK(std::string(error.message).find("no/such/file") != std::string::npos);
  CHECK(octet_model_load("no/such/file", nullptr, &model, nullptr) == OCTET_IO);

  const char text[] = "this is not a model";
  CHECK(octet_model_parse(text, sizeof text, "notes.txt", nullptr, &model, &error) == OCTET_FORMAT);
  CHECK(std::string(error.message).starts_with("notes.txt: "));

  const Bytes bytes = golden_bytes();
  octet_load_options options{};
  options.limits.file_bytes = 100;
  CHECK(octet_model_parse(bytes.data(), bytes.size(), "m", &options, &model, &error) ==
        OCTET_LIMIT);
  CHECK(octet_model_load(kGolden.c_str(), &options, &model, &error) == OCTET_LIMIT);

  // A message that is too long is cut between two characters.
  std::string name;
  for (int i = 0; i < 600; ++i) name += "µ";
  CHECK(octet_model_load(name.c_str(), nullptr, &model, &error) == OCTET_IO);
  const std::string message = error.message;
  CHECK(message.size() < sizeof error.message);
  CHECK(message.size() > sizeof error.message - 4);
  CHECK(static_cast<unsigned char>(message.back()) == 0xb5);

  // Success clears an old message.
  CHECK(octet_model_load(kGolden.c_str(), nullptr, &model, &error) == OCTET_OK);
  CHECK(error.status == OCTET_OK);
  CHECK(error.message[0] == '\0');
  octet_model_free(model);
}

TEST_CASE("octet_c.h: null arguments") {
  octet_error error{};
  octet_model* model = nullptr;
  octet_session* session = nullptr;
  octet_executor executor{};
  octet_tensor_info info{};
  CHECK(octet_model_load(nullptr, nullptr, &model, &error) == OCTET_ARGUMENT);
  CHECK(std::string(error.message) == "path is null");
  CHECK(octet_model_load(kGolden.c_str(), nullptr, nullptr, &error) == OCTET_ARGUMENT);
  CHECK(octet_model_parse(nullptr, 3, "m", nullptr, &model, &error) == OCTET_ARGUMENT);
  CHECK(octet_model_parse("abc", 3, nullptr, nullptr, &model, &error) == OCTET_ARGUMENT);
  CHECK(octet_session_create(nullptr, nullptr, &session, &error) == OCTET_ARGUMENT);
  CHECK(octet_thread_executor_create(2, nullptr, &error) == OCTET_ARGUMENT);
  CHECK(octet_thread_executor_create(0, &executor, &error) == OCTET_ARGUMENT);
  CHECK(octet_thread_executor_create(std::size_t{1} << 40, &executor, &error) == OCTET_LIMIT);
  CHECK(executor.self == nullptr);
  CHECK(octet_model_inputs(nullptr) == 0);
  CHECK(octet_model_outputs(nullptr) == 0);
  CHECK(octet_model_input(nullptr, 0, &info) == OCTET_ARGUMENT);
  CHECK(octet_session_arena_bytes(nullptr, 1) == 0);
  CHECK(octet_session_run(nullptr, nullptr, 0, nullptr, 0, 0) == OCTET_ARGUMENT);
  octet_model_free(nullptr);
  octet_session_free(nullptr);
  octet_executor_free(nullptr);
  octet_executor_free(&executor);

  REQUIRE(octet_model_load(kGolden.c_str(), nullptr, &model, &error) == OCTET_OK);
  CHECK(octet_session_create(model, nullptr, nullptr, &error) == OCTET_ARGUMENT);
  REQUIRE(octet_session_create(model, nullptr, &session, &error) == OCTET_OK);
  CHECK(octet_model_input(model, 0, nullptr) == OCTET_ARGUMENT);
  CHECK(octet_session_run(session, nullptr, 2, nullptr, 4, 1) == OCTET_ARGUMENT);
  octet_session_free(session);
  octet_model_free(model);
}

TEST_CASE("octet_c.h: an executor of the caller's is not freed") {
  int calls = 0;
  octet_executor own = {&calls, [](void*) { return std::size_t{1}; },
                        [](void*, std::size_t, octet_task, void*) {}};
  octet_executor_free(&own);
  CHECK(own.self == &calls);
}

TEST_CASE("octet_c.h: names and versions") {
  CHECK(octet_api_version() == OCTET_API_VERSION);
  CHECK(std::string(octet_version()) == "0.1.0");
  CHECK(std::string(octet_status_name(OCTET_UNSUPPORTED)) == "unsupported");
  CHECK(std::string(octet_status_name(static_cast<octet_status>(7))) == "unknown");
}

TEST_CASE("the instruction set: by option, by environment, by what runs best") {
  namespace kernels = octet::kernels;
  const auto isa = [](const octet::LoadOptions& options = {}) {
    return std::string(octet::Model::load(kGolden, options).isa());
  };
  const Environment empty("");
  CHECK(isa() == kernels::best_table(kernels::detect_cpu()).name);
  octet::LoadOptions options{};
  options.isa = "scalar";
  CHECK(isa(options) == "scalar");
  {
    const Environment forced("scalar");
    CHECK(isa() == "scalar");
    options.isa = tables_here().front()->name;
    CHECK(isa(options) == options.isa);
  }
  {
    const Environment forced("mmx");
    const std::string error = error_of([&] { isa(); });
    CHECK(
        error.starts_with("cpu: OCTET_ISA is 'mmx', which is no instruction set of this build: "));
    for (const auto* table : kernels::tables()) {
      CHECK(error.find(table->name) != std::string::npos);
    }
  }
  options.isa = "";
  CHECK(error_of([&] { isa(options); }).starts_with("cpu: option isa is ''"));
  for (const auto* table : kernels::tables()) {
    if (kernels::runs_here(*table, kernels::detect_cpu())) continue;
    options.isa = table->name;
    CHECK(error_of([&] { isa(options); }).find("which this CPU lacks") != std::string::npos);
  }
}

}  // namespace octet::test::octet_c_test
