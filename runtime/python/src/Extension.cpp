//===- Extension.cpp - the extension module -*- C++ -*- ---===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "Bindings.h"

using namespace ingot::python;

/// Raises the exception that belongs to a status.
static void translate(const std::exception_ptr &thrown, void *) {
  try {
    std::rethrow_exception(thrown);
  } catch (const ApiError &error) {
    try {
      // A name in it comes from a model or is a path: bytes of any kind.
      nb::object message =
          nb::bytes(error.message->data(), error.message->size())
              .attr("decode")("utf-8", "backslashreplace");
      nb::object exception = nb::module_::import_("ingot._errors")
                                 .attr("of_status")(int(error.status), message);
      PyErr_SetObject(reinterpret_cast<PyObject *>(Py_TYPE(exception.ptr())),
                      exception.ptr());
    } catch (nb::python_error &failed) {
      failed.restore();
    }
  }
}

NB_MODULE(_ingot, module) {
  // Objects of other modules that live until the very end are no leak.
  nb::set_leak_warnings(false);
  nb::register_exception_translator(translate);
  bindModel(module);
  bindSession(module);
  bindSequence(module);
  module.def("version", ingot_version);
  module.def("live_handles", [] {
    nb::dict counts;
    counts["model"] = Model::live.load();
    counts["session"] = Session::live.load();
    counts["result"] = RunResult::live.load();
    counts["sequence"] = Sequence::live.load();
    return counts;
  });
}
