// SPDX-License-Identifier: Apache-2.0
// Options and arrays from Python to the converter, and its report back.
#include "tools/python/conversion.h"

#include <pybind11/stl.h>

#include <algorithm>
#include <cstring>
#include <optional>
#include <string>
#include <utility>

#include "tools/command/convert_file.h"
#include "tools/python/arrays.h"
#include "tools/python/interpreter_lock.h"

namespace octet::python {
namespace {

using data::ArrayType;

ArrayType array_type(const py::dtype& dtype) {
  constexpr ArrayType kTypes[] = {ArrayType::u8,  ArrayType::s8,  ArrayType::i32,
                                  ArrayType::i64, ArrayType::f32, ArrayType::f64};
  for (const ArrayType type : kTypes) {
    if (dtype.equal(py::dtype(std::string(data::type_name(type))))) return type;
  }
  throw py::type_error("calibrate: an array of " + dtype_text(dtype) +
                       ", which is none of uint8, int8, float32, float64 and, for labels, int32 "
                       "and int64");
}

// Its first rows, dense. A conversion keeps its data, so they are copied.
data::Array copy_rows(const py::array& array, std::size_t limit) {
  data::Array rows;
  rows.type = array_type(array.dtype());
  for (py::ssize_t i = 0; i < array.ndim(); ++i) {
    rows.shape.push_back(static_cast<std::size_t>(array.shape(i)));
  }
  py::array first = array;
  if (!rows.shape.empty() && rows.shape[0] > limit) {
    rows.shape[0] = limit;
    first = array[py::slice(0, static_cast<py::ssize_t>(limit), 1)];
  }
  const py::array dense = py::array::ensure(first, py::array::c_style);
  if (!dense) throw py::error_already_set();
  rows.data.resize(static_cast<std::size_t>(dense.nbytes()));
  if (!rows.data.empty()) std::memcpy(rows.data.data(), dense.data(), rows.data.size());
  return rows;
}

command::ConvertOptions convert_options(const py::dict& given) {
  command::ConvertOptions options;
  const auto take = [&](const char* name, auto& value) {
    value = given[name].cast<std::remove_reference_t<decltype(value)>>();
  };
  take("model", options.model);
  take("output", options.output);
  take("samples", options.samples);
  std::optional<std::pair<float, float>> normalize;
  take("normalize", normalize);
  if (normalize) options.normalization = engine::Normalization{normalize->first, normalize->second};
  take("mode", options.mode);
  take("weight_bits", options.weight_bits);
  take("group_size", options.group_size);
  take("weights", options.weights);
  take("strict", options.strict);
  take("symmetric", options.symmetric);
  take("equalize", options.equalize);
  take("auto", options.automatic);
  take("max_drop", options.max_drop);
  take("keep_float", options.keep_float);
  take("calibration", options.calibration);
  std::optional<double> percentile;
  take("percentile", percentile);
  options.percentile = percentile.value_or(options.percentile);
  const py::object data = given["calibrate"];
  if (py::isinstance<py::list>(data)) {
    for (const py::handle array : data) {
      options.arrays.push_back(copy_rows(array.cast<py::array>(), options.samples));
    }
  } else {
    options.calibrate = data.cast<std::string>();
  }
  options.tick = [] {
    with_lock([] {
      if (PyErr_CheckSignals() != 0) throw py::error_already_set();
    });
  };
  return options;
}

}  // namespace

py::object convert(const py::dict& given) {
  const command::ConvertOptions options = convert_options(given);
  command::ConvertReport report;
  without_lock([&] {
    report = command::convert_file(options);
    report.file.commit();
  });
  py::dict fields;
  fields["imported_nodes"] = report.imported_nodes;
  fields["simplified_nodes"] = report.simplified_nodes;
  fields["quantized_nodes"] = report.quantized_nodes;
  fields["source_bytes"] = report.source_bytes;
  fields["bytes"] = report.bytes;
  fields["notes"] = py::tuple(py::cast(report.notes));
  if (const auto& measured = report.measured) {
    fields["calibration"] = measured->calibration;
    fields["samples"] = measured->samples;
    fields["agreement"] = measured->cost.agreement();
    fields["sqnr_db"] = measured->cost.sqnr_db();
  }
  return py::module_::import("octet.types").attr("Report")(**fields);
}

}  // namespace octet::python
