// SPDX-License-Identifier: Apache-2.0
// A call from arrays to arrays; the interpreter is free for others while the network runs.
#include "tools/python/network.h"

#include <utility>

#include "engine/errors.h"
#include "tools/python/interpreter_lock.h"

namespace octet::python {
namespace {

using engine::message;

std::string names(const std::vector<Port>& ports) {
  std::string all;
  for (const Port& port : ports) all += (all.empty() ? "" : ", ") + port.name;
  return all;
}

}  // namespace

Network::Network(Model model, py::str name, std::size_t threads)
    : name_(std::move(name)), pool_(std::move(model), threads) {
  const Model& loaded = pool_.model();
  for (std::size_t i = 0; i < loaded.inputs(); ++i) {
    inputs_.emplace_back("input", loaded.input(i));
  }
  for (std::size_t i = 0; i < loaded.outputs(); ++i) {
    outputs_.emplace_back("output", loaded.output(i));
  }
}

std::vector<py::array> Network::input_arrays(const py::args& given) const {
  std::vector<py::array> arrays;
  arrays.reserve(inputs_.size());
  if (given.size() == 1 && py::isinstance<py::dict>(given[0])) {
    const auto dict = py::reinterpret_borrow<py::dict>(given[0]);
    for (const Port& port : inputs_) {
      const py::str key(port.name);
      if (!dict.contains(key)) {
        throw py::value_error(message(port.label, " ", shape_text(port.info), " is not given"));
      }
      arrays.push_back(check_array(dict[key], port));
    }
    if (dict.size() != inputs_.size()) {
      throw py::value_error(
          message(dict.size(), " inputs are given, the network's are: ", names(inputs_)));
    }
  } else {
    if (given.size() != inputs_.size()) {
      throw py::type_error(message(given.size(), (given.size() == 1 ? " input is" : " inputs are"),
                                   " given, the network's are: ", names(inputs_)));
    }
    for (std::size_t i = 0; i < inputs_.size(); ++i) {
      arrays.push_back(check_array(given[i], inputs_[i]));
    }
  }
  for (std::size_t i = 1; i < arrays.size(); ++i) {
    if (arrays[i].shape(0) == arrays[0].shape(0)) continue;
    throw py::value_error(message(inputs_[i].label, ": has ", arrays[i].shape(0), " samples, but ",
                                  inputs_[0].label, " has ", arrays[0].shape(0)));
  }
  return arrays;
}

std::vector<py::array> Network::output_arrays(const py::object& out, py::ssize_t samples) const {
  std::vector<py::array> arrays;
  arrays.reserve(outputs_.size());
  if (out.is_none()) {
    for (const Port& port : outputs_) arrays.push_back(new_array(port, samples));
    return arrays;
  }
  const bool several = py::isinstance<py::tuple>(out) || py::isinstance<py::list>(out);
  if (several ? py::len(out) != outputs_.size() : outputs_.size() != 1) {
    throw py::type_error(
        message("out must be an array for each output, which are: ", names(outputs_)));
  }
  const py::tuple list = several ? py::tuple(out) : py::make_tuple(out);
  for (std::size_t i = 0; i < outputs_.size(); ++i) {
    py::array array = check_array(list[i], outputs_[i]);
    if (array.shape(0) != samples) {
      throw py::value_error(message(outputs_[i].label, ": has room for ", array.shape(0),
                                    " samples, ", samples, " are given"));
    }
    if (!array.writeable()) {
      throw py::value_error(message(outputs_[i].label, ": the array is read-only"));
    }
    arrays.push_back(std::move(array));
  }
  return arrays;
}

py::object Network::run(const py::args& inputs, const py::object& out) {
  // These references keep the memory while others run.
  const std::vector<py::array> from = input_arrays(inputs);
  const auto samples = from[0].shape(0);
  std::vector<py::array> to = output_arrays(out, samples);

  std::vector<Input> ins;
  std::vector<Output> outs;
  for (const py::array& array : from) {
    ins.push_back({array.data(), static_cast<std::size_t>(array.nbytes())});
  }
  for (py::array& array : to) {
    outs.push_back({array.mutable_data(), static_cast<std::size_t>(array.nbytes())});
  }
  if (!out.is_none()) check_overlap(ins, inputs_, outs, outputs_);

  Session session = pool_.take();
  octet_status status = OCTET_OK;
  without_lock([&] { status = session.run(ins, outs, static_cast<std::size_t>(samples)); });
  pool_.give_back(std::move(session));
  if (status != OCTET_OK) {
    throw Error(static_cast<Error::Code>(status),
                message("a run of ", samples, " samples failed: ", octet_status_name(status)));
  }
  if (!out.is_none()) return out;
  if (to.size() == 1) return std::move(to[0]);
  py::tuple results(to.size());
  for (std::size_t i = 0; i < to.size(); ++i) results[i] = std::move(to[i]);
  return results;
}

py::tuple Network::describe(const std::vector<Port>& ports) {
  const py::object make = py::module_::import("octet.types").attr("TensorInfo");
  py::tuple all(ports.size());
  for (std::size_t i = 0; i < ports.size(); ++i) {
    const TensorInfo& info = ports[i].info;
    py::tuple shape(info.rank);
    for (std::uint32_t d = 0; d < info.rank; ++d) shape[d] = info.shape[d];
    const bool codes = info.dtype == OCTET_U8 || info.dtype == OCTET_S8;
    all[i] = make(
        ports[i].name, ports[i].dtype, shape,
        codes ? py::object(py::float_(info.scale)) : py::none(),
        codes ? py::object(py::int_(info.zero_point)) : py::none(),
        info.has_normalization != 0 ? py::object(py::make_tuple(info.mean, info.std)) : py::none());
  }
  return all;
}

py::str Network::repr() const {
  return py::str("<octet.Model {} ({})>").format(py::repr(name_), isa());
}

}  // namespace octet::python
