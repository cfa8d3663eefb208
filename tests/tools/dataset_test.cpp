// SPDX-License-Identifier: Apache-2.0
// What DATA means: folders, lists of arrays, and files that do not belong together.
#include "tools/data/dataset.h"

#include <doctest/doctest.h>

#include <array>

#include "tests/tools/data_files.h"
#include "tests/tools/temporary_folder.h"
#include "tools/data/npy.h"

namespace octet::test::dataset_test {

using data::ArrayType;
using data::DatasetRequest;
using data::Half;
using data::Labels;
using data::load_dataset;

namespace {

template <class T>
std::string write_npy(const TemporaryFolder& folder, const std::string& name, ArrayType type,
                      std::vector<std::size_t> shape, const std::vector<T>& values) {
  return folder.write(name, data::npy_file(type, shape, std::as_bytes(std::span(values))));
}

Failure load_fails(const std::string& data, const DatasetRequest& request) {
  return failure_of([&] { load_dataset(data, request); });
}

constexpr DatasetRequest kEval{Half::test, 1, Labels::needed};
constexpr DatasetRequest kCalibrate{Half::train, 1};

}  // namespace

TEST_CASE("dataset: a folder, by half, plain or gzipped, either spelling") {
  const TemporaryFolder folder;
  folder.write("train-images-idx3-ubyte.gz", gzip(idx_file({3, 1, 2}, "abcdef")));
  folder.write("t10k-images.idx3-ubyte", idx_file({2, 1, 2}, "ghij"));
  folder.write("t10k-labels-idx1-ubyte", idx_file({2}, "\x05\x07"));
  const auto train = load_dataset(folder.path(), kCalibrate);
  CHECK(train.samples() == 3);
  CHECK(train.labels.empty());
  const auto test = load_dataset(folder.path(), kEval);
  CHECK(test.samples() == 2);
  CHECK(test.inputs[0].row_elements() == 2);
  CHECK(test.labels == std::vector<std::uint32_t>{5, 7});
  DatasetRequest one = kEval;
  one.limit = 1;
  CHECK(load_dataset(folder.path(), one).samples() == 1);
  CHECK(load_dataset(folder.path(), one).labels.size() == 1);
}

TEST_CASE("dataset: a folder that lacks a file") {
  const TemporaryFolder folder;
  CHECK(load_fails(folder.path(), kCalibrate).says("no train-images-idx3-ubyte"));
  folder.write("t10k-images-idx3-ubyte", idx_file({2, 1, 2}, "ghij"));
  const Failure labels = load_fails(folder.path(), kEval);
  CHECK(labels.code == Error::Code::io);
  CHECK(labels.says("no t10k-labels-idx1-ubyte"));
  CHECK(labels.says("get_mnist.sh"));
  const Failure none = load_fails(folder / "none", kEval);
  CHECK(none.code == Error::Code::io);
  CHECK(none.says((folder / "none") + ": no such folder"));
  CHECK(load_fails(folder.write("t.csv", "1,2"), kEval).says("neither a folder nor a .npy file"));
}

TEST_CASE("dataset: counts that differ") {
  const TemporaryFolder folder;
  folder.write("t10k-images-idx3-ubyte", idx_file({2, 1, 2}, "ghij"));
  folder.write("t10k-labels-idx1-ubyte", idx_file({3}, "\x01\x02\x03"));
  const Failure failure = load_fails(folder.path(), kEval);
  CHECK(failure.code == Error::Code::format);
  CHECK(failure.says("3 labels"));
  CHECK(failure.says("2 samples"));
}

TEST_CASE("dataset: arrays, their types and labels") {
  const TemporaryFolder folder;
  const auto x = write_npy<double>(folder, "x.npy", ArrayType::f64, {2, 2}, {1.5, -2, 0.1, 1e300});
  for (const auto& labels :
       {write_npy<std::int64_t>(folder, "a.npy", ArrayType::i64, {2}, {3, 9}),
        write_npy<std::int32_t>(folder, "b.npy", ArrayType::i32, {2}, {3, 9}),
        write_npy<std::uint8_t>(folder, "c.npy", ArrayType::u8, {2}, {3, 9})}) {
    const auto dataset = load_dataset(x + "," + labels, kEval);
    CHECK(dataset.labels == std::vector<std::uint32_t>{3, 9});
    CHECK(dataset.inputs[0].type == ArrayType::f32);
    CHECK(dataset.inputs[0].as<float>()[2] == 0.1F);
  }
  // Labels may be there where they are not asked for.
  CHECK(load_dataset(x + "," + (folder / "a.npy"), kCalibrate).labels.empty());
  CHECK(load_dataset(x, kCalibrate).samples() == 2);
  constexpr DatasetRequest where_given{Half::train, 1, Labels::where_given};
  CHECK(load_dataset(x, where_given).labels.empty());
  CHECK(load_dataset(x + "," + (folder / "a.npy"), where_given).labels.size() == 2);
}

TEST_CASE("dataset: arrays that cannot be samples or labels") {
  const TemporaryFolder folder;
  const auto x = write_npy<float>(folder, "x.npy", ArrayType::f32, {2, 1}, {1, 2});
  const auto wide = write_npy<std::int64_t>(folder, "w.npy", ArrayType::i64, {2, 1}, {1, 2});
  const auto negative = write_npy<std::int64_t>(folder, "n.npy", ArrayType::i64, {2}, {1, -2});
  const auto empty = write_npy<float>(folder, "e.npy", ArrayType::f32, {0, 4}, {});
  const auto scalar = write_npy<float>(folder, "s.npy", ArrayType::f32, {}, {1});
  CHECK(load_fails(x, kEval).says("one for the labels"));
  CHECK(load_fails(x + "," + x, kEval).says("labels of shape 2 x 1"));
  CHECK(load_fails(x + "," + wide, kEval).says("expected one dimension"));
  CHECK(load_fails(x + "," + negative, kEval).says("label -2 of sample 1"));
  CHECK(load_fails(x + "," + x + "," + x, kCalibrate).says("3 files"));
  CHECK(load_fails(x + ",", kCalibrate).says("'' is no .npy file"));
  CHECK(load_fails(x + ",l.csv", kEval).says("'l.csv' is no .npy file"));
  CHECK(load_fails(wide, kCalibrate).says("samples of type int64"));
  CHECK(load_fails(empty, kCalibrate).says("holds no sample"));
  CHECK(load_fails(scalar, kCalibrate).says("a scalar"));
}

TEST_CASE("dataset: a network with two inputs") {
  const TemporaryFolder folder;
  const auto a = write_npy<float>(folder, "a.npy", ArrayType::f32, {2, 1}, {1, 2});
  const auto b = write_npy<float>(folder, "b.npy", ArrayType::f32, {2, 2}, {1, 2, 3, 4});
  const auto c = write_npy<float>(folder, "c.npy", ArrayType::f32, {3, 1}, {1, 2, 3});
  const DatasetRequest two{Half::train, 2};
  const auto dataset = load_dataset(a + "," + b, two);
  CHECK(dataset.inputs[1].row_elements() == 2);
  CHECK(load_fails(a + "," + c, two).says("3 samples, but " + a + " has 2"));
  CHECK(load_fails(a, two).says("1 file, but 2"));
  CHECK(load_fails(folder.path(), two).says("the network has 2"));
}

TEST_CASE("dataset: arrays in memory are what files of the same would be") {
  const auto array = [](ArrayType type, std::vector<std::size_t> shape, auto values) {
    const auto bytes = std::as_bytes(std::span(values));
    return data::Array{type, std::move(shape), {bytes.begin(), bytes.end()}};
  };
  const auto pixels = array(ArrayType::u8, {2, 3}, std::to_array<std::uint8_t>({1, 2, 3, 4, 5, 6}));
  const auto reals = array(ArrayType::f64, {2, 1}, std::to_array({0.5, -2.25}));
  const auto labels = array(ArrayType::i64, {2}, std::to_array<std::int64_t>({7, 0}));
  const DatasetRequest request{Half::train, 2, Labels::where_given};
  const auto dataset = data::make_dataset({pixels, reals, labels}, request);
  CHECK(dataset.samples() == 2);
  CHECK(dataset.inputs[0].data == pixels.data);
  REQUIRE(dataset.inputs[1].type == ArrayType::f32);
  CHECK(dataset.inputs[1].as<float>()[1] == -2.25f);
  CHECK(dataset.labels == std::vector<std::uint32_t>{7, 0});
  CHECK(data::make_dataset({pixels, reals}, request).labels.empty());

  const auto fails = [&](const std::vector<data::Array>& arrays) {
    return failure_of([&] { data::make_dataset(arrays, request); });
  };
  CHECK(fails({pixels}).says("1 array, but 2 for the network's inputs"));
  CHECK(fails({pixels, labels}).says("array 1: samples of type int64"));
  const auto other = array(ArrayType::u8, {3, 1}, std::to_array<std::uint8_t>({1, 2, 3}));
  CHECK(fails({pixels, other}).says("array 1: 3 samples, but array 0 has 2"));
  CHECK(fails({pixels, reals, reals}).says("the array of labels: labels of shape 2 x 1"));
}

}  // namespace octet::test::dataset_test
