// SPDX-License-Identifier: Apache-2.0
// Valid files that are larger than a limit, by one where that is possible.
#include "tests/engine/model_bytes.h"
#include "tests/faults/large_models.h"
#include "tests/faults/malformed.h"
#include "tools/convert/model_writer.h"

namespace octet::test {
namespace {

Malformed limited(const char* name, void (*change)(GraphBuilder&), const octet_limits& limits,
                  const std::string& message) {
  return {name,
          [change, limits] {
            GraphBuilder b = every_op_graph();
            change(b);
            return parse(convert::write_model(b.graph), limits);
          },
          "limit: net.octet: " + message};
}

template <class T>
void repeat(std::vector<T>& values) {
  while (values.size() < 40) values.push_back(values.back());
}

}  // namespace

MalformedFiles limit_faults() {
  const auto as_it_is = [](GraphBuilder&) {};
  return {
      limited("more bytes than the limit", as_it_is, {3527, 0, 0, 0},
              "has 3528 bytes, the limit file_bytes is 3527"),
      limited("more tensors than the limit", as_it_is, {0, 29, 0, 0},
              "has 30 tensors, the limit tensors is 29"),
      limited(
          "more nodes than the limit", [](GraphBuilder& b) { repeat(b.graph.nodes); },
          {0, 39, 0, 0}, "has 40 nodes, the limit tensors is 39"),
      limited(
          "more inputs than the limit", [](GraphBuilder& b) { repeat(b.graph.inputs); },
          {0, 39, 0, 0}, "has 40 inputs, the limit tensors is 39"),
      limited(
          "more outputs than the limit", [](GraphBuilder& b) { repeat(b.graph.outputs); },
          {0, 39, 0, 0}, "has 40 outputs, the limit tensors is 39"),
      limited(
          "more metadata than the limit", [](GraphBuilder& b) { repeat(b.graph.metadata); },
          {0, 39, 0, 0}, "has 40 metadata entries, the limit tensors is 39"),
      limited("a tensor larger than the arena", as_it_is, {0, 0, 23, 0},
              "tensor 16 'f1': has 24 bytes per sample, the limit arena_bytes is 23"),
      limited("a sample larger than the arena", as_it_is, {0, 0, 400, 0},
              "one sample needs 456 bytes of arena, the limit arena_bytes is 400; raise it"),
      limited("more multiply-adds than the limit", as_it_is, {0, 0, 0, 114},
              "node 16 'fc2' (linear): needs 6 multiply-adds per sample, 5 are left of the limit"
              " multiply_adds, 114"),
      // An affine spreads one channel over all elements of a sample, twice.
      {"more parameters than the limit",
       [] { return parse(convert::write_model(spread_affines(33).graph)); },
       "limit: net.octet: node 32 'a' (affine): needs 134217728 bytes of parameters, 0 are left of"
       " the limit file_bytes, 4294967296"},
      {"names that many tensors share", [] { return parse(shared_names(65536, 1000).bytes); },
       "limit: net.octet: its graph takes more than 4457556 bytes of memory: as many as its "
       "metadata has, and 64 for each of 65536 tensors"},
      {"weights that many nodes share",
       [] { return parse(convert::write_model(shared_weights(200).graph)); },
       "limit: net.octet: node 63 'fc' (linear): with the nodes before it reads 67109376 bytes of"
       " constants, shared ones each time; 67109120 are allowed, 32 times those of the graph and"
       " 33554432"},
  };
}

}  // namespace octet::test
