// SPDX-License-Identifier: Apache-2.0
// QLinearMatMul, QGemm and QLinearAdd against their formulas, computed by hand in the same order.
#include <doctest/doctest.h>

#include <cmath>

#include "tests/tools/onnx_quantized.h"
#include "tools/convert/float_executor.h"

namespace octet::test::onnx_ops_qlinear_test {
namespace {

using onnx::TensorProto;

constexpr float kA = 0.0371f;
constexpr float kY = 0.093f;
const std::vector<float> kB{0.011f, 0.0217f};

std::uint8_t saturate(float x, int zero_point) {
  return static_cast<std::uint8_t>(
      std::clamp(std::nearbyint(x) + static_cast<float>(zero_point), 0.0f, 255.0f));
}

// Samples of three codes that reach far and near.
const std::vector<std::uint8_t> kCodes{0, 255, 130, 128, 127, 129, 255, 0, 3};

// a [N, 3] * b [3, 2] with the given zero point, and a bias of int32.
std::vector<std::uint8_t> multiplied(const std::vector<int>& b, int b_zero,
                                     const std::vector<std::int32_t>& bias) {
  std::vector<std::uint8_t> result;
  for (std::size_t row = 0; row < 3; ++row) {
    for (std::size_t n = 0; n < 2; ++n) {
      std::int32_t sum = bias[n];
      for (std::size_t k = 0; k < 3; ++k)
        sum += (kCodes[row * 3 + k] - 128) * (b[k * 2 + n] - b_zero);
      result.push_back(saturate(static_cast<float>(sum) * (kA * kB[n] / kY), 120));
    }
  }
  return result;
}

OnnxBuilder operands() {
  OnnxBuilder builder;
  builder.input("a", {-1, 3}, TensorProto::UINT8).output("y");
  builder.floats("as", {}, {kA}).u8("az", {}, {128});
  builder.floats("bs", {2}, kB).floats("ys", {}, {kY}).u8("yz", {}, {120});
  return builder;
}

std::vector<std::uint8_t> run_codes(const OnnxBuilder& builder) {
  return values_of<std::uint8_t>(
      run_lowered(lower_onnx(builder).lowered.graph, {bytes_of(kCodes)}, 3)[0]);
}

}  // namespace

TEST_CASE("qlinear_matmul: per column, weights of either sign, zero points of any value") {
  const std::vector<int> s8{-128, 127, 3, -4, 5, 90};
  OnnxBuilder with_s8 = operands();
  with_s8.s8("b", {3, 2}, s8).s8("bz", {2}, {0, 0});
  with_s8.node("QLinearMatMul", {"a", "as", "az", "b", "bs", "bz", "ys", "yz"}, {"y"});
  CHECK(run_codes(with_s8) == multiplied(s8, 0, {0, 0}));
  for (const int zero : {0, 1, 114, 128, 255}) {
    const std::vector<int> u8{0, 255, 3, 200, 5, 90};
    OnnxBuilder with_u8 = operands();
    with_u8.u8("b", {3, 2}, u8).u8("bz", {2}, {zero, zero});
    with_u8.node("QLinearMatMul", {"a", "as", "az", "b", "bs", "bz", "ys", "yz"}, {"y"});
    CHECK(run_codes(with_u8) == multiplied(u8, zero, {0, 0}));
  }
}

TEST_CASE("qlinear_matmul: equal matrices of a batch are one, different ones are refused") {
  OnnxBuilder equal = operands();
  equal.model.mutable_graph()
      ->mutable_input(0)
      ->mutable_type()
      ->mutable_tensor_type()
      ->clear_shape();
  equal.model.mutable_graph()->mutable_input()->RemoveLast();
  equal.input("a", {3, 1, 3}, TensorProto::UINT8);
  equal.s8("b", {3, 3, 2}, {1, 2, 3, 4, 5, 6, 1, 2, 3, 4, 5, 6, 1, 2, 3, 4, 5, 6})
      .s8("bz", {2}, {0, 0});
  equal.node("QLinearMatMul", {"a", "as", "az", "b", "bs", "bz", "ys", "yz"}, {"y"}, {}, "mul");
  CHECK(run_codes(equal) == multiplied({1, 2, 3, 4, 5, 6}, 0, {0, 0}));
  equal.model.mutable_graph()->mutable_initializer(5)->set_int32_data(17, 7);
  check(equal.failure(), Error::Code::unsupported,
        "node 0 'mul' (QLinearMatMul): its b [3, 3, 2] holds different matrices");
  OnnxBuilder repeated = operands();
  repeated.s8("b", {1, 3, 2}, {1, 2, 3, 4, 5, 6}).s8("bz", {2}, {0, 0});
  repeated.node("QLinearMatMul", {"a", "as", "az", "b", "bs", "bz", "ys", "yz"}, {"y"}, {}, "mul");
  check(repeated.failure(), Error::Code::unsupported,
        "node 0 'mul' (QLinearMatMul): its b [1, 3, 2] would repeat the activation [N, 3]");
}

TEST_CASE("qgemm: transposed or not, with a bias, alpha, and floats out") {
  const std::vector<int> b{-128, 127, 3, -4, 5, 90};
  OnnxBuilder plain = operands();
  plain.s8("b", {3, 2}, b).s8("bz", {2}, {0, 0}).s32("c", {2}, {1000, -77});
  plain.microsoft("QGemm", {"a", "as", "az", "b", "bs", "bz", "c", "ys", "yz"}, {"y"});
  CHECK(run_codes(plain) == multiplied(b, 0, {1000, -77}));

  OnnxBuilder turned = operands();
  turned.s8("b", {2, 3}, {-128, 3, 5, 127, -4, 90}).s8("bz", {2}, {0, 0});
  turned.microsoft("QGemm", {"a", "as", "az", "b", "bs", "bz", "", "ys", "yz"}, {"y"},
                   {attribute("transB", 1)});
  CHECK(run_codes(turned) == multiplied(b, 0, {0, 0}));

  OnnxBuilder reals = operands();
  reals.s8("b", {3, 2}, b).s8("bz", {2}, {0, 0});
  reals.microsoft("QGemm", {"a", "as", "az", "b", "bs", "bz"}, {"y"}, {attribute("alpha", 0.5f)});
  const auto out =
      values_of<float>(run_lowered(lower_onnx(reals).lowered.graph, {bytes_of(kCodes)}, 3)[0]);
  CHECK(out[0] == static_cast<float>(128 * 128 + 3 * 127 + 5 * 2) * (kA * (0.5f * kB[0])));

  OnnxBuilder column = operands();
  column.s8("b", {3, 2}, b).s8("bz", {2}, {0, 0}).s32("c", {2, 1}, {1000, -77});
  column.microsoft("QGemm", {"a", "as", "az", "b", "bs", "bz", "c", "ys", "yz"}, {"y"});
  check(column.failure(), Error::Code::unsupported,
        "its C of shape [2, 1] gives each sample of the batch its own bias; octet takes a scalar, "
        "[2] or [1, 2]");
}

TEST_CASE("qlinear_add: a constant on either side, in the order of the formula") {
  constexpr float kC = 0.0219f;
  const std::vector<int> c{0, 255, 77};
  for (const bool first : {false, true}) {
    OnnxBuilder builder = operands();
    builder.floats("cs", {}, {kC}).u8("cz", {}, {55}).u8("c", {3}, c);
    const std::vector<std::string> a{"a", "as", "az"};
    std::vector<std::string> inputs{"c", "cs", "cz"};
    inputs.insert(first ? inputs.end() : inputs.begin(), a.begin(), a.end());
    inputs.insert(inputs.end(), {"ys", "yz"});
    builder.microsoft("QLinearAdd", inputs, {"y"});
    const float ra = kA / kY;
    const float rc = kC / kY;
    const float offset = first ? 120 - (rc * 55 + ra * 128) : 120 - (ra * 128 + rc * 55);
    std::vector<std::uint8_t> expected;
    for (std::size_t i = 0; i < kCodes.size(); ++i) {
      const float x = ra * static_cast<float>(kCodes[i]);
      const float y = rc * static_cast<float>(c[i % 3]);
      expected.push_back(saturate(first ? y + (x + offset) : x + (y + offset), 0));
    }
    CHECK(run_codes(builder) == expected);
  }
}

TEST_CASE("qlinear_add: a constant is broadcast over any of a sample's dimensions") {
  const std::vector<std::vector<std::int64_t>> shapes{
      {}, {1}, {2}, {4, 1}, {1, 2}, {3, 1, 1}, {3, 1, 2}, {1, 4, 2}, {1, 3, 4, 1}, {3, 4, 2}};
  for (const std::vector<std::int64_t>& shape : shapes) {
    const auto from_end = [&](std::size_t i) {
      return i < shape.size() ? static_cast<std::size_t>(shape[shape.size() - 1 - i]) : 1;
    };
    std::vector<int> c(from_end(0) * from_end(1) * from_end(2));
    for (std::size_t i = 0; i < c.size(); ++i) c[i] = static_cast<int>(i * i % 90);
    OnnxBuilder builder;
    builder.input("a", {-1, 3, 4, 2}, TensorProto::UINT8).output("y").floats("one", {}, {1});
    builder.u8("zero", {}, {0}).u8("c", shape, c);
    builder.microsoft("QLinearAdd", {"a", "one", "zero", "c", "one", "zero", "one", "zero"}, {"y"});
    std::vector<std::uint8_t> a(24), expected;
    for (std::size_t i = 0; i < a.size(); ++i) {
      a[i] = static_cast<std::uint8_t>(i * 5);
      const std::size_t z = from_end(2) == 1 ? 0 : i / 8;
      const std::size_t y = from_end(1) == 1 ? 0 : i / 2 % 4;
      const std::size_t x = from_end(0) == 1 ? 0 : i % 2;
      const int value = c[(z * from_end(1) + y) * from_end(0) + x];
      expected.push_back(static_cast<std::uint8_t>(a[i] + value));
    }
    CAPTURE(shape.size());
    CAPTURE(c.size());
    const auto out = run_lowered(lower_onnx(builder).lowered.graph, {bytes_of(a)}, 1);
    CHECK(values_of<std::uint8_t>(out[0]) == expected);
  }
}

TEST_CASE("qlinear_add: the float executor obeys a Relu that was joined to it") {
  OnnxBuilder builder = operands();
  builder.model.mutable_graph()->mutable_input()->RemoveLast();
  builder.input("x", {-1, 3})
      .floats("cs", {}, {0.5f})
      .u8("cz", {}, {100})
      .u8("c", {3}, {0, 99, 255});
  builder.node("QuantizeLinear", {"x", "as", "az"}, {"a"});
  builder.microsoft("QLinearAdd", {"a", "as", "az", "c", "cs", "cz", "ys", "yz"}, {"s"});
  builder.node("DequantizeLinear", {"s", "ys", "yz"}, {"f"}).node("Relu", {"f"}, {"y"});
  const LoweredOnnx model = lower_onnx(builder);
  const std::vector<float> x{1, -2, 3};
  convert::FloatExecutor executor(model.graph);
  const std::vector<std::span<const float>> inputs{x};
  const auto reals = executor.run(inputs, 1)[0];
  const auto out = values_of<float>(run_lowered(model.lowered.graph, {bytes_of(x)}, 1)[0]);
  REQUIRE(reals.size() == out.size());
  CHECK(reals[0] == 0);
  for (std::size_t i = 0; i < out.size(); ++i) CHECK(std::abs(reals[i] - out[i]) <= kY);
}

TEST_CASE("qlinear_add: two activations; shapes that do not fit are refused") {
  OnnxBuilder builder = operands();
  builder.input("b", {-1, 3}, TensorProto::UINT8);
  builder.microsoft("QLinearAdd", {"a", "as", "az", "b", "as", "az", "ys", "yz"}, {"y"});
  const auto model = lower_onnx(builder);
  CHECK(model.ops() == std::vector{engine::OpType::add});
  const auto out = run_lowered(model.lowered.graph, {bytes_of(kCodes), bytes_of(kCodes)}, 3);
  const float r = kA / kY;
  const float offset = 120 - (r * 128 + r * 128);
  std::vector<std::uint8_t> expected;
  for (const std::uint8_t code : kCodes) {
    const float x = r * static_cast<float>(code);
    expected.push_back(saturate(x + (x + offset), 0));
  }
  CHECK(values_of<std::uint8_t>(out[0]) == expected);

  OnnxBuilder wrong = operands();
  wrong.u8("c", {2}, {1, 2});
  wrong.microsoft("QLinearAdd", {"a", "as", "az", "c", "as", "az", "ys", "yz"}, {"y"});
  check(wrong.failure(), Error::Code::unsupported,
        "its constant 'c' [2] is not one sample of its activation [N, 3], the same for all");
  OnnxBuilder deep = operands();
  deep.u8("c", {1, 1, 3}, {1, 2, 3});
  deep.microsoft("QLinearAdd", {"a", "as", "az", "c", "as", "az", "ys", "yz"}, {"y"});
  check(deep.failure(), Error::Code::unsupported,
        "its constant 'c' [1, 1, 3] is not one sample of its activation [N, 3]");
  OnnxBuilder absent = operands();
  absent.u8("c", {3}, {1, 2, 3});
  absent.microsoft("QLinearAdd", {"", "as", "az", "c", "as", "az", "ys", "yz"}, {"y"})
      .node("Relu", {"y"}, {"r"});
  check(absent.failure(), Error::Code::format, "(QLinearAdd): has no first input");
}

TEST_CASE("operators on codes: two that disagree about a tensor's scale are both obeyed") {
  OnnxBuilder builder = operands();
  builder.floats("ds", {}, {0.5f}).u8("dz", {}, {100});
  builder.microsoft("QLinearAdd", {"a", "as", "az", "a", "as", "az", "ys", "yz"}, {"q"});
  builder.node("DequantizeLinear", {"q", "ds", "dz"}, {"y"});
  builder.output("q");
  const auto out = run_lowered(lower_onnx(builder).lowered.graph, {bytes_of(kCodes)}, 3);
  const auto codes = values_of<std::uint8_t>(out[1]);
  const auto reals = values_of<float>(out[0]);
  for (std::size_t i = 0; i < codes.size(); ++i) {
    CHECK(reals[i] == 0.5f * static_cast<float>(codes[i] - 100));
  }
}

}  // namespace octet::test::onnx_ops_qlinear_test
