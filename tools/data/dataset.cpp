// SPDX-License-Identifier: Apache-2.0
// Finds the files that DATA names and checks that they belong together.
#include "tools/data/dataset.h"

#include <algorithm>
#include <filesystem>
#include <system_error>

#include "engine/errors.h"
#include "tools/data/idx.h"
#include "tools/data/npy.h"

namespace octet::data {
namespace {

constexpr const char* kDataForms =
    "give a folder with MNIST's IDX files (tools/get_mnist.sh downloads them), X.npy, or "
    "X.npy,LABELS.npy";

// Empty where it is not there.
std::string look_for_idx(const std::string& folder, const std::string& part, const char* rank) {
  const std::filesystem::path base(folder);
  for (const char* joint : {"-idx", ".idx"}) {
    for (const char* ending : {"", ".gz"}) {
      const auto path = base / (part + joint + rank + "-ubyte" + ending);
      std::error_code error;
      if (std::filesystem::exists(path, error)) return path.string();
    }
  }
  return {};
}

std::string find_idx(const std::string& folder, const std::string& part, const char* rank) {
  std::string path = look_for_idx(folder, part, rank);
  if (!path.empty()) return path;
  engine::fail(Error::Code::io, folder, ": holds no ", part, "-idx", rank, "-ubyte, plain or .gz; ",
               kDataForms);
}

// Labels as numbers from 0; path names them in messages.
std::vector<std::uint32_t> labels_of(const std::string& path, const Array& array) {
  if (array.shape.size() != 1) {
    engine::fail(Error::Code::format, path, ": labels of shape ", shape_text(array.shape),
                 ", expected one dimension; use .reshape(-1)");
  }
  std::vector<std::uint32_t> labels(array.rows());
  const auto copy = [&](const auto values) {
    for (std::size_t i = 0; i < labels.size(); ++i) {
      if (values[i] < 0 || values[i] > std::numeric_limits<std::int32_t>::max()) {
        engine::fail(Error::Code::format, path, ": label ", values[i], " of sample ", i,
                     "; labels are class numbers from 0");
      }
      labels[i] = static_cast<std::uint32_t>(values[i]);
    }
  };
  switch (array.type) {
    case ArrayType::u8:
      std::transform(array.data.begin(), array.data.end(), labels.begin(),
                     [](std::byte b) { return std::to_integer<std::uint32_t>(b); });
      break;
    case ArrayType::i32:
      copy(array.as<std::int32_t>());
      break;
    case ArrayType::i64:
      copy(array.as<std::int64_t>());
      break;
    default:
      engine::fail(Error::Code::unsupported, path, ": labels of type ", type_name(array.type),
                   ", expected uint8, int32 or int64; use .astype(numpy.int64)");
  }
  return labels;
}

Dataset load_folder(const std::string& folder, const DatasetRequest& request) {
  if (request.inputs != 1) {
    engine::fail(Error::Code::argument, folder, ": IDX files feed one input, the network has ",
                 request.inputs, "; give one .npy file per input, joined by commas");
  }
  const std::string half = request.half == Half::train ? "train" : "t10k";
  Dataset dataset;
  dataset.paths.push_back(find_idx(folder, half + "-images", "3"));
  dataset.inputs.push_back(read_idx(dataset.paths[0], request.limit));
  if (request.labels != Labels::none) {
    const bool needed = request.labels == Labels::needed;
    dataset.labels_path = (needed ? find_idx : look_for_idx)(folder, half + "-labels", "1");
  }
  if (!dataset.labels_path.empty()) {
    dataset.labels = labels_of(dataset.labels_path, read_idx(dataset.labels_path, request.limit));
  }
  return dataset;
}

std::vector<std::string> split(const std::string& text) {
  std::vector<std::string> parts(1);
  for (const char c : text) {
    if (c == ',') {
      parts.emplace_back();
    } else {
      parts.back() += c;
    }
  }
  return parts;
}

// kind: "file" or "array".
void check_count(const std::string& data, std::size_t given, const char* kind,
                 const DatasetRequest& request) {
  const bool labels_needed = request.labels == Labels::needed;
  const std::size_t needed = request.inputs + (labels_needed ? 1 : 0);
  if (given >= needed && given <= request.inputs + 1) return;
  engine::fail(
      Error::Code::argument, data, ": ", given, " ", kind, (given == 1 ? "" : "s"), ", but ",
      request.inputs, " for the network's inputs and ",
      (labels_needed ? "one for the labels are needed: " : "at most one for labels are expected: "),
      (request.inputs == 1 ? "X.npy" : "X1.npy,X2.npy,..."), (labels_needed ? ",LABELS.npy" : ""));
}

Dataset load_arrays(const std::string& data, const DatasetRequest& request) {
  const auto files = split(data);
  check_count(data, files.size(), "file", request);
  for (const std::string& file : files) {
    if (file.ends_with(".npy")) continue;
    engine::fail(Error::Code::argument, data, ": '", file, "' is no .npy file; ", kDataForms);
  }
  Dataset dataset;
  for (std::size_t i = 0; i < request.inputs; ++i) {
    dataset.paths.push_back(files[i]);
    dataset.inputs.push_back(read_samples(files[i], request.limit));
  }
  if (request.labels != Labels::none && files.size() > request.inputs) {
    dataset.labels_path = files[request.inputs];
    dataset.labels = labels_of(dataset.labels_path, read_npy(dataset.labels_path, request.limit));
  }
  return dataset;
}

// path names the array in messages.
Array samples_of(const std::string& path, Array array) {
  if (array.shape.empty()) {
    engine::fail(Error::Code::format, path, ": a scalar; the first dimension must be the samples");
  }
  if (array.type == ArrayType::i32 || array.type == ArrayType::i64) {
    engine::fail(Error::Code::unsupported, path, ": samples of type ", type_name(array.type),
                 "; use .astype(numpy.float32), or numpy.uint8 for pixels");
  }
  if (array.type != ArrayType::f64) return array;
  Array floats{ArrayType::f32, array.shape, std::vector<std::byte>(array.data.size() / 2)};
  const auto from = array.as<double>();
  std::transform(from.begin(), from.end(), floats.as<float>().begin(),
                 [](double value) { return static_cast<float>(value); });
  return floats;
}

// Throws octet::Error unless all parts are of the same samples, of which there is one at least.
void check_rows(const Dataset& dataset) {
  for (std::size_t i = 0; i < dataset.inputs.size(); ++i) {
    if (dataset.inputs[i].rows() != dataset.samples()) {
      engine::fail(Error::Code::format, dataset.paths[i], ": ", dataset.inputs[i].rows(),
                   " samples, but ", dataset.paths[0], " has ", dataset.samples(),
                   "; give files of the same samples");
    }
  }
  if (dataset.samples() == 0) {
    engine::fail(Error::Code::format, dataset.paths[0], ": holds no sample; give at least one");
  }
  if (!dataset.labels_path.empty() && dataset.labels.size() != dataset.samples()) {
    engine::fail(Error::Code::format, dataset.labels_path, ": ", dataset.labels.size(),
                 " labels, but ", dataset.paths[0], " has ", dataset.samples(),
                 " samples; give files of the same samples");
  }
}

}  // namespace

Array read_samples(const std::string& path, std::size_t max_rows) {
  return samples_of(path, read_npy(path, max_rows));
}

Dataset make_dataset(const std::vector<Array>& arrays, const DatasetRequest& request) {
  Dataset dataset;
  dataset.name = "data";
  check_count(dataset.name, arrays.size(), "array", request);
  for (std::size_t i = 0; i < request.inputs; ++i) {
    dataset.paths.push_back(engine::message("array ", i));
    dataset.inputs.push_back(samples_of(dataset.paths[i], arrays[i]));
  }
  if (request.labels != Labels::none && arrays.size() > request.inputs) {
    dataset.labels_path = "the array of labels";
    dataset.labels = labels_of(dataset.labels_path, arrays.back());
  }
  check_rows(dataset);
  return dataset;
}

Dataset load_dataset(const std::string& data, const DatasetRequest& request) {
  std::error_code error;
  const bool folder = std::filesystem::is_directory(data, error);
  if (!folder && !data.ends_with(".npy") && data.find(',') == std::string::npos) {
    const bool exists = std::filesystem::exists(data, error);
    engine::fail(Error::Code::io, data,
                 (exists ? ": neither a folder nor a .npy file; " : ": no such folder; "),
                 kDataForms);
  }
  Dataset dataset = folder ? load_folder(data, request) : load_arrays(data, request);
  dataset.name = data;
  check_rows(dataset);
  return dataset;
}

}  // namespace octet::data
