// SPDX-License-Identifier: Apache-2.0
// octet._octet: what the package's Python files make their API of.
#include <pybind11/stl.h>

#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "kernels/dispatch.h"
#include "tools/python/conversion.h"
#include "tools/python/interpreter_lock.h"
#include "tools/python/network.h"

namespace octet::python {
namespace {

// The memory of bytes, an array or a map, held while it is parsed.
class Bytes {
 public:
  explicit Bytes(const py::object& source) {
    if (PyObject_GetBuffer(source.ptr(), &view_, PyBUF_SIMPLE) != 0) throw py::error_already_set();
  }
  Bytes(const Bytes&) = delete;
  Bytes& operator=(const Bytes&) = delete;
  ~Bytes() { PyBuffer_Release(&view_); }
  std::span<const std::byte> span() const noexcept {
    return {static_cast<const std::byte*>(view_.buf), static_cast<std::size_t>(view_.len)};
  }

 private:
  Py_buffer view_{};
};

// source: a path as os.fsencode gives it, or where is_path is not set anything that has the
// buffer interface.
std::unique_ptr<Network> load(const py::object& source, bool is_path, py::str name,
                              const std::optional<std::string>& isa, bool copy, std::size_t threads,
                              const octet_limits& limits) {
  const octet_load_options options{isa ? isa->c_str() : nullptr, copy ? 1 : 0, limits};
  std::optional<Model> model;
  if (is_path) {
    const auto path = source.cast<std::string>();
    without_lock([&] { model = Model::load(path, options); });
  } else {
    const Bytes bytes(source);
    without_lock([&] { model = Model::parse(bytes.span(), "bytes", options); });
  }
  return std::make_unique<Network>(std::move(*model), std::move(name), threads);
}

void raise(const Error& error) {
  const char* code = octet_status_name(static_cast<octet_status>(error.code()));
  const py::object type = py::module_::import("octet.types").attr("ERRORS")[code];
  // A path in the message may hold bytes that are no UTF-8.
  const auto message = py::reinterpret_steal<py::object>(PyUnicode_DecodeFSDefault(error.what()));
  if (message) PyErr_SetObject(type.ptr(), message.ptr());
}

std::vector<std::string> isas() {
  const kernels::CpuFeatures cpu = kernels::detect_cpu();
  std::vector<std::string> names;
  for (const kernels::Table* table : kernels::tables()) {
    if (kernels::runs_here(*table, cpu)) names.emplace_back(table->name);
  }
  return names;
}

}  // namespace
}  // namespace octet::python

PYBIND11_MODULE(_octet, module) {
  using namespace octet::python;
  py::register_local_exception_translator([](std::exception_ptr thrown) {
    try {
      if (thrown) std::rethrow_exception(thrown);
    } catch (const octet::Error& error) {
      raise(error);
    }
  });

  py::class_<Network>(module, "Model",
                      "A loaded network. Any number of threads may call it at the same time.")
      .def("__call__", &Network::run, py::kw_only(), py::arg("out") = py::none(),
           "Runs samples through the network: arrays in the order of inputs, or one dict by "
           "name.\n\n"
           "Arrays have the network's dtype and shape, N samples first, and are C-contiguous; "
           "their\n"
           "memory is read and written as it is, without a copy. out takes an array, or one for "
           "each\n"
           "output. Gives the output, or a tuple of them.")
      .def_property_readonly("inputs", &Network::inputs, "A TensorInfo for each, in order.")
      .def_property_readonly("outputs", &Network::outputs, "A TensorInfo for each, in order.")
      .def_property_readonly("isa", &Network::isa, "The kernel table that runs it.")
      .def("__repr__", &Network::repr);

  py::class_<octet_limits>(module, "Limits")
      .def(py::init([](std::uint64_t file_bytes, std::uint64_t tensors, std::uint64_t arena_bytes,
                       std::uint64_t multiply_adds) {
        return octet_limits{file_bytes, tensors, arena_bytes, multiply_adds};
      }));

  module.def("load", &load);
  module.def("convert", &convert);
  module.def("isas", &isas);
  module.attr("version") = octet_version();
}
