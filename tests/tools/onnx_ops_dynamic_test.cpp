// SPDX-License-Identifier: Apache-2.0
// MatMulInteger, DynamicQuantizeMatMul, and DynamicQuantizeLinear with what makes them one: against
// their formulas, and what is refused.
#include <doctest/doctest.h>

#include <cmath>

#include "tests/tools/onnx_quantized.h"
#include "tools/convert/float_executor.h"

namespace octet::test::onnx_ops_dynamic_test {
namespace {

using engine::OpType;
using onnx::TensorProto;
using Ops = std::vector<OpType>;

const std::vector<int> kCodes{1, -2, 3, -4, 50, -60};  // b [3, 2]
const Floats kScales{0.5f, 0.25f};
const Floats kX{1.5f, -0.5f, 4.6f, 0, 0, 0, -7, 2, 100};  // three samples

// DynamicQuantizeMatMul of each row of kX.
Floats multiplied(const std::vector<int>& b, int b_zero, const Floats& bias) {
  Floats result;
  for (std::size_t row = 0; row < 3; ++row) {
    const float* x = kX.data() + row * 3;
    const float least = std::min({x[0], x[1], x[2], 0.0f});
    const float largest = std::max({x[0], x[1], x[2], 0.0f});
    const float scale = least == largest ? 1 : (largest - least) / 255;
    const float zero = std::nearbyint(-least / scale);
    for (std::size_t n = 0; n < 2; ++n) {
      float sum = 0;
      for (std::size_t k = 0; k < 3; ++k) {
        const float code = std::min(std::nearbyint(x[k] / scale) + zero, 255.0f);
        sum += (code - zero) * static_cast<float>(b[k * 2 + n] - b_zero);
      }
      const float mult = scale * kScales[n];
      const float product = sum * mult;
      result.push_back(product + bias[n]);
    }
  }
  return result;
}

// x -> y by b, whose operands are there: bs, and of s8 bz 0.
OnnxBuilder operands(Ints dims = {-1, 3}) {
  OnnxBuilder builder;
  builder.input("x", dims).output("y").floats("bs", {2}, kScales).floats("bias", {2}, {7, -0.25f});
  builder.s8("b", {3, 2}, kCodes).s8("bz", {2}, {0, 0});
  return builder;
}

// As ONNX Runtime's quantize_dynamic writes it; swap: the operands of the products.
OnnxBuilder spelled_out(bool swap = false) {
  OnnxBuilder builder = operands();
  builder.node("DynamicQuantizeLinear", {"x"}, {"q", "s", "z"});
  builder.node("MatMulInteger", {"q", "b", "z", "bz"}, {"sums"}, {}, "fc1");
  builder.node("Cast", {"sums"}, {"floats"}, {attribute("to", int{TensorProto::FLOAT})});
  const auto pair = [&](const char* a, const char* b) {
    return swap ? std::vector<std::string>{b, a} : std::vector<std::string>{a, b};
  };
  builder.node("Mul", pair("s", "bs"), {"scales"});
  builder.node("Mul", pair("floats", "scales"), {"y"});
  return builder;
}

Floats run_floats(const OnnxBuilder& builder, const Ops& ops = {OpType::dynamic_linear}) {
  const LoweredOnnx lowered = lower_onnx(builder);
  CHECK(lowered.ops() == ops);
  return values_of<float>(run_lowered(lowered.lowered.graph, {bytes_of(kX)}, 3)[0]);
}

onnx::NodeProto& node_of(OnnxBuilder& builder, int index) {
  return *builder.model.mutable_graph()->mutable_node(index);
}

}  // namespace

TEST_CASE("dynamic_quantize_matmul: per column, with and without bias and zero points") {
  OnnxBuilder plain = operands();
  plain.microsoft("DynamicQuantizeMatMul", {"x", "b", "bs"}, {"y"});
  CHECK(run_floats(plain) == multiplied(kCodes, 0, {0, 0}));
  OnnxBuilder biased = operands();
  biased.microsoft("DynamicQuantizeMatMul", {"x", "b", "bs", "bz", "bias"}, {"y"});
  CHECK(run_floats(biased) == multiplied(kCodes, 0, {7, -0.25f}));
  for (const int zero : {0, 3, 128, 255}) {
    const std::vector<int> u8{0, 255, 3, 200, 5, 90};
    OnnxBuilder shifted = operands();
    shifted.u8("b8", {3, 2}, u8).u8("bz8", {2}, {zero, zero});
    shifted.microsoft("DynamicQuantizeMatMul", {"x", "b8", "bs", "bz8"}, {"y"});
    const bool fits = zero == 128;
    CHECK(run_floats(shifted, fits ? Ops{OpType::dynamic_linear}
                                   : Ops{OpType::concat, OpType::dynamic_linear}) ==
          multiplied(u8, zero, {0, 0}));
  }
}

TEST_CASE("dynamic quantization spelled out is one linear, operands in either order") {
  for (const bool swap : {false, true}) {
    OnnxBuilder builder = spelled_out(swap);
    CHECK(run_floats(builder) == multiplied(kCodes, 0, {0, 0}));
    const LoweredOnnx lowered = lower_onnx(builder);
    CHECK(lowered.lowered.graph.nodes[0].name == "fc1");
    CHECK(lowered.notes("(DynamicQuantizeMatMul): each sample is quantized by its own range"));
  }
  // Bias and ReLU behind it go into the linear.
  OnnxBuilder relu = spelled_out();
  node_of(relu, 4).set_output(0, "product");
  relu.node("Add", {"product", "bias"}, {"sum"}).node("Relu", {"sum"}, {"y"});
  Floats want = multiplied(kCodes, 0, {7, -0.25f});
  for (float& y : want) y = std::max(y, 0.0f);
  CHECK(run_floats(relu) == want);
  // ONNX Runtime's own name for it.
  OnnxBuilder runtime = operands();
  runtime.node("DynamicQuantizeLinear", {"x"}, {"q", "s", "z"});
  runtime.microsoft("MatMulIntegerToFloat", {"q", "b", "s", "bs", "z", "bz", "bias"}, {"y"});
  CHECK(run_floats(runtime) == multiplied(kCodes, 0, {7, -0.25f}));
}

TEST_CASE("scales and zero points of a product may be one or one per column, each on its own") {
  const std::vector<int> b{0, 255, 3, 200, 5, 90};
  const auto run = [&](const Ints& scale_dims, const Floats& scale, const Ints& zero_dims,
                       const std::vector<int>& zero) {
    OnnxBuilder builder = spelled_out();
    builder.u8("b8", {3, 2}, b).u8("bz8", zero_dims, zero).floats("scale", scale_dims, scale);
    node_of(builder, 1).set_input(1, "b8");
    node_of(builder, 1).set_input(3, "bz8");
    node_of(builder, 3).set_input(1, "scale");
    return run_floats(builder, lower_onnx(builder).ops());
  };
  const Floats want = multiplied(b, 128, {0, 0});
  CHECK(run({2}, kScales, {}, {128}) == want);
  CHECK(run({1, 2}, kScales, {1}, {128}) == want);
  CHECK(run({2}, kScales, {2}, {128, 128}) == want);
  CHECK(run({}, {0.5f}, {2}, {128, 128})[0] == want[0]);
}

TEST_CASE("dynamic quantization of rows: the range is that of the sample") {
  OnnxBuilder builder = operands({1, 3, 3});
  builder.microsoft("DynamicQuantizeMatMul", {"x", "b", "bs"}, {"y"});
  const LoweredOnnx lowered = lower_onnx(builder);
  CHECK_FALSE(lowered.notes("range"));  // of batch 1: ONNX's own
  CHECK(lowered.lowered.graph.nodes[0].axis == 1);
  const auto y = values_of<float>(run_lowered(lowered.lowered.graph, {bytes_of(kX)}, 1)[0]);
  // [-7, 100]: the first row's 1.5 has 4 steps of 107 / 255.
  const float scale = 107.0f / 255;
  CHECK(y[0] == ((4 * 1) + (-1 * 3) + (11 * 50)) * (scale * 0.5f));
}

TEST_CASE("products that are not all of the pattern keep their own error") {
  OnnxBuilder codes = spelled_out();
  node_of(codes, 1).set_input(2, "other");
  codes.u8("other", {}, {3});
  // The zero point is not that of the codes: the sums are of bare integers, the scale is no
  // constant.
  check(codes.failure(), Error::Code::unsupported, "(Mul): ");
  OnnxBuilder shown = spelled_out();
  shown.output("sums");
  check(shown.failure(), Error::Code::unsupported,
        "'fc1' (MatMulInteger): its zero point 'z' is computed from the network's input");
}

TEST_CASE("dynamic_quantize_linear: a batch that was exported is refused") {
  OnnxBuilder builder;
  builder.input("x", {4, 3}).output("q").node("DynamicQuantizeLinear", {"x"}, {"q", "s", "z"});
  check(builder.failure(), Error::Code::unsupported,
        "(DynamicQuantizeLinear): it quantizes by the range of all 4 samples of the batch");
}

TEST_CASE("what only looks like dynamic quantization does not bring the importer down") {
  const auto unsupported = Error::Code::unsupported;
  // A scale alone makes a quantized graph.
  OnnxBuilder scale;
  scale.input("x", {-1, 3}).output("s").node("DynamicQuantizeLinear", {"x"}, {"", "s", ""});
  CHECK(lower_onnx(scale).ops() == Ops{OpType::dynamic_scale});
  // Absent results and operands have no name in common.
  OnnxBuilder absent = operands();
  absent.node("DynamicQuantizeLinear", {"x"}, {"q", "s", ""});
  absent.microsoft("MatMulIntegerToFloat", {"q", "b", "s", "bs", "", "bz"}, {"y"});
  check(absent.failure(), unsupported, "(MatMulIntegerToFloat): ");
  // Scale and zero point of another quantizer, which are no constants.
  OnnxBuilder shared;
  shared.input("x", {-1, 3}).output("y").node("DynamicQuantizeLinear", {"x"}, {"q", "s", "z"});
  shared.node("QuantizeLinear", {"x", "s", "z"}, {"y"});
  check(shared.failure(), unsupported,
        "(QuantizeLinear): its scale 's' is computed from the network's input");
  OnnxBuilder nothing = operands();
  nothing.node("QuantizeLinear", {"x", "bs", "bz"}, {}).node("Relu", {"x"}, {"y"});
  CHECK(nothing.import().nodes.size() == 1);
}

TEST_CASE("dynamic_quantize_linear: its results, alone or together, and in floats") {
  const auto build = [](const std::vector<std::string>& outputs) {
    OnnxBuilder builder;
    builder.input("x", {-1, 3}).node("DynamicQuantizeLinear", {"x"}, {"q", "s", "z"});
    for (const std::string& output : outputs) builder.output(output);
    return builder;
  };
  const LoweredOnnx all = lower_onnx(build({"z", "s", "q"}));
  const auto results = run_lowered(all.lowered.graph, {bytes_of(kX)}, 3);
  const Floats scales{(4.6f + 0.5f) / 255, 1, 107.0f / 255};
  const std::vector<std::uint8_t> zeros{25, 0, 17};
  CHECK(values_of<std::uint8_t>(results[0]) == zeros);
  CHECK(values_of<float>(results[1]) == scales);
  const std::vector<std::uint8_t> codes{100, 0, 255, 0, 0, 0, 0, 22, 255};
  CHECK(values_of<std::uint8_t>(results[2]) == codes);
  CHECK(lower_onnx(build({"q"})).ops() == Ops{OpType::dynamic_quantize});

  convert::FloatExecutor executor(all.graph);
  const std::span<const float> x(kX);
  const auto floats = executor.run(std::span(&x, 1), 3);
  CHECK(Floats(floats[0].begin(), floats[0].end()) == Floats{25, 0, 17});
  CHECK(Floats(floats[1].begin(), floats[1].end()) == scales);
  CHECK(Floats(floats[2].begin(), floats[2].end()) == Floats(codes.begin(), codes.end()));
}

TEST_CASE("dynamic_quantize_linear spelled out: each part must be as ONNX defines it") {
  const auto build = [](auto change) {
    OnnxBuilder builder;
    builder.input("x", {-1, 3}).output("q");
    builder.floats("zero", {}, {0}).floats("most", {}, {255}).floats("half", {}, {127});
    const auto whole = attribute("keepdims", 0);
    builder.node("ReduceMin", {"x"}, {"a"}, {whole}).node("Min", {"zero", "a"}, {"least"});
    builder.node("ReduceMax", {"x"}, {"b"}, {whole}).node("Max", {"b", "zero"}, {"largest"});
    builder.node("Sub", {"largest", "least"}, {"range"}).node("Div", {"range", "most"}, {"s"});
    builder.node("Div", {"least", "s"}, {"c"}).node("Sub", {"zero", "c"}, {"d"});
    builder.node("Clip", {"d", "zero", "most"}, {"e"}).node("Round", {"e"}, {"f"});
    builder.node("Cast", {"f"}, {"z"}, {attribute("to", int{TensorProto::UINT8})});
    builder.node("QuantizeLinear", {"x", "s", "z"}, {"q"});
    change(builder);
    return builder;
  };
  CHECK(lower_onnx(build([](auto&) {})).ops() == Ops{OpType::dynamic_quantize});
  const auto is_refused = [&](auto change) {
    check(build(change).failure(), Error::Code::unsupported, "cannot be imported");
  };
  is_refused([](auto& b) { node_of(b, 5).set_input(1, "half"); });     // another number of steps
  is_refused([](auto& b) { node_of(b, 8).set_input(2, "half"); });     // another clip
  is_refused([](auto& b) { node_of(b, 7).set_input(0, "half"); });     // another zero
  is_refused([](auto& b) { node_of(b, 1).set_input(0, "half"); });     // a range without zero
  is_refused([](auto& b) { node_of(b, 4).set_input(1, "largest"); });  // another range
  is_refused([](auto& b) { node_of(b, 6).set_input(0, "largest"); });  // another end of it
  is_refused([](auto& b) { node_of(b, 0).mutable_attribute(0)->set_i(1); });
  is_refused([](auto& b) { node_of(b, 0).clear_attribute(); });  // keeps dimensions
  is_refused([](auto& b) { node_of(b, 10).mutable_attribute(0)->set_i(TensorProto::INT8); });
}

TEST_CASE("matmul_integer: sums, as they are and as floats") {
  const std::vector<std::uint8_t> codes{0, 255, 130, 128, 127, 129};
  const auto build = [](const std::string& zero) {
    OnnxBuilder builder;
    builder.input("a", {-1, 3}, TensorProto::UINT8).s8("b", {3, 2}, kCodes).u8("az", {1}, {128});
    builder.node("MatMulInteger", {"a", "b", zero}, {"sums"});
    return builder;
  };
  const auto sums_of = [&](int zero) {
    std::vector<std::int32_t> sums;
    for (std::size_t i = 0; i < 4; ++i) {
      std::int32_t sum = 0;
      for (std::size_t k = 0; k < 3; ++k) {
        sum += (codes[i / 2 * 3 + k] - zero) * kCodes[k * 2 + i % 2];
      }
      sums.push_back(sum);
    }
    return sums;
  };
  const auto sums = build("az").output("sums");
  CHECK(lower_onnx(sums).ops() == Ops{OpType::linear});
  CHECK(values_of<std::int32_t>(
            run_lowered(lower_onnx(sums).lowered.graph, {bytes_of(codes)}, 2)[0]) == sums_of(128));
  OnnxBuilder floats = build("");
  floats.node("Cast", {"sums"}, {"y"}, {attribute("to", int{TensorProto::FLOAT})}).output("y");
  floats.node("Identity", {"sums"}, {"same"}).output("same").output("sums");
  const LoweredOnnx lowered = lower_onnx(floats);
  const auto results = run_lowered(lowered.lowered.graph, {bytes_of(codes)}, 2);
  const auto want = sums_of(0);
  CHECK(values_of<float>(results[0]) == Floats(want.begin(), want.end()));
  CHECK(values_of<std::int32_t>(results[1]) == want);
  CHECK(values_of<std::int32_t>(results[2]) == want);
}

TEST_CASE("matmul_integer: what is added to its sums is not rounded to an integer") {
  OnnxBuilder builder;
  builder.input("a", {-1, 3}, TensorProto::UINT8).s8("b", {3, 2}, kCodes).output("y");
  builder.node("MatMulInteger", {"a", "b"}, {"sums"});
  builder.node("Cast", {"sums"}, {"floats"}, {attribute("to", int{TensorProto::FLOAT})});
  builder.floats("part", {2}, {0.4f, 3e9f}).node("Add", {"floats", "part"}, {"y"});
  const std::vector<std::uint8_t> codes{1, 0, 0};
  const auto y =
      values_of<float>(run_lowered(lower_onnx(builder).lowered.graph, {bytes_of(codes)}, 1)[0]);
  CHECK(y == Floats{1.4f, 3e9f - 2});
}

TEST_CASE("matmul_integer: faults") {
  const auto fault = [](auto change, Error::Code code, const char* reason) {
    OnnxBuilder builder;
    builder.input("a", {-1, 3}, TensorProto::UINT8).s8("b", {3, 2}, kCodes).output("y");
    builder.u8("az", {}, {1}).s8("bz", {}, {0}).u8("three", {3}, {1, 2, 3});
    builder.node("MatMulInteger", {"a", "b", "az", "bz"}, {"y"});
    change(builder);
    check(builder.failure(), code, reason);
  };
  const auto unsupported = Error::Code::unsupported;
  const auto format = Error::Code::format;
  fault([](auto& b) { node_of(b, 0).set_input(2, "three"); }, unsupported,
        "a zero point for each row");
  fault([](auto& b) { node_of(b, 0).set_input(2, "bz"); }, format,
        "its operand is uint8, the zero point of it int8");
  fault([](auto& b) { node_of(b, 0).set_input(3, "az"); }, format,
        "its operand is int8, the zero point of it uint8");
  fault([](auto& b) { node_of(b, 0).set_input(1, "a"); }, unsupported, "octet needs a constant");
  fault([](auto& b) { node_of(b, 0).set_input(0, "b"); }, unsupported,
        "all its inputs are constants");
  fault(
      [](auto& b) {
        b.floats("f", {3, 2}, {1, 2, 3, 4, 5, 6}), node_of(b, 0).set_input(1, "f");
      },
      unsupported, "octet takes a matrix of integers");
  fault(
      [](auto& b) {
        b.s8("wide", {3}, {1, 2, 3}), node_of(b, 0).set_input(3, "wide");
      },
      format, "its b [3, 2] has 3 scales or zero points along axis 1");
  fault(
      [](auto& b) {
        b.s8("tall", {4, 2}, {1, 2, 3, 4, 5, 6, 7, 8}), node_of(b, 0).set_input(1, "tall");
      },
      format, "its b takes 4 columns");
  fault(
      [](auto& b) {
        node_of(b, 0).set_output(0, "sums");
        b.node("Relu", {"sums"}, {"y"});
      },
      unsupported, "(Relu): its input 'sums' is int32, the sums of a MatMulInteger");
  OnnxBuilder reals;
  reals.input("a", {-1, 3})
      .s8("b", {3, 2}, kCodes)
      .output("y")
      .node("MatMulInteger", {"a", "b"}, {"y"});
  check(reals.failure(), format, "its A is no tensor of uint8 or int8");
}

}  // namespace octet::test::onnx_ops_dynamic_test
