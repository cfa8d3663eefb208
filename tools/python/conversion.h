// SPDX-License-Identifier: Apache-2.0
// octet.convert: the command's conversion, of its options by name.
#pragma once

#include <pybind11/pybind11.h>

namespace octet::python {

namespace py = pybind11;

// options: "model", "output" and "calibrate" (text or a list of arrays) and the others that
// command::ConvertOptions has, all of them given; values were checked. Gives the fields of
// octet.Report. Throws Error; KeyboardInterrupt ends it.
py::object convert(const py::dict& options);

}  // namespace octet::python
