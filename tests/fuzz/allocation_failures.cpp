// SPDX-License-Identifier: Apache-2.0
// Memory runs out at the allocation that the input says, for once or for good: while a model is
// loaded, a session made and run, a network simplified, quantized and written. An error of its type
// or success follows; libFuzzer looks for leaks.
#include <octet/octet.h>

#include <new>

#include "tests/engine/random_graph.h"
#include "tests/faults/allocations.h"
#include "tests/fuzz/memory_file.h"
#include "tests/fuzz/model_bytes.h"
#include "tests/fuzz/random_onnx.h"
#include "tools/convert/lower_quantized.h"
#include "tools/convert/model_writer.h"
#include "tools/convert/onnx_import.h"
#include "tools/convert/quantize.h"
#include "tools/convert/simplify.h"

namespace octet::fuzz {
namespace {

namespace allocations = test::allocations;

// Fails the allocation with that index, counted from 0, from here to the end of its scope.
class Shortage {
 public:
  Shortage(std::size_t index, bool forever) { allocations::fail(index + 1, forever); }
  ~Shortage() { allocations::fail(0); }
  Shortage(const Shortage&) = delete;
  Shortage& operator=(const Shortage&) = delete;
};

const std::vector<std::vector<std::byte>>& models() {
  static const std::vector<std::vector<std::byte>> made = [] {
    std::vector<std::vector<std::byte>> files;
    for (std::uint32_t seed = 1; seed <= 32; ++seed) {
      files.push_back(convert::write_model(test::RandomGraph(seed).graph()));
    }
    files.push_back(convert::write_model(test::every_op_graph().graph));
    files.push_back(convert::write_model(test::version_2_graph().graph));
    files.push_back(convert::write_model(test::version_3_graph().graph));
    return files;
  }();
  return made;
}

void expect_status(octet_status status, const octet_error& error) {
  expect(status == OCTET_OK || (status == OCTET_LIMIT && allocations::has_failed()),
         "another status than the limit's");
  expect((error.message[0] == '\0') == (status == OCTET_OK), "an error without a message");
}

void run_session(const octet_model* model, octet_session* session) {
  std::vector<std::vector<std::byte>> memory;
  std::vector<octet_input> in;
  std::vector<octet_output> out;
  octet_tensor_info info{};
  for (std::size_t i = 0; octet_model_input(model, i, &info) == OCTET_OK; ++i) {
    in.push_back({memory.emplace_back(2 * info.sample_bytes).data(), 2 * info.sample_bytes});
  }
  for (std::size_t i = 0; octet_model_output(model, i, &info) == OCTET_OK; ++i) {
    out.push_back({memory.emplace_back(2 * info.sample_bytes).data(), 2 * info.sample_bytes});
  }
  const Shortage shortage(0, true);  // a run needs none
  expect(octet_session_run(session, in.data(), in.size(), out.data(), out.size(), 2) == OCTET_OK,
         "a run fails without memory");
}

void run_engine(Reader& input, std::size_t index, bool forever) {
  const std::vector<std::byte>& file = models()[input.below(models().size())];
  const bool misaligned = input.flag();
  std::vector<std::byte> moved(file.size() + 1);
  std::copy(file.begin(), file.end(), moved.begin() + 1);
  octet_error error{};
  octet_model* made = nullptr;
  octet_status status = OCTET_OK;
  {
    const Shortage shortage(index, forever);
    status = octet_model_parse(misaligned ? moved.data() + 1 : file.data(), file.size(), "net",
                               nullptr, &made, &error);
  }
  const ModelPointer model(made);
  expect_status(status, error);
  if (model == nullptr) return;
  octet_session* session = nullptr;
  {
    const Shortage shortage(input.below(8), forever);
    status = octet_session_create(model.get(), nullptr, &session, &error);
  }
  expect_status(status, error);
  if (session != nullptr) run_session(model.get(), session);
  octet_session_free(session);
}

void run_converter(Reader& input, std::size_t index, bool forever) {
  static const MemoryFile file;
  std::vector<std::uint8_t> rest;
  while (!input.empty()) rest.push_back(input.byte());
  const std::string bytes = RandomOnnx(rest).model().SerializeAsString();
  file.write({reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()});
  const std::string path = file.path();
  try {
    // Not while protobuf parses: a message that std::bad_alloc leaves half made crashes when it is
    // destroyed, in the code that protoc 3.21 generates.
    convert::Graph graph = convert::import_onnx(path);
    for (const convert::Value& value : graph.values) {
      if (convert::sample_elements(value.shape) > 4096) return;
    }
    const Shortage shortage(index, forever);
    convert::simplify(graph);
    const std::vector<convert::Range> ranges(graph.values.size(), convert::Range{-4, 4});
    const convert::QuantizedGraph quantized = convert::is_quantized(graph)
                                                  ? convert::lower_quantized(graph, std::nullopt)
                                                  : convert::quantize(graph, ranges, {});
    convert::write_model(quantized.graph);
  } catch (const Error&) {
  } catch (const std::bad_alloc&) {
    expect(allocations::has_failed(), "std::bad_alloc though there was memory");
  }
}

}  // namespace
}  // namespace octet::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace octet::fuzz;
  static Count inputs("inputs");
  static Count met("shortages_met");
  ++inputs;
  Reader input({data, size});
  const bool engine = input.flag();
  const bool forever = input.flag();
  const std::size_t index = input.value<std::uint16_t>() % 1024;
  if (engine) {
    run_engine(input, index, forever);
  } else {
    run_converter(input, index, forever);
  }
  if (allocations::has_failed()) ++met;
  return 0;
}
