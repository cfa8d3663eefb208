// SPDX-License-Identifier: Apache-2.0
// Reading the golden files; damaged in every way: tests/faults/.
#include "engine/model_file.h"

#include <doctest/doctest.h>

#include "engine/inspect.h"
#include "tests/engine/graph_builder.h"
#include "tests/engine/model_bytes.h"

namespace octet::test::model_file_test {

using namespace engine;

TEST_CASE("the golden file of version 1 still loads") {
  const LoadedGraph loaded = read_graph(kGolden);
  CHECK(same_graph(loaded.graph, every_op_graph().graph));
  CHECK(loaded.arithmetic_version == 1);
  CHECK(loaded.reader_version == 1);
}

TEST_CASE("the golden file of version 2 still loads") {
  const LoadedGraph loaded = read_graph(kGolden2);
  CHECK(same_graph(loaded.graph, version_2_graph().graph));
  CHECK(loaded.arithmetic_version == 1);
  CHECK(loaded.reader_version == 2);
}

TEST_CASE("the golden file of version 3 still loads") {
  const LoadedGraph loaded = read_graph(kGolden3);
  CHECK(same_graph(loaded.graph, version_3_graph().graph));
  CHECK(loaded.arithmetic_version == 1);
  CHECK(loaded.reader_version == 3);
}

TEST_CASE("constants lie in the parsed bytes at their alignment") {
  const MappedFile file(kGolden, MappedFile::Mode::map, 1 << 20);
  const ParsedModel parsed = parse_model(file.bytes(), "net.octet", {});
  std::size_t constants = 0;
  for (const Tensor& tensor : parsed.graph.tensors) {
    if (!tensor.is_constant) continue;
    ++constants;
    CHECK(reinterpret_cast<std::uintptr_t>(tensor.data.data()) % kDataAlignment == 0);
    CHECK(tensor.data.data() >= file.bytes().data());
    CHECK(tensor.data.data() + tensor.data.size() <= file.bytes().data() + file.bytes().size());
  }
  CHECK(constants == 11);
}

TEST_CASE("bytes at an odd address are refused") {
  const ModelBytes golden;
  std::vector<std::byte> shifted(golden.bytes.size() + 8);
  std::ranges::copy(golden.bytes, shifted.begin() + 8);
  CHECK(error_of([&] { parse_model(std::span(shifted).subspan(8), "net.octet", {}); }) ==
        "argument: net.octet: its bytes must be aligned to 16");
}

TEST_CASE("limits allow what is just within them") {
  const ModelBytes golden;
  CHECK(golden.error({.file_bytes = golden.bytes.size()}) == "nothing");
  CHECK(golden.error({.tensors = every_op_graph().graph.tensors.size()}) == "nothing");
}

}  // namespace octet::test::model_file_test
