// SPDX-License-Identifier: Apache-2.0
// octet.Model: what Python calls.
#pragma once

#include <pybind11/pybind11.h>

#include <string>
#include <vector>

#include "tools/python/arrays.h"
#include "tools/python/session_pool.h"

namespace octet::python {

class Network {
 public:
  // name: for repr. Throws Error.
  Network(Model model, py::str name, std::size_t threads);

  // inputs: arrays in the network's order, or one dict by name. out: None, an array, or one for
  // each output. Gives out, or new arrays: one, or a tuple.
  py::object run(const py::args& inputs, const py::object& out);

  py::tuple inputs() const { return describe(inputs_); }
  py::tuple outputs() const { return describe(outputs_); }
  std::string isa() const { return pool_.model().isa(); }
  py::str repr() const;

 private:
  static py::tuple describe(const std::vector<Port>& ports);
  // In the network's order.
  std::vector<py::array> input_arrays(const py::args& given) const;
  std::vector<py::array> output_arrays(const py::object& out, py::ssize_t samples) const;

  py::str name_;
  SessionPool pool_;
  std::vector<Port> inputs_;
  std::vector<Port> outputs_;
};

}  // namespace octet::python
