//===- Bindings.h - what the extension's files share -*- C++ -*- ---===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
// The extension `_ingot` is a thin layer over ingot.h: handles that free
// themselves, arrays in and out, the GIL released while the library works. What
// people see is written in Python, in the package's own files.
#ifndef INGOT_RUNTIME_PYTHON_BINDINGS_H
#define INGOT_RUNTIME_PYTHON_BINDINGS_H

#include "ingot.h"

#include <atomic>
#include <memory>
#include <mutex>
#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/pair.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/tuple.h>
#include <nanobind/stl/unique_ptr.h>
#include <nanobind/stl/vector.h>
#include <optional>
#include <string>
#include <vector>

namespace ingot::python {

namespace nb = nanobind;

/// A failed call; becomes an exception of ingot._errors.
struct ApiError {
  ApiError(ingot_status status, const std::string &message)
      : status(status), message(std::make_shared<const std::string>(message)) {}

  ingot_status status;
  /// Shared, since copying what is thrown must not throw.
  std::shared_ptr<const std::string> message;
};

/// Throws ApiError unless the call went well. To be called by the thread that
/// made the call, before any other call.
inline void check(ingot_status status) {
  if (status != INGOT_OK)
    throw ApiError{status, ingot_last_error()};
}

/// Owns a handle of the C API and is counted while it does.
template <typename T, void (*Free)(T *)> class Handle {
public:
  explicit Handle(T *handle) : handle(handle) { ++live; }
  Handle(const Handle &) = delete;
  Handle &operator=(const Handle &) = delete;
  ~Handle() {
    // Freeing may wait for a lock that a thread of Python's holds.
    nb::gil_scoped_release unlocked;
    Free(handle);
    --live;
  }
  T *get() const { return handle; }

  /// How many there are; for tests of leaks.
  static inline std::atomic<int64_t> live = 0;

private:
  T *handle;
};

using Model = Handle<ingot_model, ingot_model_free>;
using Session = Handle<ingot_session, ingot_session_free>;
using RunResult = Handle<ingot_result, ingot_result_free>;
using Sequence = Handle<ingot_sequence, ingot_sequence_free>;

/// Stops runs; knows whether it was the host who asked.
class Cancel {
public:
  Cancel() { check(ingot_cancel_create(&handle)); }
  Cancel(const Cancel &) = delete;
  Cancel &operator=(const Cancel &) = delete;
  ~Cancel() { ingot_cancel_free(handle); }

  void request() {
    std::lock_guard lock(mutex);
    isRequested = true;
    ingot_cancel_request(handle);
  }
  void reset() {
    std::lock_guard lock(mutex);
    isRequested = false;
    ingot_cancel_reset(handle);
  }
  bool requested() const { return isRequested; }
  /// Undoes an interruption, unless the host has asked too.
  void forgetInterrupt() {
    std::lock_guard lock(mutex);
    if (!isRequested)
      ingot_cancel_reset(handle);
  }
  ingot_cancel *get() const { return handle; }

private:
  ingot_cancel *handle = nullptr;
  /// Keeps what the host asks and what an interruption undoes apart.
  std::mutex mutex;
  std::atomic<bool> isRequested = false;
};

/// How long a call may take and what stops it.
struct Limits {
  double seconds;
  Cancel *cancel;
  /// Ctrl-C stops it. Only for the main thread.
  bool isInterruptible;
};

/// Makes Ctrl-C cancel a call while the GIL is released. Python's own handler
/// only takes a note, which the main thread reads when it is back.
class InterruptScope {
public:
  explicit InterruptScope(const Limits &limits);
  ~InterruptScope();
  InterruptScope(const InterruptScope &) = delete;
  InterruptScope &operator=(const InterruptScope &) = delete;

  /// For the call's options; may be null.
  ingot_cancel *token() const { return cancel ? cancel->get() : nullptr; }

private:
  Cancel *cancel;
  /// Of the call that this one was made in, by a function that it calls back;
  /// null for none.
  Cancel *outer = nullptr;
  bool isWatched;
};

/// Runs `call` without the GIL, under the limits; throws what it says, or
/// KeyboardInterrupt. `call` takes the cancel handle.
template <typename Call> void guarded(const Limits &limits, Call call) {
  std::optional<ApiError> failed;
  {
    InterruptScope scope(limits);
    nb::gil_scoped_release unlocked;
    // The message belongs to this thread's last call.
    ingot_status status = call(scope.token());
    if (status != INGOT_OK)
      failed.emplace(status, ingot_last_error());
  }
  // A signal whose handler raises comes before what it has caused.
  if (limits.isInterruptible && PyErr_CheckSignals() != 0)
    throw nb::python_error();
  if (failed)
    throw *failed;
}

/// A float32 vector that a call writes to.
using Logits = nb::ndarray<float, nb::ndim<1>, nb::c_contig, nb::device::cpu>;
using ConstLogits =
    nb::ndarray<const float, nb::ndim<1>, nb::c_contig, nb::device::cpu>;
using Ids =
    nb::ndarray<const int64_t, nb::ndim<1>, nb::c_contig, nb::device::cpu>;

/// Parts of the module, one for each file.
void bindModel(nb::module_ &module);
void bindSession(nb::module_ &module);
void bindSequence(nb::module_ &module);

/// All outputs of a result: (name, number of the dtype, array over its memory).
/// bf16 comes as its bits.
nb::list outputsOf(const nb::object &result);

} // namespace ingot::python

#endif // INGOT_RUNTIME_PYTHON_BINDINGS_H
