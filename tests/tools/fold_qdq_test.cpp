// SPDX-License-Identifier: Apache-2.0
// tools/convert/fold_qdq.cpp and lower_quantized.cpp: where quantize and dequantize end up, and
// that the folded network computes what the graph says.
#include <doctest/doctest.h>

#include <cmath>

#include "kernels/dispatch.h"
#include "tests/engine/run_graph.h"
#include "tests/tools/data_files.h"
#include "tests/tools/float_graph.h"
#include "tools/convert/lower_quantized.h"
#include "tools/convert/simplify.h"

namespace octet::test::fold_qdq_test {
namespace {

using convert::Encoding;
using engine::DType;
using engine::OpType;

constexpr Encoding kX{DType::u8, 0.02f, 100, 0};
constexpr Encoding kY{DType::s8, 0.05f, -20, 0};
constexpr Encoding kFine{DType::u8, 0.001f, 100, 0};

class QdqGraph : public FloatGraph {
 public:
  ValueId quantize(const std::string& name, ValueId x, const Encoding& encoding) {
    const ValueId y = node(name, Op::quantize, {x}, graph.values[x].shape);
    last().encoding = encoding;
    graph.values[y].dtype = encoding.dtype;
    return y;
  }
  ValueId dequantize(const std::string& name, ValueId x, const Encoding& encoding) {
    const ValueId y = node(name, Op::dequantize, {x}, graph.values[x].shape);
    last().encoding = encoding;
    return y;
  }
  // Both, as fake quantization has it.
  ValueId fake(const std::string& name, ValueId x, const Encoding& encoding) {
    return dequantize(name, quantize(name + "_q", x, encoding), encoding);
  }
  ValueId quantized_linear(const std::string& name, ValueId x, std::size_t rows, Random& random) {
    const ValueId y = linear(name, x, rows, random);
    convert::Node& node = last();
    node.weight_scale = random.uniform(rows, 0.004f, 0.01f);
    const std::size_t k = node.weight.size() / rows;
    for (std::size_t i = 0; i < node.weight.size(); ++i) {
      node.weight_codes.push_back(static_cast<std::int16_t>(random.uniform(-127, 127)));
      node.weight[i] = node.weight_scale[i / k] * static_cast<float>(node.weight_codes[i]);
    }
    return y;
  }

  std::vector<OpType> ops() {
    convert::simplify(graph);
    lowered_ = convert::lower_quantized(graph, std::nullopt);
    std::vector<OpType> result;
    for (const engine::Node& node : lowered_.graph.nodes) result.push_back(node.op);
    return result;
  }
  // The largest difference between the lowered graph's output and the graph as it was, run in
  // float, in steps of the output.
  float difference(float step) {
    const std::vector<float> x =
        Random(3).uniform(40 * sample_elements(graph.values[0].shape), -3, 3);
    const auto expected = run_float(graph, {x}, 40);
    ops();
    Bytes bytes(x.size() * sizeof(float));
    std::memcpy(bytes.data(), x.data(), bytes.size());
    const auto got =
        run(make_model(lowered_.graph, kernels::best_table(kernels::detect_cpu())), {bytes}, 40);
    float largest = 0;
    REQUIRE(got[0].size() == expected[0].size() * sizeof(float));
    for (std::size_t i = 0; i < expected[0].size(); ++i) {
      float value;
      std::memcpy(&value, got[0].data() + i * sizeof value, sizeof value);
      largest = std::max(largest, std::abs(value - expected[0][i]) / step);
    }
    return largest;
  }

 private:
  convert::QuantizedGraph lowered_;
};

// f(fake(x)) as an output, where f is what a test is about.
template <class Build>
QdqGraph around(const Build& build, Shape shape = {kBatch, 6, 4}) {
  QdqGraph g;
  const ValueId x = g.fake("xf", g.input("x", std::move(shape)), kX);
  g.output(build(g, x));
  return g;
}

const std::vector kThrough{OpType::quantize, OpType::dequantize};

std::vector<OpType> with(OpType op) {
  return {OpType::quantize, op, OpType::dequantize};
}

}  // namespace

TEST_CASE("fold_qdq: views and clips between pairs of one encoding run on codes") {
  const auto check_view = [](OpType op, const auto& view) {
    const auto build = [&](QdqGraph& g, ValueId x) { return g.fake("yf", view(g, x), kX); };
    CHECK(around(build).ops() == with(op));
    CHECK(around(build).difference(kX.scale) < 1e-3f);
    // The file need not quantize what only moves.
    CHECK(around(view).ops() == with(op));
    CHECK(around(view).difference(kX.scale) < 1e-3f);
  };
  check_view(OpType::reshape, [](QdqGraph& g, ValueId x) {
    return g.reshape("y", x, {kBatch, 24});
  });
  check_view(OpType::transpose, [](QdqGraph& g, ValueId x) {
    return g.transpose("y", x, {0, 2, 1});
  });
  check_view(OpType::slice, [](QdqGraph& g, ValueId x) { return g.slice("y", x, 1, 2, 3); });
  check_view(OpType::clip, [](QdqGraph& g, ValueId x) { return g.clip("y", x, 0, 99); });
  check_view(OpType::concat, [](QdqGraph& g, ValueId x) { return g.concat("y", {x, x}, 2); });
}

TEST_CASE(
    "fold_qdq: a clip whose bounds are no codes of its input clips behind the next quantize") {
  // Between two codes of the input, and beyond all of them: the output's finer codes show it.
  for (const auto& [low, high] : {std::pair{-0.011f, 0.029f}, std::pair{50.0f, 60.0f}}) {
    const auto clipped = [low = low, high = high](QdqGraph& g, ValueId x) {
      return g.fake("yf", g.clip("y", x, low, high), kFine);
    };
    CHECK(around(clipped).ops() ==
          std::vector{OpType::quantize, OpType::requantize, OpType::clip, OpType::dequantize});
    CHECK(around(clipped).difference(kFine.scale) < 1e-3f);
  }
  const auto beyond = [](QdqGraph& g, ValueId x) { return g.clip("y", x, 50, 60); };
  CHECK(around(beyond).difference(1) == 0);
}

TEST_CASE("fold_qdq: pairs that repeat an encoding vanish, others requantize") {
  CHECK(around([](QdqGraph& g, ValueId x) { return g.fake("yf", x, kX); }).ops() == kThrough);
  const auto requantized = [](QdqGraph& g, ValueId x) { return g.fake("yf", x, kY); };
  CHECK(around(requantized).ops() == with(OpType::requantize));
  CHECK(around(requantized).difference(kY.scale) < 1e-3f);
  // Each user with its own pair, as some exporters write it.
  QdqGraph twins;
  const ValueId x = twins.input("x", {kBatch, 4});
  const ValueId a = twins.fake("a", x, kX);
  const ValueId b = twins.fake("b", x, kX);
  twins.output(twins.add("y", a, b));
  CHECK(twins.ops() == std::vector{OpType::quantize, OpType::dequantize, OpType::add});
}

TEST_CASE("fold_qdq: a concat of different encodings takes that of its output") {
  QdqGraph g;
  const ValueId x = g.input("x", {kBatch, 5});
  const ValueId y = g.concat("y", {g.fake("a", x, kX), g.fake("b", x, kY)}, 1);
  g.output(g.fake("yf", y, kY));
  CHECK(g.ops() == std::vector{OpType::quantize, OpType::quantize, OpType::requantize,
                               OpType::concat, OpType::dequantize});
}

TEST_CASE("lower_quantized: a layer between pairs is one step, with its bias, Relu and views") {
  Random random(7);
  const auto build = [&](QdqGraph& g, ValueId x) {
    const ValueId flat = g.reshape("flat", x, {kBatch, 24});
    const ValueId h = g.quantized_linear("fc1", flat, 7, random);
    // Relu behind the pair, without one of its own: what quantization-aware training leaves.
    const ValueId r = g.relu("relu", g.fake("hf", h, kX));
    return g.fake("yf", g.quantized_linear("fc2", r, 3, random), kY);
  };
  CHECK(around(build).ops() == std::vector{OpType::quantize, OpType::reshape, OpType::linear,
                                           OpType::linear, OpType::dequantize});
  // Two roundings where the graph has one of each more.
  CHECK(around(build).difference(kY.scale) <= 2.001f);
}

TEST_CASE("lower_quantized: an affine joins the bias where it only adds") {
  Random random(8);
  const auto build = [&](float factor) {
    return [&, factor](QdqGraph& g, ValueId x) {
      const ValueId h = g.quantized_linear("fc", x, 5, random);
      const ValueId b = g.affine("add", h, std::vector<float>(5, factor), random.uniform(5, -1, 1));
      return g.fake("yf", b, kY);
    };
  };
  CHECK(around(build(1)).ops() == with(OpType::linear));
  CHECK(around(build(1)).difference(kY.scale) <= 1.001f);
  CHECK(around(build(2)).ops() == std::vector{OpType::quantize, OpType::linear, OpType::affine,
                                              OpType::quantize, OpType::dequantize});
  CHECK(around(build(2)).difference(kY.scale) <= 1.001f);
}

TEST_CASE("lower_quantized: floats stay floats") {
  Random random(9);
  const auto last = [&](QdqGraph& g, ValueId x) { return g.quantized_linear("fc", x, 5, random); };
  CHECK(around(last).ops() == std::vector{OpType::quantize, OpType::linear});
  const auto unquantized = [&](QdqGraph& g, ValueId x) { return g.linear("fc", x, 5, random); };
  CHECK(around(unquantized).ops() ==
        std::vector{OpType::quantize, OpType::dequantize, OpType::float_linear});
  CHECK(around(unquantized).difference(1) == 0);
  const auto probabilities = [](QdqGraph& g, ValueId x) { return g.softmax("y", x, 2); };
  CHECK(around(probabilities).ops() ==
        std::vector{OpType::quantize, OpType::dequantize, OpType::softmax});
  const auto sum = [](QdqGraph& g, ValueId x) { return g.add("y", x, x); };
  CHECK(around(sum).ops() == std::vector{OpType::quantize, OpType::dequantize, OpType::add});
}

TEST_CASE("lower_quantized: functions of one variable are tables") {
  const auto tanh = [](QdqGraph& g, ValueId x) { return g.unary("y", x, Unary::tanh); };
  const auto closed = [&](QdqGraph& g, ValueId x) { return g.fake("yf", tanh(g, x), kX); };
  CHECK(around(closed).ops() == with(OpType::lookup));
  CHECK(around(closed).difference(kX.scale) < 1e-3f);
  // Nothing says how to quantize the result: half a step of its own range.
  CHECK(around(tanh).ops() == with(OpType::lookup));
  CHECK(around(tanh).difference(2.0f / 255) <= 0.51f);
  const auto scaled = [](QdqGraph& g, ValueId x) {
    return g.fake("yf", g.affine("y", x, {-2}, {0.5f}), kY);
  };
  CHECK(around(scaled).ops() == with(OpType::lookup));
  CHECK(around(scaled).difference(kY.scale) < 1e-3f);

  QdqGraph open;
  const ValueId x = open.input("x", {kBatch, 4});
  open.output(open.fake("yf", open.unary("y", x, Unary::tanh), kX));
  const Failure failure = failure_of([&] { open.ops(); });
  check(failure, Error::Code::unsupported,
        "net.onnx: node 'y' (tanh): its input is not quantized, and octet computes it on 8 bits "
        "only");
}

TEST_CASE("lower_quantized: pixels become the codes that their floats would have") {
  QdqGraph g;
  g.output(g.fake("xf", g.input("x", {kBatch, 256}), kX));
  convert::simplify(g.graph);
  const auto lowered = convert::lower_quantized(g.graph, engine::Normalization{0.25f, 0.5f});
  REQUIRE(lowered.graph.inputs[0].has_normalization);
  check(failure_of([&] {
          convert::lower_quantized(g.graph, engine::Normalization{0.5f, 0});
        }),
        Error::Code::argument, "the pixels' standard deviation 0 is outside [1e-6, 1e6]");
  Bytes pixels(256);
  std::vector<float> reals(256);
  for (std::size_t p = 0; p < 256; ++p) {
    pixels[p] = static_cast<std::byte>(p);
    reals[p] = static_cast<float>((static_cast<double>(p) / 255 - 0.25) / 0.5);
  }
  const auto expected = run_float(g.graph, {reals}, 1);
  const auto got =
      run(make_model(lowered.graph, kernels::best_table(kernels::detect_cpu())), {pixels}, 1);
  REQUIRE(got[0].size() == 1024);
  CHECK(std::memcmp(got[0].data(), expected[0].data(), 1024) == 0);
}

}  // namespace octet::test::fold_qdq_test
