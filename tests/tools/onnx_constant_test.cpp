// SPDX-License-Identifier: Apache-2.0
// Initializers: every element type, raw and typed, and data that does not fit its shape.
#include "tools/convert/onnx_constant.h"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "tests/tools/onnx_builder.h"

namespace octet::test::onnx_constant_test {

using octet::Error;
using octet::convert::Constant;
using octet::convert::count_elements;
using octet::convert::kBatchSize;
using octet::convert::read_constant;
using onnx::TensorProto;

namespace {

template <class Element>
TensorProto raw(TensorProto::DataType type, const std::vector<Element>& values) {
  TensorProto result = tensor("w", type, {static_cast<std::int64_t>(values.size())});
  result.set_raw_data(values.data(), values.size() * sizeof(Element));
  return result;
}

Constant read(const TensorProto& tensor) {
  return read_constant(tensor, "net.onnx");
}

Failure failure(const TensorProto& tensor) {
  return failure_of([&] { read(tensor); });
}

}  // namespace

TEST_CASE("constant: float types, raw and typed") {
  CHECK(read(raw<float>(TensorProto::FLOAT, {1.5f, -2})).floats == Floats{1.5f, -2});
  CHECK(read(raw<double>(TensorProto::DOUBLE, {0.1, -2})).floats == Floats{0.1f, -2});
  TensorProto typed = tensor("w", TensorProto::FLOAT, {2, 1});
  typed.add_float_data(1.5f);
  typed.add_float_data(-2);
  CHECK(read(typed).floats == Floats{1.5f, -2});
  CHECK(read(typed).dims == Ints{2, 1});
  CHECK(read(typed).is_float);
  TensorProto doubles = tensor("w", TensorProto::DOUBLE, {});
  doubles.add_double_data(0.1);
  CHECK(read(doubles).floats == Floats{0.1f});
}

TEST_CASE("constant: float16 and bfloat16 are exact") {
  // 1, -2, the largest, the smallest subnormal, the largest subnormal, -0, infinity, NaN.
  const std::vector<std::uint16_t> halves{0x3c00, 0xc000, 0x7bff, 0x0001,
                                          0x03ff, 0x8000, 0x7c00, 0x7e00};
  const Floats values = read(raw(TensorProto::FLOAT16, halves)).floats;
  CHECK(values[0] == 1);
  CHECK(values[1] == -2);
  CHECK(values[2] == 65504);
  CHECK(values[3] == 0x1p-24f);
  CHECK(values[4] == 1023 * 0x1p-24f);
  CHECK(values[5] == 0);
  CHECK(std::signbit(values[5]));
  CHECK(values[6] == std::numeric_limits<float>::infinity());
  CHECK(std::isnan(values[7]));
  TensorProto typed = tensor("w", TensorProto::FLOAT16, {1});
  typed.add_int32_data(0xc000);
  CHECK(read(typed).floats == Floats{-2});

  CHECK(read(raw<std::uint16_t>(TensorProto::BFLOAT16, {0x3fc0, 0xc2f7})).floats ==
        Floats{1.5f, -123.5f});
}

TEST_CASE("constant: integer types, raw and typed") {
  CHECK(read(raw<std::int64_t>(TensorProto::INT64, {-1, 1LL << 40})).ints == Ints{-1, 1LL << 40});
  CHECK(read(raw<std::int32_t>(TensorProto::INT32, {-1, 7})).ints == Ints{-1, 7});
  CHECK(read(raw<std::int16_t>(TensorProto::INT16, {-1, 7})).ints == Ints{-1, 7});
  CHECK(read(raw<std::int8_t>(TensorProto::INT8, {-1, 7})).ints == Ints{-1, 7});
  CHECK(read(raw<std::uint8_t>(TensorProto::UINT8, {255, 7})).ints == Ints{255, 7});
  CHECK(read(raw<std::uint16_t>(TensorProto::UINT16, {65535, 7})).ints == Ints{65535, 7});
  CHECK(read(raw<std::uint32_t>(TensorProto::UINT32, {0xffffffff})).ints == Ints{0xffffffffLL});
  CHECK(read(raw<std::uint8_t>(TensorProto::BOOL, {0, 1})).ints == Ints{0, 1});
  TensorProto typed = tensor("w", TensorProto::INT64, {2});
  typed.add_int64_data(-1);
  typed.add_int64_data(9);
  CHECK(read(typed).ints == Ints{-1, 9});
  CHECK_FALSE(read(typed).is_float);
  TensorProto narrow = tensor("w", TensorProto::INT32, {1});
  narrow.add_int32_data(-5);
  CHECK(read(narrow).ints == Ints{-5});
  // The number that stands for the size of the batch is never read from a file.
  CHECK(read(raw<std::int64_t>(TensorProto::INT64, {kBatchSize})).ints == Ints{kBatchSize - 1});
}

TEST_CASE("constant: data that does not fit the shape") {
  TensorProto shorter = float_tensor("fc.weight", {2, 3}, {1, 2, 3, 4, 5});
  const Failure raw_data = failure(shorter);
  CHECK(raw_data.code == Error::Code::format);
  CHECK(raw_data.message ==
        "net.onnx: initializer 'fc.weight' holds 20 bytes, its shape [2, 3] of float needs 24; "
        "export the model again");
  shorter.clear_raw_data();
  shorter.add_float_data(1);
  CHECK(failure(shorter).says("holds 1 values, its shape [2, 3] of float needs 6"));
  TensorProto ragged = float_tensor("w", {1}, {1});
  ragged.mutable_raw_data()->push_back('\0');
  CHECK(failure(ragged).says("holds 5 bytes"));
  CHECK(failure(tensor("w", TensorProto::FLOAT, {4})).says("holds 0 values"));
  CHECK(failure(tensor("w", TensorProto::FLOAT, {-4})).says("a negative dimension"));
  const std::int64_t huge = std::int64_t{1} << 40;
  CHECK(failure(tensor("w", TensorProto::FLOAT, {huge, huge})).says("with more than"));
  CHECK(failure(tensor("w", TensorProto::FLOAT, {huge})).says("holds 0 values"));
  CHECK(read(tensor("w", TensorProto::FLOAT, {0})).size() == 0);
}

TEST_CASE("constant: types that octet does not read") {
  const Failure text = failure(tensor("w", TensorProto::STRING, {1}));
  CHECK(text.code == Error::Code::unsupported);
  CHECK(text.says("initializer 'w' has element type string"));
  TensorProto unknown = tensor("w", TensorProto::FLOAT, {1});
  unknown.set_data_type(99);
  CHECK(failure(unknown).says("has element type type 99"));
  TensorProto segment = float_tensor("w", {1}, {1});
  segment.mutable_segment()->set_begin(0);
  CHECK(failure(segment).says("is split into segments"));
}

TEST_CASE("constant: elements are counted without overflow") {
  CHECK(count_elements({}, "w") == 1);
  CHECK(count_elements({2, 3, 4}, "w", 24) == 24);
  CHECK(count_elements({1LL << 59, 0}, "w") == 0);
  CHECK(failure_of([] { count_elements({2, 3, 4}, "w", 23); }).says("with more than 23 elements"));
  CHECK(failure_of([] { count_elements({0, -1}, "w"); }).says("a negative dimension"));
}

}  // namespace octet::test::onnx_constant_test
