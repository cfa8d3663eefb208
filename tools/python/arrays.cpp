// SPDX-License-Identifier: Apache-2.0
// The checks of arrays, and what they say.
#include "tools/python/arrays.h"

#include <functional>

#include "engine/errors.h"

namespace octet::python {
namespace {

using engine::message;

py::dtype numpy_dtype(octet_dtype dtype) {
  switch (dtype) {
    case OCTET_F32:
      return py::dtype::of<float>();
    case OCTET_U8:
      return py::dtype::of<std::uint8_t>();
    case OCTET_S8:
      return py::dtype::of<std::int8_t>();
    case OCTET_S32:
      break;
  }
  return py::dtype::of<std::int32_t>();
}

bool same_dtype(const py::dtype& a, const py::dtype& b) {
  // numpy has one object for each of its own types, but others may be equal to it.
  return a.is(b) || a.equal(b);
}

// Of the elements that come after the samples.
bool same_shape(const py::array& array, const TensorInfo& info) {
  if (array.ndim() != static_cast<py::ssize_t>(info.rank)) return false;
  for (std::uint32_t i = 1; i < info.rank; ++i) {
    if (array.shape(i) != info.shape[i]) return false;
  }
  return true;
}

[[noreturn]] void fail_dtype(const std::string& label, const std::string& is, const Port& port) {
  throw py::type_error(message(label, ": is ", is, ", the network has ", dtype_text(port.dtype),
                               " ", shape_text(port.info)));
}

bool overlap(const void* a, std::size_t a_bytes, const void* b, std::size_t b_bytes) {
  const std::less<const char*> before;
  const auto* first = static_cast<const char*>(a);
  const auto* second = static_cast<const char*>(b);
  return before(first, second + b_bytes) && before(second, first + a_bytes);
}

}  // namespace

Port::Port(const char* what, const TensorInfo& tensor)
    : label(message(what, " '", tensor.name, "'")),
      name(tensor.name),
      info(tensor),
      dtype(numpy_dtype(tensor.dtype)) {}

std::string dtype_text(const py::dtype& dtype) {
  return py::str(py::handle(dtype));
}

std::string shape_text(const TensorInfo& info) {
  std::string result = "(N";
  for (std::uint32_t i = 1; i < info.rank; ++i) result += message(", ", info.shape[i]);
  return result + (info.rank == 1 ? ",)" : ")");
}

py::array check_array(py::handle value, const Port& port) {
  if (!py::isinstance<py::array>(value)) {
    const auto* type = reinterpret_cast<PyTypeObject*>(py::type::handle_of(value).ptr());
    fail_dtype(port.label, message("no numpy array but ", type->tp_name), port);
  }
  auto array = py::reinterpret_borrow<py::array>(value);
  if (!same_dtype(array.dtype(), port.dtype)) {
    fail_dtype(port.label, dtype_text(array.dtype()), port);
  }
  if (!same_shape(array, port.info)) {
    throw py::value_error(message(port.label, ": has shape ",
                                  std::string(py::str(array.attr("shape"))), ", the network has ",
                                  shape_text(port.info)));
  }
  if ((array.flags() & py::array::c_style) == 0) {
    throw py::value_error(message(port.label,
                                  ": is not C-contiguous, and nothing is copied behind your back; "
                                  "use numpy.ascontiguousarray"));
  }
  return array;
}

py::array new_array(const Port& port, py::ssize_t samples) {
  std::vector<py::ssize_t> shape{samples};
  for (std::uint32_t i = 1; i < port.info.rank; ++i) shape.push_back(port.info.shape[i]);
  return py::array(port.dtype, shape);
}

void check_overlap(const std::vector<Input>& inputs, const std::vector<Port>& input_ports,
                   const std::vector<Output>& outputs, const std::vector<Port>& output_ports) {
  const auto check = [](const Output& a, const void* data, std::size_t bytes, const Port& a_port,
                        const Port& port) {
    if (!overlap(a.data, a.bytes, data, bytes)) return;
    throw py::value_error(
        message(a_port.label, " shares memory with ", port.label, "; give it an array of its own"));
  };
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    for (std::size_t j = 0; j < inputs.size(); ++j) {
      check(outputs[i], inputs[j].data, inputs[j].bytes, output_ports[i], input_ports[j]);
    }
    for (std::size_t j = 0; j < i; ++j) {
      check(outputs[i], outputs[j].data, outputs[j].bytes, output_ports[i], output_ports[j]);
    }
  }
}

}  // namespace octet::python
