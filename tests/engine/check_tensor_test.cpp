// SPDX-License-Identifier: Apache-2.0
#include "tests/engine/graph_faults.h"

namespace octet::test::check_tensor_test {

using namespace engine;

TEST_CASE("faults of tensors") {
  const std::string activation =
      ": 1 to 8 extents, the first of them the batch, the others at least 1, at most 2^40 bytes per"
      " sample";
  check_faults({
      {[](auto& b) { b.tensor("h1").name = std::string("a\nb"); },
       "tensor 6: its name is not UTF-8 without control characters"},
      {[](auto& b) { b.tensor("h1").name = std::string(1025, 'x'); },
       "tensor 6: its name has 1025 bytes, at most 1024 are allowed"},
      {[](auto& b) { b.tensor("h1").dtype = static_cast<DType>(4); },
       "unsupported: net.octet: tensor 6 'h1': has dtype 4, this octet knows 0 to 3; update octet"},
      {[](auto& b) { b.tensor("h1").scale = 0; },
       "tensor 6 'h1': scale 0 is not a positive, normal number"},
      {[](auto& b) { b.tensor("h1").scale = -0.5f; },
       "tensor 6 'h1': scale -0.5 is not a positive, normal number"},
      {[](auto& b) { b.tensor("h1").scale = kDenormal; },
       "tensor 6 'h1': scale 1e-40 is not a positive, normal number"},
      {[](auto& b) { b.tensor("h1").scale = kInfinity; },
       "tensor 6 'h1': scale inf is not a positive, normal number"},
      {[](auto& b) { b.tensor("h1").scale = kNaN; },
       "tensor 6 'h1': scale nan is not a positive, normal number"},
      {[](auto& b) { b.tensor("h1").zero_point = -1; },
       "tensor 6 'h1': zero point -1 is outside 0 to 255"},
      {[](auto& b) { b.tensor("h2").zero_point = 128; },
       "tensor 7 'h2': zero point 128 is outside -128 to 127"},
      {[](auto& b) { b.tensor("x").scale = 1; },
       "tensor 1 'x': scale 1 and zero point 0 belong to 8-bit tensors only, here they must be"
       " 0"},
      {[](auto& b) { b.tensor("fc1.weight").zero_point = 1; },
       "tensor 3 'fc1.weight': scale 0 and zero point 1 belong to 8-bit tensors only, here they"
       " must be 0"},
      {[](auto& b) { b.tensor("x").dtype = DType::s32; }, "tensor 1 'x': an input cannot be s32"},
      {[&](auto& b) {
         b.tensor("x").shape = {2, 2};
       },
       "tensor 1 'x': an activation cannot have shape 2x2" + activation},
      {[&](auto& b) {
         b.tensor("x").shape = {-1, -1};
       },
       "tensor 1 'x': an activation cannot have shape NxN" + activation},
      {[&](auto& b) { b.tensor("x").shape = {}; },
       "tensor 1 'x': an activation cannot have shape scalar" + activation},
      {[&](auto& b) { b.tensor("x").shape = {-1, 1, 1, 1, 1, 1, 1, 1, 2}; },
       "tensor 1 'x': an activation cannot have shape of rank 9" + activation},
      {[&](auto& b) {
         b.tensor("x").shape = {-1, 2147483647, 2147483647, 2147483647};
       },
       "tensor 1 'x': an activation cannot have shape Nx2147483647x2147483647x2147483647" +
           activation},
      {[](auto& b) { b.tensor("x").data = b.bytes(8); },
       "tensor 1 'x': an activation cannot have data"},
      {[](auto& b) { b.tensor("fc1.bias").shape = {5}; },
       "tensor 5 'fc1.bias': has 16 bytes of data, shape 5 of s32 needs 20"},
      {[](auto& b) {
         b.tensor("fc1.bias").shape = {4, 0};
       },
       "tensor 5 'fc1.bias': a constant cannot have shape 4x0: 1 to 8 extents of at least 1, at "
       "most"
       " 2^40 bytes in all"},
      {[](auto& b) { b.set("mix.weight", 3, kNaN); },
       "tensor 22 'mix.weight': element 3 is NaN or infinite"},
      {[](auto& b) { b.set("norm.shift", 1, -kInfinity); },
       "tensor 18 'norm.shift': element 1 is NaN or infinite"},
  });
}

}  // namespace octet::test::check_tensor_test
