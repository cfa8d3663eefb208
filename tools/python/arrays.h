// SPDX-License-Identifier: Apache-2.0
// numpy arrays as what a network reads and writes: checked, never converted, never copied.
#pragma once

#include <octet/octet.h>
#include <pybind11/numpy.h>

#include <cstddef>
#include <string>
#include <vector>

namespace octet::python {

namespace py = pybind11;

// An input or output of a network, for arrays: [N, shape...] of dtype, C-contiguous.
struct Port {
  Port(const char* what, const TensorInfo& info);

  std::string label;  // "input 'x'", for messages
  std::string name;
  TensorInfo info;
  py::dtype dtype;
};

// The array that value is. Throws TypeError unless it is a numpy array of the port's dtype,
// ValueError unless its shape and strides are the port's.
py::array check_array(py::handle value, const Port& port);

py::array new_array(const Port& port, py::ssize_t samples);

// Throws ValueError where two of them share memory and one is an output.
void check_overlap(const std::vector<Input>& inputs, const std::vector<Port>& input_ports,
                   const std::vector<Output>& outputs, const std::vector<Port>& output_ports);

std::string dtype_text(const py::dtype& dtype);  // "float32"

// As numpy writes it: "(N, 784)".
std::string shape_text(const TensorInfo& info);

}  // namespace octet::python
