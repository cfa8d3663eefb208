// SPDX-License-Identifier: Apache-2.0
// QuantizeLinear and DequantizeLinear: forms, what they become, and what is wrong with bad ones.
#include <doctest/doctest.h>

#include <limits>

#include "tests/tools/onnx_quantized.h"

namespace octet::test::onnx_ops_quantize_test {
namespace {

using engine::OpType;
using onnx::TensorProto;

constexpr float kInfinity = std::numeric_limits<float>::infinity();

// y = DequantizeLinear(QuantizeLinear(x)) of one scale.
OnnxBuilder pair(float scale, const std::vector<int>& zero_point = {128}) {
  OnnxBuilder builder;
  builder.input("x", {-1, 3}).output("y");
  builder.floats("s", {}, {scale}).u8("z", {}, zero_point);
  builder.node("QuantizeLinear", {"x", "s", "z"}, {"q"}, {}, "quant");
  builder.node("DequantizeLinear", {"q", "s", "z"}, {"y"}, {}, "dequant");
  return builder;
}

// Gemm between pairs, its weights [2, 3] as given by the nodes that add() makes.
template <class Add>
OnnxBuilder layer(Add add) {
  OnnxBuilder builder;
  builder.input("x", {-1, 3}).output("y").floats("s", {}, {0.5f}).u8("z", {}, {10});
  builder.node("QuantizeLinear", {"x", "s", "z"}, {"xq"});
  builder.node("DequantizeLinear", {"xq", "s", "z"}, {"xf"});
  add(builder);
  builder.node("Gemm", {"xf", "w"}, {"g"}, {attribute("transB", 1)}, "fc");
  builder.node("QuantizeLinear", {"g", "s", "z"}, {"gq"});
  builder.node("DequantizeLinear", {"gq", "s", "z"}, {"y"});
  return builder;
}

const convert::Node& linear_of(const LoweredOnnx& model) {
  const auto found = std::ranges::find(model.graph.nodes, convert::Op::linear, &convert::Node::op);
  REQUIRE(found != model.graph.nodes.end());
  return *found;
}

}  // namespace

TEST_CASE("quantize_linear: u8, s8, scale of one entry, no zero point, any opset") {
  const std::vector<float> x{-1.25f, 0.25f, 1000};  // 0.25 / 0.5 is a tie
  for (const std::int64_t opset : {10, 13, 19, 21}) {
    OnnxBuilder u8(opset);
    u8.input("x", {-1, 3}).output("q").floats("s", {1}, {0.5f}).u8("z", {1}, {7});
    u8.node("QuantizeLinear", {"x", "s", "z"}, {"q"});
    CHECK(values_of<std::uint8_t>(run_lowered(lower_onnx(u8).lowered.graph, {bytes_of(x)}, 1)[0]) ==
          std::vector<std::uint8_t>{5, 7, 255});

    OnnxBuilder s8(opset);
    s8.input("x", {-1, 3}).output("q").floats("s", {}, {0.5f}).s8("z", {}, {-100});
    s8.node("QuantizeLinear", {"x", "s", "z"}, {"q"});
    CHECK(values_of<std::int8_t>(run_lowered(lower_onnx(s8).lowered.graph, {bytes_of(x)}, 1)[0]) ==
          std::vector<std::int8_t>{-102, -100, 127});
  }
  OnnxBuilder none;
  none.input("x", {-1, 3}).output("q").floats("s", {}, {0.5f});
  none.node("QuantizeLinear", {"x", "s"}, {"q"});
  CHECK(values_of<std::uint8_t>(run_lowered(lower_onnx(none).lowered.graph, {bytes_of(x)}, 1)[0]) ==
        std::vector<std::uint8_t>{0, 0, 255});
  OnnxBuilder typed(21);
  typed.input("x", {-1, 3}).output("q").floats("s", {}, {0.5f});
  typed.node("QuantizeLinear", {"x", "s"}, {"q"}, {attribute("output_dtype", 3)});  // INT8
  CHECK(values_of<std::int8_t>(run_lowered(lower_onnx(typed).lowered.graph, {bytes_of(x)}, 1)[0]) ==
        std::vector<std::int8_t>{-2, 0, 127});
}

TEST_CASE("dequantize_linear: codes come in as they are") {
  OnnxBuilder builder;
  builder.input("q", {-1, 3}, TensorProto::INT8).output("y").floats("s", {}, {0.5f});
  builder.s8("z", {}, {-3}).node("DequantizeLinear", {"q", "s", "z"}, {"y"});
  const LoweredOnnx model = lower_onnx(builder);
  CHECK(model.lowered.graph.tensors[model.lowered.graph.inputs[0].tensor].dtype ==
        engine::DType::s8);
  const auto out =
      run_lowered(model.lowered.graph, {bytes_of(std::vector<std::int8_t>{-128, -3, 127})}, 1);
  CHECK(values_of<float>(out[0]) == std::vector<float>{-62.5f, 0, 65});
}

TEST_CASE("codes that come in mean what the first dequantize behind their views says") {
  OnnxBuilder builder;
  builder.input("q", {-1, 6}, TensorProto::INT8).output("y").floats("s", {}, {0.5f});
  builder.s8("z", {}, {-3}).ints("shape", {-1, 2, 3}).ints("one", {1}).ints("two", {2});
  builder.node("Reshape", {"q", "shape"}, {"r"});
  builder.node("Slice", {"r", "one", "two", "one"}, {"c"});
  builder.node("Transpose", {"c"}, {"t"}, {attribute("perm", Ints{0, 2, 1})});
  builder.node("DequantizeLinear", {"t", "s", "z"}, {"y"});
  const LoweredOnnx model = lower_onnx(builder);
  const engine::Tensor& q = model.lowered.graph.tensors[model.lowered.graph.inputs[0].tensor];
  CHECK(q.scale == 0.5f);
  CHECK(q.zero_point == -3);
  CHECK(std::ranges::count(model.ops(), OpType::lookup) == 0);
  const auto out = run_lowered(model.lowered.graph,
                               {bytes_of(std::vector<std::int8_t>{0, 0, 0, -3, 1, 127})}, 1);
  CHECK(values_of<float>(out[0]) == std::vector<float>{0, 2, 65});
}

TEST_CASE("quantize_linear: a scale per channel of an activation, along any axis but the batch") {
  OnnxBuilder builder;
  builder.input("x", {-1, 2, 2}).output("q").output("y").floats("s", {2}, {0.5f, 2});
  builder.u8("z", {2}, {10, 20});
  builder.node("QuantizeLinear", {"x", "s", "z"}, {"q"}, {attribute("axis", -1)});
  builder.node("DequantizeLinear", {"q", "s", "z"}, {"y"}, {attribute("axis", 2)});
  const LoweredOnnx model = lower_onnx(builder);
  const auto out =
      run_lowered(model.lowered.graph, {bytes_of(std::vector<float>{1, 1, -1, 60})}, 1);
  CHECK(values_of<std::uint8_t>(out[0]) == std::vector<std::uint8_t>{12, 20, 8, 50});
  CHECK(values_of<float>(out[1]) == std::vector<float>{1, 0, -1, 60});
}

TEST_CASE("weights: int8, uint8, fake-quantized floats, through Identity and Transpose") {
  const std::vector<std::int16_t> codes{-128, 0, 127, 5, -6, 7};
  const std::vector<int> s8{-128, 0, 127, 5, -6, 7};
  const std::vector<int> u8{0, 128, 255, 133, 122, 135};
  const auto check_codes = [&](const OnnxBuilder& builder) {
    const LoweredOnnx model = lower_onnx(builder);
    CHECK(linear_of(model).weight_codes == codes);
    CHECK(linear_of(model).weight_scale == std::vector<float>{0.25f, 0.5f});
    CHECK(model.ops() == std::vector{OpType::quantize, OpType::linear, OpType::dequantize});
  };
  check_codes(layer([&](OnnxBuilder& b) {
    b.s8("wq", {2, 3}, s8).floats("ws", {2}, {0.25f, 0.5f}).s8("wz", {2}, {0, 0});
    b.node("DequantizeLinear", {"wq", "ws", "wz"}, {"w"}, {attribute("axis", 0)});
  }));
  check_codes(layer([&](OnnxBuilder& b) {
    b.u8("wq", {2, 3}, u8).floats("ws", {2}, {0.25f, 0.5f}).u8("wz", {2}, {128, 128});
    b.node("DequantizeLinear", {"wq", "ws", "wz"}, {"w"}, {attribute("axis", 0)});
  }));
  // As PyTorch writes fake-quantized weights: zero points int32 -> Cast -> Identity, a Clip
  // between.
  check_codes(layer([&](OnnxBuilder& b) {
    b.floats("wr", {2, 3}, {-33, 0.1f, 31.8f, 2.5f, -3, 3.5f}).floats("ws", {2}, {0.25f, 0.5f});
    b.s32("z32", {2}, {0, 0}).s8("top", {}, {127});
    b.node("Cast", {"z32"}, {"z8"}, {attribute("to", 3)}).node("Identity", {"z8"}, {"wz"});
    b.node("QuantizeLinear", {"wr", "ws", "wz"}, {"wq"}, {attribute("axis", 0)});
    b.node("Clip", {"wq", "", "top"}, {"wc"});
    b.node("DequantizeLinear", {"wc", "ws", "wz"}, {"w"}, {attribute("axis", 0)});
  }));
  // [k][m], turned round.
  check_codes(layer([&](OnnxBuilder& b) {
    b.s8("wq", {3, 2}, {-128, 5, 0, -6, 127, 7}).floats("ws", {2}, {0.25f, 0.5f});
    b.node("DequantizeLinear", {"wq", "ws"}, {"wt"}, {attribute("axis", 1)});
    b.node("Transpose", {"wt"}, {"w"}, {attribute("perm", Ints{1, 0})});
  }));
}

TEST_CASE("weights: zero points that leave int8 are exact at more work") {
  const LoweredOnnx model = lower_onnx(layer([](OnnxBuilder& b) {
    b.u8("wq", {2, 3}, {255, 0, 255, 1, 2, 3}).floats("ws", {}, {0.25f}).u8("wz", {}, {0});
    b.node("DequantizeLinear", {"wq", "ws", "wz"}, {"w"});
  }));
  CHECK(model.notes("in 3 parts, at 3 times the work"));
  // x / 0.5 + 10 are the codes 12, 10, 13; y = 0.25 * (255 * 1 + 255 * 1.5) = 159.375 saturates.
  const std::vector<float> x{1, 0, 1.5f, -0.5f, 0, 1};
  const auto out = run_lowered(model.lowered.graph, {bytes_of(x)}, 2);
  CHECK(values_of<float>(out[0]) == std::vector<float>{122.5f, 1.5f, 32, 0.5f});
}

TEST_CASE("bias: int32 with its own scale, or float; rounded to the accumulator's scale") {
  const auto with_bias = [](auto add) {
    OnnxBuilder builder = layer([&](OnnxBuilder& b) {
      b.s8("wq", {2, 3}, {1, 2, 3, 4, 5, 6}).floats("ws", {}, {0.25f});
      b.node("DequantizeLinear", {"wq", "ws"}, {"w"});
      add(b);
    });
    for (auto& node : *builder.model.mutable_graph()->mutable_node()) {
      if (node.op_type() == "Gemm") node.add_input("b");
    }
    return lower_onnx(builder);
  };
  const auto bias_of = [](const LoweredOnnx& model) {
    for (const engine::Node& node : model.lowered.graph.nodes) {
      if (node.op != OpType::linear) continue;
      const auto data = model.lowered.graph.tensors[node.inputs[3]].data;
      return values_of<std::int32_t>(Bytes(data.begin(), data.end()));
    }
    return std::vector<std::int32_t>{};
  };
  // More than the 24 bits of a float; the zero point from ConstantOfShape and Cast.
  CHECK(bias_of(with_bias([](OnnxBuilder& b) {
          b.s32("bq", {2}, {33554433, -7}).floats("bs", {}, {0.125f}).ints("shape", {});
          b.node("ConstantOfShape", {"shape"}, {"bz64"});
          b.node("Cast", {"bz64"}, {"bz"}, {attribute("to", 6)});
          b.node("DequantizeLinear", {"bq", "bs", "bz"}, {"b"});
        })) == std::vector<std::int32_t>{33554433, -7});
  CHECK(bias_of(with_bias([](OnnxBuilder& b) {
          b.s32("bq", {2}, {3, -7}).floats("bs", {}, {0.25f});
          b.node("DequantizeLinear", {"bq", "bs"}, {"b"});
        })) == std::vector<std::int32_t>{6, -14});
  CHECK(bias_of(with_bias([](OnnxBuilder& b) {
          b.floats("b", {2}, {1, -0.1875f});
        })) == std::vector<std::int32_t>{8, -2});
  const auto clips = failure_of([&] {
    with_bias([](OnnxBuilder& b) { b.floats("b", {2}, {1, 3e8f}); });
  });
  check(clips, Error::Code::unsupported,
        "node 'fc' (linear): channel 1: bias 3e+08 is 2.4e+09 steps of 0.125 (0.5 * 0.25), which "
        "int32 does not hold");
}

TEST_CASE("diagnostics: scales that cannot be, each with its cause") {
  const auto refused = [](float scale, const std::string& text) {
    check(pair(scale).failure(), Error::Code::unsupported,
          "node 0 'quant' (QuantizeLinear): its scale 's', entry 0 of 1, is " + text);
  };
  refused(0, "0: an observer saw zeros only");
  refused(-0.5f, "-0.5: a scale is positive");
  refused(std::numeric_limits<float>::quiet_NaN(), "nan: the calibration data held NaN");
  refused(kInfinity, "inf: an observer never saw data");
  refused(1e-39f, "1e-39: a denormal number");
}

TEST_CASE("diagnostics: observers that never ran, 7 bits, codes that ReLU cuts off") {
  CHECK(lower_onnx(pair(1, {0}))
            .notes("node 0 'quant' (QuantizeLinear): has scale 1 and zero "
                   "point 0, what an observer gives that never saw data"));
  CHECK_FALSE(lower_onnx(pair(1, {1})).notes("never saw data"));

  OnnxBuilder seven;
  seven.input("x", {-1, 3}).output("y").floats("s", {}, {0.5f}).u8("z", {}, {64});
  seven.u8("low", {}, {0}).u8("high", {}, {127});
  seven.node("QuantizeLinear", {"x", "s", "z"}, {"q"});
  seven.node("Clip", {"q", "low", "high"}, {"c"}, {}, "reduce");
  seven.node("DequantizeLinear", {"c", "s", "z"}, {"y"});
  const LoweredOnnx reduced = lower_onnx(seven);
  CHECK(reduced.notes("node 1 'reduce' (Clip): keeps codes of 8 bits to 7"));
  const auto out =
      run_lowered(reduced.lowered.graph, {bytes_of(std::vector<float>{-99, 1, 99})}, 1);
  CHECK(values_of<float>(out[0]) == std::vector<float>{-32, 1, 31.5f});

  OnnxBuilder late = pair(0.5f, {100});
  late.node("Relu", {"y"}, {"r"}, {}, "relu").output("r");
  CHECK(
      lower_onnx(late).notes("node 'relu' (clip): its input is quantized before it, so that 100 "
                             "of 256 codes hold what it cuts off"));
}

TEST_CASE("diagnostics: wrong axes, zero points outside their type, other element types") {
  OnnxBuilder axis;
  axis.input("x", {-1, 3}).output("q").floats("s", {2}, {1, 2});
  axis.node("QuantizeLinear", {"x", "s"}, {"q"}, {}, "quant");
  check(axis.failure(), Error::Code::format,
        "node 0 'quant' (QuantizeLinear): it has 2 scales along axis 1 of [N, 3], a wrong axis");

  const LoweredOnnx along_k = lower_onnx(layer([](OnnxBuilder& b) {
    b.s8("wq", {2, 3}, {1, 2, 3, 4, 5, 6}).floats("ws", {3}, {1, 2, 3});
    b.node("DequantizeLinear", {"wq", "ws"}, {"w"});
  }));
  CHECK(along_k.notes(
      "the 3 scales of its weights 'w' [2, 3] run along axis 1, not along its outputs"));
  CHECK(along_k.notes("node 'fc' (linear): computes in float, since its weights have no integers"));

  OnnxBuilder outside = pair(0.5f);
  outside.s32("z32", {}, {-1}).node("Cast", {"z32"}, {"zc"}, {attribute("to", 2)}, "cast");
  outside.node("QuantizeLinear", {"x", "s", "zc"}, {"p"}).output("p");
  check(outside.failure(), Error::Code::format,
        "node 2 'cast' (Cast): it casts -1 to uint8, where it does not fit (a zero point outside "
        "its type?)");

  OnnxBuilder sixteen;
  sixteen.input("x", {-1, 3}).output("q").floats("s", {}, {1});
  sixteen.initializer(typed_tensor("z", TensorProto::UINT16, {}, {0}));
  sixteen.node("QuantizeLinear", {"x", "s", "z"}, {"q"}, {}, "quant");
  check(sixteen.failure(), Error::Code::unsupported,
        "node 0 'quant' (QuantizeLinear): it quantizes to uint16, octet computes with 8 bits");

  OnnxBuilder missing;
  missing.input("x", {-1, 3}).output("y").floats("s", {}, {1}).floats("w", {3, 1}, {1, 2, 3});
  missing.node("QuantizeLinear", {"x", "s"}, {"q"});
  missing.node("MatMul", {"q", "w"}, {"y"}, {}, "fc");
  check(missing.failure(), Error::Code::format,
        "node 1 'fc' (MatMul): its input 'q' is uint8, it computes with floats; a "
        "DequantizeLinear is missing");

  OnnxBuilder mixed = pair(0.5f);
  mixed.s8("z8", {}, {0}).node("DequantizeLinear", {"q", "s", "z8"}, {"p"}, {}, "d").output("p");
  check(mixed.failure(), Error::Code::format,
        "node 2 'd' (DequantizeLinear): its x is uint8, its zero point int8");
}

TEST_CASE(
    "graphs whose tensors have two names, or two users that dequantize alike, come to an end") {
  OnnxBuilder builder = pair(0.5f);
  builder.node("Identity", {"y"}, {"same"}).output("same");
  builder.node("DequantizeLinear", {"q", "s", "z"}, {"twin"}).output("twin");
  builder.node("Reshape", {"y", "shape"}, {"shaped"}).ints("shape", {-1, 3}).output("shaped");
  const auto out =
      run_lowered(lower_onnx(builder).lowered.graph, {bytes_of(std::vector<float>{-1, 0, 7})}, 1);
  for (const Bytes& bytes : out) CHECK(values_of<float>(bytes) == std::vector<float>{-1, 0, 7});
}

TEST_CASE("weights: a constant Clip has bounds of its own type") {
  OnnxBuilder builder = layer([](OnnxBuilder& b) {
    b.s8("wq", {2, 3}, {1, 2, 3, 4, 5, 6}).floats("ws", {}, {0.25f}).ints("low", {1000});
    b.node("Clip", {"wq", "low"}, {"wc"}, {}, "clip");
    b.node("DequantizeLinear", {"wc", "ws"}, {"w"});
  });
  check(builder.failure(), Error::Code::format,
        "node 2 'clip' (Clip): its min is no scalar of its input's type, int8");
}

TEST_CASE(
    "constants: joined codes keep their type, int32 has the zero point 0, no size of the batch") {
  OnnxBuilder joined = layer([](OnnxBuilder& b) {
    b.s8("w1", {1, 3}, {1, 2, 3}).s8("w2", {1, 3}, {4, 5, 6}).floats("ws", {}, {0.25f});
    b.node("Concat", {"w1", "w2"}, {"wq"}, {attribute("axis", 0)});
    b.node("DequantizeLinear", {"wq", "ws"}, {"w"});
  });
  CHECK(linear_of(lower_onnx(joined)).weight_codes == std::vector<std::int16_t>{1, 2, 3, 4, 5, 6});

  OnnxBuilder zero = pair(0.5f);
  zero.s32("c", {1}, {3}).s32("cz", {}, {1});
  zero.node("DequantizeLinear", {"c", "s", "cz"}, {"d"}, {}, "d").node("Add", {"y", "d"}, {"sum"});
  zero.output("sum");
  check(zero.failure(), Error::Code::format, "its x is int32, whose zero point must be 0");

  for (const int type : {2, 6}) {  // UINT8, INT32
    OnnxBuilder batch = pair(0.5f);
    batch.node("Shape", {"x"}, {"shape"}).node("Cast", {"shape"}, {"c"}, {attribute("to", type)});
    batch.node("DequantizeLinear", {"c", "s"}, {"d"}).node("MatMul", {"y", "d"}, {"p"}).output("p");
    check(batch.failure(), Error::Code::unsupported, "it computes with the size of the batch");
  }
}

TEST_CASE("weights: a vector with a scale for each input, or a negative alpha") {
  OnnxBuilder vector = pair(0.5f);
  vector.s8("wq", {3}, {1, 2, 3}).floats("ws", {3}, {1, 2, 3});
  vector.node("DequantizeLinear", {"wq", "ws"}, {"w"}, {attribute("axis", 0)});
  vector.node("MatMul", {"y", "w"}, {"p"}).output("p");
  const LoweredOnnx along_k = lower_onnx(vector);
  CHECK(along_k.notes("the 3 scales of its weights 'w' [3] run along axis 0"));
  const auto out =
      run_lowered(along_k.lowered.graph, {bytes_of(std::vector<float>{1, 2, -0.5f})}, 1);
  CHECK(values_of<float>(out[1]) == std::vector<float>{1 + 8 - 4.5f});

  OnnxBuilder negative = layer([](OnnxBuilder& b) {
    b.s8("wq", {2, 3}, {-128, 2, 3, 4, 5, 6}).floats("ws", {}, {0.25f});
    b.node("DequantizeLinear", {"wq", "ws"}, {"w"});
  });
  auto& nodes = *negative.model.mutable_graph()->mutable_node();
  for (auto& node : nodes) {
    if (node.op_type() == "Gemm") *node.add_attribute() = attribute("alpha", -2.0f);
  }
  const LoweredOnnx turned = lower_onnx(negative);
  CHECK(linear_of(turned).weight_codes == std::vector<std::int16_t>{128, -2, -3, -4, -5, -6});
  CHECK(linear_of(turned).weight_scale == std::vector<float>{0.5f});
}

TEST_CASE("quantize_linear: many channels of an activation") {
  OnnxBuilder builder;
  const std::vector<float> scales(1500, 0.5f);
  builder.input("x", {-1, 1500}).output("q").floats("s", {1500}, scales);
  builder.node("QuantizeLinear", {"x", "s"}, {"q"});
  const std::vector<float> x(1500, 1);
  const auto out = run_lowered(lower_onnx(builder).lowered.graph, {bytes_of(x)}, 1);
  CHECK(out[0] == Bytes(1500, std::byte{2}));
}

}  // namespace octet::test::onnx_ops_quantize_test
