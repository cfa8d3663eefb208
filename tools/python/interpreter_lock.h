// SPDX-License-Identifier: Apache-2.0
// Letting go of Python's global interpreter lock, and taking it again, in a process that may end
// meanwhile.
#pragma once

#include <pybind11/pybind11.h>
#include <unistd.h>

#include <exception>
#include <optional>
#include <utility>

namespace octet::python {

// An interpreter that ends lets daemon threads no more in: before Python 3.14 it ends them by
// unwinding their stack, which a destructor (pybind11's guards have one) turns into std::terminate,
// and which would drop references without the lock. Here the thread sleeps until the process is
// gone, as 3.14 has it.
template <class Take>
void take_lock(Take take) {
  try {
    take();
  } catch (...) {
    while (true) ::pause();
  }
}

// Other Python threads run while f does. What f throws is thrown with the lock held.
template <class Function>
void without_lock(Function f) {
  PyThreadState* state = PyEval_SaveThread();
  std::exception_ptr thrown;
  try {
    f();
  } catch (...) {
    thrown = std::current_exception();
  }
  take_lock([&] { PyEval_RestoreThread(state); });
  if (thrown) std::rethrow_exception(std::move(thrown));
}

// For f of without_lock, to come back for a moment.
template <class Function>
void with_lock(Function f) {
  std::optional<pybind11::gil_scoped_acquire> acquired;
  take_lock([&] { acquired.emplace(); });
  f();
}

}  // namespace octet::python
