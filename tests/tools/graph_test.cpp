// SPDX-License-Identifier: Apache-2.0
#include "tools/convert/graph.h"

#include <doctest/doctest.h>

#include <cmath>
#include <string>
#include <utility>

namespace octet::test::graph_test {

using octet::convert::apply_unary;
using octet::convert::Node;
using octet::convert::Op;
using octet::convert::op_name;
using octet::convert::sample_elements;
using octet::convert::Unary;

TEST_CASE("graph: a node is called by its operator, a unary one by its function") {
  Node node;
  const std::pair<Op, const char*> ops[] = {{Op::linear, "linear"},
                                            {Op::affine, "affine"},
                                            {Op::add, "add"},
                                            {Op::clip, "clip"},
                                            {Op::reshape, "reshape"},
                                            {Op::transpose, "transpose"},
                                            {Op::concat, "concat"},
                                            {Op::slice, "slice"},
                                            {Op::softmax, "softmax"},
                                            {Op::log_softmax, "log_softmax"},
                                            {Op::quantize, "quantize"},
                                            {Op::dequantize, "dequantize"},
                                            {Op::sums, "sums"},
                                            {Op::dynamic_quantize, "dynamic_quantize"},
                                            {Op::dynamic_scale, "dynamic_scale"},
                                            {Op::dynamic_zero_point, "dynamic_zero_point"}};
  for (const auto& [op, name] : ops) {
    node.op = op;
    CHECK(std::string(op_name(node)) == name);
  }
  node.op = Op::unary;
  const std::pair<Unary, const char*> functions[] = {
      {Unary::sigmoid, "sigmoid"},           {Unary::tanh, "tanh"},
      {Unary::leaky_relu, "leaky_relu"},     {Unary::elu, "elu"},
      {Unary::hard_sigmoid, "hard_sigmoid"}, {Unary::softplus, "softplus"}};
  for (const auto& [function, name] : functions) {
    node.function = function;
    CHECK(std::string(op_name(node)) == name);
  }
}

TEST_CASE("graph: sample_elements leaves out the batch") {
  CHECK(sample_elements({-1}) == 1);
  CHECK(sample_elements({-1, 3, 4}) == 12);
}

TEST_CASE("graph: unary functions at points worked by hand") {
  CHECK(apply_unary(Unary::sigmoid, 0.0, 0, 0) == 0.5);
  CHECK(apply_unary(Unary::sigmoid, -800.0, 0, 0) == 0.0);
  CHECK(apply_unary(Unary::sigmoid, 800.0, 0, 0) == 1.0);
  CHECK(apply_unary(Unary::tanh, 0.5, 0, 0) == std::tanh(0.5));
  CHECK(apply_unary(Unary::leaky_relu, -2.0, 0.25f, 0) == -0.5);
  CHECK(apply_unary(Unary::leaky_relu, 2.0, 0.25f, 0) == 2.0);
  CHECK(apply_unary(Unary::elu, -800.0, 0.5f, 0) == -0.5);
  CHECK(apply_unary(Unary::elu, 3.0, 0.5f, 0) == 3.0);
  CHECK(apply_unary(Unary::hard_sigmoid, 1.0, 0.25f, 0.5f) == 0.75);
  CHECK(apply_unary(Unary::hard_sigmoid, -9.0, 0.25f, 0.5f) == 0.0);
  CHECK(apply_unary(Unary::hard_sigmoid, 9.0, 0.25f, 0.5f) == 1.0);
  CHECK(apply_unary(Unary::softplus, 0.0, 0, 0) == std::log(2.0));
  CHECK(apply_unary(Unary::softplus, 800.0, 0, 0) == 800.0);
  CHECK(apply_unary(Unary::softplus, -800.0, 0, 0) == 0.0);
}

}  // namespace octet::test::graph_test
