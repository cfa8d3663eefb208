// SPDX-License-Identifier: Apache-2.0
// Operators on codes that are wrong or beyond octet: each says which operand and why.
#include <doctest/doctest.h>

#include <limits>

#include "tests/tools/onnx_quantized.h"

namespace octet::test::onnx_quantized_faults_test {
namespace {

using onnx::TensorProto;

constexpr auto kFormat = Error::Code::format;
constexpr auto kUnsupported = Error::Code::unsupported;

// One operator, good but for a change of its operands.
class Operator {
 public:
  Operator(const char* op, std::vector<std::string> inputs, bool is_microsoft)
      : op_(op), inputs_(std::move(inputs)), is_microsoft_(is_microsoft) {
    builder_.input("a", {-1, 3}, TensorProto::UINT8).input("x", {-1, 3}).output("y");
    builder_.floats("as", {}, {0.5f}).u8("az", {}, {128});
    builder_.s8("b", {3, 2}, {1, -2, 3, -4, 5, -6}).floats("bs", {2}, {0.5f, 0.25f});
    builder_.s8("bz", {2}, {0, 0}).floats("ys", {}, {2}).u8("yz", {}, {120});
    // What may take the place of one of them.
    builder_.s8("s8", {}, {0}).s32("s32", {}, {0}).floats("f32", {}, {1}).floats("none", {0}, {});
    builder_.floats("three", {3}, {1, 2, 3}).floats("table", {1, 1}, {1}).s8("one", {1}, {0});
    builder_.initializer(typed_tensor("s16", TensorProto::INT16, {}, {0}));
  }
  Operator with(std::size_t input, const std::string& name) const {
    Operator changed = *this;
    changed.inputs_[input] = name;
    return changed;
  }
  template <class Change>
  Operator after(Change change) const {
    Operator changed = *this;
    change(changed.builder_);
    return changed;
  }
  Operator attributes(std::vector<onnx::AttributeProto> attributes) const {
    Operator changed = *this;
    changed.attributes_ = std::move(attributes);
    return changed;
  }
  void fails(Error::Code code, const std::string& text) const {
    CAPTURE(text);
    check(built().failure(), code, "(" + op_ + "): " + text);
  }
  convert::Graph import() const { return built().import(); }
  OnnxBuilder built() const {
    OnnxBuilder builder = builder_;
    if (is_microsoft_) {
      builder.microsoft(op_, inputs_, {"y"}, attributes_);
    } else {
      builder.node(op_, inputs_, {"y"}, attributes_);
    }
    return builder;
  }

 private:
  std::string op_;
  std::vector<std::string> inputs_;
  bool is_microsoft_;
  std::vector<onnx::AttributeProto> attributes_;
  OnnxBuilder builder_;
};

const std::vector<std::string> kProduct{"a", "as", "az", "b", "bs", "bz", "ys", "yz"};

}  // namespace

TEST_CASE("qlinear_matmul: faults of operands, scales and zero points") {
  const Operator matmul("QLinearMatMul", kProduct, false);
  CHECK(matmul.import().nodes.size() == 3);
  matmul.with(0, "b").fails(kUnsupported, "all its inputs are constants");
  matmul.with(3, "a").fails(kUnsupported, "octet multiplies an activation a by a constant b only");
  matmul.with(0, "x").fails(kFormat, "its a is float");
  matmul.with(2, "s8").fails(kFormat, "its a and the zero point of it have different types");
  matmul.with(2, "s16").fails(kUnsupported, "it quantizes to int16, octet computes with 8 bits");
  matmul.with(2, "f32").fails(kUnsupported, "it quantizes to float, octet computes with 8 bits");
  matmul.with(7, "s32").fails(kUnsupported, "it quantizes to int32, octet computes with 8 bits");
  matmul.with(1, "s8").fails(kFormat, "its scale 's8' [] is neither a float nor a list of floats");
  matmul.with(1, "table").fails(kFormat, "its scale 'table' [1, 1] is neither");
  matmul.with(1, "none").fails(kFormat, "its scale 'none' [0] is neither");
  matmul.with(1, "bs").fails(kFormat, "its scale has 2 entries, its zero point 1");
  matmul.with(1, "bs").with(2, "bz").fails(kUnsupported, "an activation has 2 scales");
  matmul.with(1, "y").fails(kFormat, "");  // made by itself
  matmul.with(4, "three").fails(kFormat, "its scale has 3 entries, its zero point 2");
  matmul.with(5, "one").fails(kFormat, "its scale has 2 entries, its zero point 1");
  matmul.with(5, "yz").with(4, "as").fails(kFormat,
                                           "its b and the zero point of it have different");
  matmul.after([](auto& b) {
          b.s8("three_zeros", {3}, {0, 0, 0});
        })
      .with(4, "three")
      .with(5, "three_zeros")
      .fails(kFormat, "its b [3, 2] has 3 scales or zero points along axis 1");
  matmul.after([](auto& b) {
          b.s32("words", {3, 2}, {1, 2, 3, 4, 5, 6});
        })
      .with(3, "words")
      .fails(kFormat, "its b is int32, neither uint8 nor int8");
  matmul.after([](auto& b) {
          b.s8("vector", {3}, {1, 2, 3});
        })
      .with(3, "vector")
      .fails(kUnsupported, "its b has the shape [3]; octet takes a matrix of integers [K, N]");
  matmul.after([](auto& b) {
          b.s8("tall", {4, 2}, {1, 2, 3, 4, 5, 6, 7, 8});
        })
      .with(3, "tall")
      .fails(kFormat, "its a is [N, 3], its b takes 4 columns");
}

TEST_CASE("qgemm: faults of B, C and alpha") {
  const std::vector<std::string> inputs{"a", "as", "az", "b", "bs", "bz", "", "ys", "yz"};
  const Operator gemm("QGemm", inputs, true);
  CHECK(gemm.import().nodes.size() == 3);
  gemm.with(6, "bs").fails(kFormat, "its C 'bs' is float, not int32");
  gemm.with(6, "bz").fails(kFormat, "its C 'bz' is int8, not int32");
  gemm.after([](auto& b) { b.s32("c", {3}, {1, 2, 3}); }).with(6, "c").fails(kFormat, "");
  gemm.after([](auto& b) {
        b.s8("deep", {1, 3, 2}, {1, 2, 3, 4, 5, 6});
      })
      .with(3, "deep")
      .fails(kFormat, "its B has the shape [1, 3, 2], not rank 2 with elements");
  gemm.after([](auto& b) {
        b.s8("empty", {0, 2}, {});
      })
      .with(3, "empty")
      .fails(kFormat, "its B has the shape [0, 2], not rank 2 with elements");
  for (const float alpha : {0.0f, -1.0f, std::numeric_limits<float>::infinity()}) {
    gemm.attributes({attribute("alpha", alpha)}).fails(kUnsupported, "alpha is ");
  }
  gemm.attributes({attribute("alpha", 1e-38f)})
      .fails(kUnsupported, "its alpha 1e-38 brings a scale of its weights to ");
  gemm.attributes({attribute("alpha", 3e38f)})
      .after([](auto& b) {
        b.floats("large", {2}, {4, 4});
      })
      .with(4, "large")
      .fails(kUnsupported, "its alpha 3e+38 brings a scale of its weights to inf");
}

TEST_CASE("qlinear_add: faults of its two operands") {
  const std::vector<std::string> inputs{"a", "as", "az", "a", "as", "az", "ys", "yz"};
  const Operator add("QLinearAdd", inputs, true);
  CHECK(add.import().nodes.size() == 4);
  add.with(0, "x").fails(kFormat, "its A is float");
  add.with(3, "x").fails(kFormat, "its B is float");
  add.after([](auto& b) {
       b.input("wide", {-1, 2, 3}, TensorProto::UINT8);
     })
      .with(3, "wide")
      .fails(kUnsupported, "it adds activations of shapes [N, 3] and [N, 2, 3]; octet adds equal");
  add.with(3, "three").fails(kFormat, "its constant 'three' is float, neither uint8 nor int8");
  add.with(3, "s32").fails(kFormat, "its constant 's32' is int32, neither uint8 nor int8");
  add.with(3, "one").fails(kFormat, "a constant and its zero point have different types");
  add.with(0, "one").fails(kFormat, "a constant and its zero point have different types");
}

TEST_CASE("weights of more than 8 bits are multiplied as floats") {
  OnnxBuilder builder;
  builder.input("x", {-1, 2}).output("y").floats("s", {}, {0.5f}).u8("z", {}, {128});
  builder.node("QuantizeLinear", {"x", "s", "z"}, {"q"});
  builder.node("DequantizeLinear", {"q", "s", "z"}, {"a"});
  builder.s32("w32", {2, 1}, {1000, -3}).node("DequantizeLinear", {"w32", "s"}, {"w"});
  builder.node("MatMul", {"a", "w"}, {"y"});
  const LoweredOnnx lowered = lower_onnx(builder);
  const auto y = values_of<float>(
      run_lowered(lowered.lowered.graph, {bytes_of(std::vector<float>{1.5f, 4})}, 1)[0]);
  CHECK(y == std::vector<float>{1.5f * 500 - 4 * 1.5f});
}

}  // namespace octet::test::onnx_quantized_faults_test
