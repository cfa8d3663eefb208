// SPDX-License-Identifier: Apache-2.0
#include "tools/convert/graph.h"

#include <doctest/doctest.h>

#include <cmath>
#include <string>

namespace octet::test::graph_test {

using octet::convert::apply_unary;
using octet::convert::Node;
using octet::convert::Op;
using octet::convert::op_name;
using octet::convert::sample_elements;
using octet::convert::Unary;

TEST_CASE("graph: a unary node is called by its function") {
  Node node;
  CHECK(std::string(op_name(node)) == "linear");
  node.op = Op::log_softmax;
  CHECK(std::string(op_name(node)) == "log_softmax");
  node.op = Op::unary;
  CHECK(std::string(op_name(node)) == "sigmoid");
  node.function = Unary::softplus;
  CHECK(std::string(op_name(node)) == "softplus");
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
