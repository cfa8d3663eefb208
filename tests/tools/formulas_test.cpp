// SPDX-License-Identifier: Apache-2.0
// The textbook's affine quantization against values worked by hand. An n-bit type has 2 to the
// power of n codes: 256 for 8 bits (a Python program that writes 2^8 computes 2 XOR 8 = 10).
#include <doctest/doctest.h>

#include <cmath>
#include <cstring>
#include <limits>

#include "kernels/reference.h"
#include "tests/engine/test_error.h"
#include "tests/tools/float_graph.h"
#include "tools/convert/lookup_table.h"
#include "tools/convert/quantize.h"
#include "tools/convert/quantize_linear.h"

namespace octet::test::formulas_test {

using convert::choose_asymmetric;
using convert::choose_symmetric;
using convert::Encoding;
using engine::DType;

namespace {

std::int32_t quantize_u8(float x, float scale, std::int32_t zero_point) {
  std::uint8_t code = 77;
  kernels::reference::quantize(&x, 1, {scale, zero_point, 0, 255}, &code);
  return code;
}

std::int32_t quantize_s8(float x, float scale, std::int32_t zero_point, std::int32_t lo = -128) {
  std::uint8_t code = 77;
  kernels::reference::quantize(&x, 1, {scale, zero_point, lo, 127}, &code);
  return static_cast<std::int8_t>(code);
}

float dequantize_u8(std::uint8_t code, float scale, std::int32_t zero_point) {
  float x = 77;
  kernels::reference::dequantize(kernels::Sign::u8, &code, 1, scale, zero_point, &x);
  return x;
}

convert::Node linear_node(std::vector<float> weight, std::vector<float> bias) {
  convert::Node node;
  node.name = "fc";
  node.weight = std::move(weight);
  node.bias = std::move(bias);
  return node;
}

constexpr float kTiny = std::numeric_limits<float>::min();

}  // namespace

TEST_CASE("asymmetric: scale = (max - min) / (2^8 - 1), zero_point = rne(qmin - min / scale)") {
  // [-1, 1.55]: scale 2.55 / 255 = 0.01, zero point 100.
  const auto u8 = choose_asymmetric({-1, 1.55f}, 0, 255);
  CHECK(u8.scale == 0.01f);
  CHECK(u8.zero_point == 100);
  // The same for s8: 128 lower.
  const auto s8 = choose_asymmetric({-1, 1.55f}, -128, 127);
  CHECK(s8.scale == 0.01f);
  CHECK(s8.zero_point == -28);
  // [-0.5, 1.5]: 0.5 * 255 / 2 = 63.75, rounded 64.
  CHECK(choose_asymmetric({-0.5f, 1.5f}, 0, 255).zero_point == 64);
  // [-1, 1]: 127.5, a tie, to the even 128.
  const auto tie = choose_asymmetric({-1, 1}, 0, 255);
  CHECK(tie.scale == static_cast<float>(2.0 / 255));
  CHECK(tie.zero_point == 128);
  // After ReLU: [0, 6].
  const auto relu6 = choose_asymmetric({0, 6}, 0, 255);
  CHECK(relu6.scale == static_cast<float>(6.0 / 255));
  CHECK(relu6.zero_point == 0);
}

TEST_CASE("asymmetric: the range is widened to hold 0, so that 0 is exact") {
  const auto above = choose_asymmetric({51, 102}, 0, 255);
  CHECK(above.scale == 0.4f);
  CHECK(above.zero_point == 0);
  const auto below = choose_asymmetric({-102, -51}, 0, 255);
  CHECK(below.scale == 0.4f);
  CHECK(below.zero_point == 255);
  CHECK(dequantize_u8(255, below.scale, below.zero_point) == 0);
}

TEST_CASE("symmetric: scale = max |x| / 127, zero point 0, codes -127 to 127") {
  const auto chosen = choose_symmetric({-2.54f, 1}, 127);
  CHECK(chosen.scale == 0.02f);
  CHECK(chosen.zero_point == 0);
  CHECK(quantize_s8(-2.54f, chosen.scale, 0) == -127);
  CHECK(quantize_s8(1, chosen.scale, 0) == 50);
  CHECK(choose_symmetric({-1, 2.54f}, 127).scale == 0.02f);
}

TEST_CASE("empty and tiny ranges have scales that can be used") {
  CHECK(choose_asymmetric({0, 0}, 0, 255).scale == 1);
  CHECK(choose_asymmetric({0, 0}, 0, 255).zero_point == 0);
  CHECK(choose_asymmetric({0, 0}, -128, 127).zero_point == -128);
  CHECK(choose_symmetric({0, 0}, 127).scale == 1);
  CHECK(choose_asymmetric({0, kTiny}, 0, 255).scale == kTiny);
  CHECK(choose_asymmetric({-kTiny, 0}, 0, 255).zero_point == 1);  // -min / the scale in use
  CHECK(choose_symmetric({0, 1e-44f}, 127).scale == kTiny);
  const float largest = std::numeric_limits<float>::max();
  CHECK(choose_asymmetric({-largest, largest}, 0, 255).scale ==
        static_cast<float>(2.0 * largest / 255));
}

TEST_CASE("quantize: round half to even, then the zero point, then saturate") {
  // x / 0.5 is a tie for odd multiples of 0.25.
  CHECK(quantize_u8(0.25f, 0.5f, 10) == 10);   // 0.5 -> 0
  CHECK(quantize_u8(0.75f, 0.5f, 10) == 12);   // 1.5 -> 2
  CHECK(quantize_u8(1.25f, 0.5f, 10) == 12);   // 2.5 -> 2
  CHECK(quantize_u8(-0.25f, 0.5f, 10) == 10);  // -0.5 -> 0
  CHECK(quantize_u8(-0.75f, 0.5f, 10) == 8);   // -1.5 -> -2
  // The zero point comes after the rounding: 0.5 -> 0, + 11; 11.5 would be 12.
  CHECK(quantize_u8(0.25f, 0.5f, 11) == 11);
  CHECK(quantize_u8(1000, 0.5f, 10) == 255);
  CHECK(quantize_u8(-1000, 0.5f, 10) == 0);
  CHECK(quantize_s8(1000, 0.5f, 10) == 127);
  CHECK(quantize_s8(-1000, 0.5f, 10) == -128);
  CHECK(quantize_s8(-1000, 0.5f, 0, -127) == -127);  // restricted range
}

TEST_CASE("dequantize: x = scale * (q - zero_point); a round trip is off by half a step at most") {
  CHECK(dequantize_u8(110, 0.5f, 10) == 50);
  CHECK(dequantize_u8(0, 0.5f, 10) == -5);
  const auto chosen = choose_asymmetric({-1, 1.55f}, 0, 255);
  for (int i = 0; i <= 1000; ++i) {
    const float x = -1 + 2.55f * static_cast<float>(i) / 1000;
    const auto code = static_cast<std::uint8_t>(quantize_u8(x, chosen.scale, chosen.zero_point));
    const float back = dequantize_u8(code, chosen.scale, chosen.zero_point);
    REQUIRE(std::abs(back - x) <= chosen.scale / 2 * 1.0001f);
  }
}

TEST_CASE("weights: s8, symmetric, one scale per row or one for all") {
  const convert::Node node = linear_node({1.27f, -0.5f, 0.0254f, 0.01f}, {1, -1});
  const Encoding input{DType::u8, 0.1f, 3, 0};
  const auto rows = convert::quantize_linear(node, 2, input, 1, {}, "net");
  CHECK(rows.scale == std::vector<float>{0.01f, 0.0002f});
  CHECK(rows.weight == std::vector<std::int8_t>{127, -50, 127, 50});
  // bias / (0.1 * 0.01) = 1000, -1 / (0.1 * 0.0002) = -50000
  CHECK(rows.bias == std::vector<std::int32_t>{1000, -50000});
  CHECK(rows.raised == 0);
  const auto tensor = convert::quantize_linear(node, 2, input, 1, {false}, "net");
  CHECK(tensor.scale == std::vector<float>{0.01f});
  CHECK(tensor.weight == std::vector<std::int8_t>{127, -50, 3, 1});  // 2.54 -> 3
  CHECK(tensor.bias == std::vector<std::int32_t>{1000, -1000});
}

TEST_CASE("weights: clipped where that changes them least, by the mean square") {
  // One outlier beside many weights that its scale would round to almost nothing.
  std::vector<float> row(40000, 0.0037f);
  row[0] = 1;
  const auto whole = convert::quantize_linear(linear_node(row, {0}), row.size(), {}, 0, {}, "net");
  CHECK(whole.scale[0] == 1 / 127.0f);
  CHECK(whole.weight[0] == 127);
  CHECK(whole.weight[1] == 0);
  const auto clipped =
      convert::quantize_linear(linear_node(row, {0}), row.size(), {}, 0, {true, true}, "net");
  // 0.0037 rounds to 1 from a scale of 0.0074 on; the outlier loses more the smaller the scale.
  double least = 1e9;
  double best = 0;
  for (int part = 64; part >= 32; --part) {
    const double scale = part / 64.0 / 127;
    double error = 0;
    for (const float w : row) {
      const double d = double{w} - scale * std::min(std::nearbyint(double{w} / scale), 127.0);
      error += d * d;
    }
    if (error < least) best = scale;
    least = std::min(least, error);
  }
  CHECK(best < 0.9 / 127);
  CHECK(clipped.scale[0] == static_cast<float>(best));
  CHECK(clipped.weight[0] == 127);
}

TEST_CASE("weights: both signs reach 127, never -128") {
  const convert::Node node = linear_node({-1, 1, -0.5f}, {});
  const auto result = convert::quantize_linear(node, 3, {}, 0, {}, "net");
  CHECK(result.weight == std::vector<std::int8_t>{-127, 127, -64});  // -63.5, a tie
  CHECK(result.bias == std::vector<std::int32_t>{0});
}

TEST_CASE("pixels: the offset times the sum of the quantized weights is in the bias") {
  // Weights 127 and -27 at scale 0.01: their sum is 1. real = p * 0.5 - 2.
  const convert::Node node = linear_node({1.27f, -0.27f}, {10});
  const auto result = convert::quantize_linear(node, 2, {DType::u8, 0.5f, 0, -2}, 0, {}, "net");
  CHECK(result.weight == std::vector<std::int8_t>{127, -27});
  // (10 - 2 * 1) / (0.5 * 0.01)
  CHECK(result.bias == std::vector<std::int32_t>{1600});
}

TEST_CASE("a channel of zeros gives exactly its bias") {
  const Encoding input{DType::u8, 0.25f, 0, 0};
  const auto result =
      convert::quantize_linear(linear_node({0, 0, 0, 0}, {3, 0}), 2, input, 0.5f, {}, "net");
  CHECK(result.weight == std::vector<std::int8_t>{0, 0, 0, 0});
  CHECK(static_cast<float>(result.bias[0]) * (input.scale * result.scale[0]) == 3);
  CHECK(result.bias[0] == 1 << 24);
  CHECK(result.bias[1] == 0);
  CHECK(input.scale * result.scale[1] / 0.5f == 1);
}

TEST_CASE("a bias that does not fit int32 raises the weight scale") {
  const Encoding input{DType::u8, 0.001f, 0, 0};
  const convert::Node node = linear_node({1e-5f, 1e-5f, 1, 1}, {100, 100});
  const auto result = convert::quantize_linear(node, 2, input, 0, {}, "net");
  CHECK(result.raised == 1);
  CHECK(result.scale[0] > 1e-5f / 127);
  CHECK(result.scale[1] == 1.0f / 127);
  for (std::size_t m = 0; m < 2; ++m) {
    std::int64_t reach = std::abs(std::int64_t{result.bias[m]});
    for (std::size_t k = 0; k < 2; ++k) reach += std::abs(result.weight[m * 2 + k]) * 255;
    CHECK(reach < std::int64_t{1} << 31);
    const float bias = static_cast<float>(result.bias[m]) * (input.scale * result.scale[m]);
    CHECK(bias == doctest::Approx(100).epsilon(1e-6));
  }
}

TEST_CASE("a bias that fits at no scale is refused") {
  const Encoding input{DType::u8, 1e-37f, 0, 0};
  for (const float weight : {0.0f, 1.0f}) {
    CHECK(error_of([&] {
            convert::quantize_linear(linear_node({weight}, {3e38f}), 1, input, 0, {}, "net.onnx");
          }) ==
          "unsupported: net.onnx: node 'fc' (linear): channel 0: bias 3e+38 does "
          "not fit int32 at any weight scale, the input's scale is 1e-37; normalize the network's "
          "input");
  }
}

TEST_CASE("scales are raised to where products and multipliers are normal numbers") {
  const Encoding input{DType::u8, 1e-20f, 0, 0};
  for (const float output_scale : {0.0f, 1e-30f, 1.0f, 1e10f}) {
    const auto result =
        convert::quantize_linear(linear_node({1e-30f, 0}, {}), 1, input, output_scale, {}, "net");
    for (const float scale : result.scale) {
      CHECK(scale >= kTiny);
      CHECK(input.scale * scale >= kTiny);
      if (output_scale != 0) CHECK(input.scale * scale / output_scale >= kTiny);
    }
  }
}

TEST_CASE("weights that alone overflow are refused with channel and remedy") {
  const auto message = [](std::size_t columns, const Encoding& input) {
    const convert::Node node = linear_node(std::vector<float>(columns, -1.0f), {});
    return error_of([&] { convert::quantize_linear(node, columns, input, 0, {}, "net.onnx"); });
  };
  // max |a - zero_point| is 255 at either end of the codes; 127 * 255 * 66311 = 2147481735.
  for (const Encoding& input : {Encoding{DType::u8, 1, 0, 0}, Encoding{DType::u8, 1, 255, 0},
                                Encoding{DType::s8, 1, -128, 0}, Encoding{DType::s8, 1, 127, 0}}) {
    CHECK(message(66311, input) == "nothing");
    CHECK(message(66312, input) ==
          "unsupported: net.onnx: node 'fc' (linear): channel 0: its 66312 weights alone could "
          "bring the accumulator to 2147514120, the limit is 2147483647; split the layer's columns "
          "over two");
  }
  CHECK(message(66312, {DType::u8, 1, 127, 0}) == "nothing");  // 128 from code 255
}

TEST_CASE("look-up tables: dequantize, the function in double, quantize") {
  const Encoding input{DType::s8, 0.5f, -3, 0};
  const Encoding output{DType::u8, 0.25f, 7, 0};
  const auto table = convert::lookup_table(input, output, [](double x) { return x * x; });
  CHECK(table[128 - 3] == 7);      // code -3 is 0
  CHECK(table[128 + 0] == 7 + 9);  // 1.5^2 = 2.25 = 9 steps
  CHECK(table[128 - 6] == 7 + 9);
  CHECK(table[0] == 255);  // 62.5^2 saturates
  const Encoding pixels{DType::u8, 0.5f, 0, -2};
  const auto shifted =
      convert::lookup_table(pixels, {DType::s8, 0.5f, 0, 0}, [](double x) { return x; });
  CHECK(static_cast<std::int8_t>(shifted[0]) == -4);
  CHECK(static_cast<std::int8_t>(shifted[104]) == 100);
  CHECK(static_cast<std::int8_t>(shifted[255]) == 127);
}

}  // namespace octet::test::formulas_test
