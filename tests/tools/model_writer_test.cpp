// SPDX-License-Identifier: Apache-2.0
#include "tools/convert/model_writer.h"

#include <doctest/doctest.h>

#include <cstring>

#include "engine/mapped_file.h"
#include "engine/model_file.h"
#include "tests/engine/graph_builder.h"

namespace octet::test::model_writer_test {

TEST_CASE("a graph comes back equal") {
  const auto built = every_op_graph();
  const auto bytes = convert::write_model(built.graph);
  const auto parsed = engine::parse_model(bytes, "net.octet", {});
  CHECK(octet::test::same_graph(parsed.graph, built.graph));
  CHECK(parsed.arithmetic_version == engine::kArithmeticVersion);
  CHECK(parsed.reader_version == 1);
}

TEST_CASE("a file needs the reader that knows its features") {
  const auto built = version_2_graph();
  const auto bytes = convert::write_model(built.graph);
  const auto parsed = engine::parse_model(bytes, "net.octet", {});
  CHECK(octet::test::same_graph(parsed.graph, built.graph));
  CHECK(parsed.reader_version == 2);
}

TEST_CASE("sums and each dynamic op alone need reader version 3") {
  for (const char* name : {"rows", "quantize", "quantize_scale", "quantize_zero_point", "sum"}) {
    CAPTURE(std::string(name));
    auto built = version_3_graph();
    std::erase_if(built.graph.nodes, [&](const Node& node) { return node.name != name; });
    engine::FileHeader header;
    std::memcpy(&header, convert::write_model(built.graph).data(), sizeof header);
    CHECK(header.reader_version == 3);
  }
}

TEST_CASE("names may be empty where nobody asks for them") {
  auto built = every_op_graph();
  built.tensor("fc1.scale").name.clear();
  built.node("fc1").name.clear();
  const auto bytes = convert::write_model(built.graph);
  const auto parsed = engine::parse_model(bytes, "net.octet", {});
  CHECK(octet::test::same_graph(parsed.graph, built.graph));
}

TEST_CASE("the same graphs give the bytes of all versions") {
  const auto check_bytes = [](const GraphBuilder& built, const std::string& file) {
    const engine::MappedFile golden(OCTET_SOURCE_DIR "/tests/golden/" + file,
                                    engine::MappedFile::Mode::map, 1 << 20);
    CHECK(octet::test::same_bytes(convert::write_model(built.graph), golden.bytes()));
  };
  check_bytes(every_op_graph(), "v1.octet");
  check_bytes(version_2_graph(), "v2.octet");
  check_bytes(version_3_graph(), "v3.octet");
}

TEST_CASE("bytes do not depend on where the constants lie") {
  const auto first = every_op_graph();
  const auto second = every_op_graph();
  CHECK(convert::write_model(first.graph) == convert::write_model(second.graph));
}

TEST_CASE("metadata stays small beside the data of a small network") {
  octet::test::GraphBuilder b;
  using octet::test::DType;
  const std::int64_t widths[] = {784, 100, 100, 10};
  auto x = b.q8("input", DType::u8, {-1, 784}, 0.0125f, 0);
  b.graph.inputs = {{x, true, {0.1307f, 0.3081f}}};
  for (std::size_t i = 0; i < 3; ++i) {
    const std::string name = "fc" + std::to_string(i + 1);
    const std::int64_t k = widths[i];
    const std::int64_t m = widths[i + 1];
    const auto rows = static_cast<std::size_t>(m);
    const auto w = b.constant(name + ".weight", DType::s8, {m, k},
                              std::vector<std::int8_t>(static_cast<std::size_t>(m * k), 1));
    const auto s =
        b.constant(name + ".weight.scale", DType::f32, {m}, std::vector<float>(rows, 0.5f));
    const auto c = b.constant(name + ".bias", DType::s32, {m}, std::vector<std::int32_t>(rows, 0));
    const auto y =
        i < 2 ? b.q8(name + ".relu", DType::u8, {-1, m}, 0.25f, 0) : b.f32("logits", {-1, m});
    b.node(engine::OpType::linear, name, {x, w, s, c}, y);
    x = y;
  }
  b.graph.outputs = {x};
  const auto bytes = convert::write_model(b.graph);
  engine::check_graph(b.graph, "mnist_mlp", {});
  // 91,080 bytes of data in 9 constants, padded to 64.
  CHECK(bytes.size() < 92'400);
}

}  // namespace octet::test::model_writer_test
