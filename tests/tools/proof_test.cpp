// SPDX-License-Identifier: Apache-2.0
// What is proved of each op: where it computes, why in float, and accumulators by hand.
#include "tools/command/proof.h"

#include <doctest/doctest.h>

#include "tests/engine/graph_builder.h"
#include "tests/engine/test_error.h"

namespace octet::test::proof_test {

using command::Arithmetic;
using command::NodeProof;
using command::prove;

namespace {

NodeProof proof_of(const GraphBuilder& b, const std::string& name) {
  for (const Node& node : b.graph.nodes) {
    if (node.name == name) return prove(b.graph, node);
  }
  throw std::logic_error("no node " + name);
}

}  // namespace

TEST_CASE("prove: where each op computes") {
  const GraphBuilder one = every_op_graph();
  for (const char* name : {"fc1", "curve", "sum", "bound", "fc2"}) {
    CAPTURE(std::string(name));
    CHECK(proof_of(one, name).arithmetic == Arithmetic::int8);
    CHECK(proof_of(one, name).why.empty());
  }
  for (const char* name : {"flatten", "rescale", "join", "turn", "cut", "to_float", "to_codes"}) {
    CAPTURE(std::string(name));
    CHECK(proof_of(one, name).arithmetic == Arithmetic::none);
  }
  CHECK(proof_of(one, "norm").why == "no linear layer or table took it in");
  CHECK(proof_of(one, "soft").why == "has no int8 form");
  CHECK(proof_of(one, "mix").why == "its input or weights are not quantized");
  CHECK(proof_of(version_2_graph(), "wide").why == "weight-only, activations are float");
  CHECK(proof_of(version_3_graph(), "rows").arithmetic == Arithmetic::int8);
  CHECK(proof_of(version_3_graph(), "quantize_scale").arithmetic == Arithmetic::none);

  GraphBuilder kept = every_op_graph();
  kept.graph.metadata.emplace_back("float_nodes", "fc0,mix,fc9");
  CHECK(proof_of(kept, "mix").why == "kept in float when it was converted");
  kept.graph.metadata.back().second = "fc0,mixed,remix";
  CHECK(proof_of(kept, "mix").why == "its input or weights are not quantized");
}

TEST_CASE("prove: accumulators by hand") {
  // Pixels reach 255. Row 0: |-1000| + (127 + 127 + 3 + 4 + 5 + 6) * 255.
  CHECK(proof_of(every_op_graph(), "fc1").accumulators ==
        std::vector<std::int64_t>{70360, 174 * 255, 1 + 93 * 255, 70000 + 255});
  // s8 codes around -128 reach 255 too: (1 + 2 + 3) * 255 + 5, (40 + 50 + 60) * 255 + 6.
  CHECK(proof_of(every_op_graph(), "fc2").accumulators == std::vector<std::int64_t>{1535, 38256});
  CHECK(proof_of(version_3_graph(), "rows").accumulators ==
        std::vector<std::int64_t>{255 * 255, 139 * 255, 0, 250 * 255});
  CHECK(command::largest_accumulator(proof_of(every_op_graph(), "fc1")) == 70360.0 / 2147483648.0);
  CHECK(command::largest_accumulator({}) == 0);
}

TEST_CASE("check_strict names each node that computes in float") {
  CHECK(error_of([] { command::check_strict(version_3_graph().graph, "net.onnx"); }) == "nothing");
  CHECK(error_of([] { command::check_strict(every_op_graph().graph, "net.onnx"); }) ==
        "unsupported: net.onnx: --strict, but 4 nodes compute in float:"
        "\n  node 'norm' (affine): no linear layer or table took it in"
        "\n  node 'soft' (softmax): has no int8 form"
        "\n  node 'log_soft' (log_softmax): has no int8 form"
        "\n  node 'mix' (float_linear): its input or weights are not quantized");
}

}  // namespace octet::test::proof_test
