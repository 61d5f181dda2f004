//===- Handles.h - what the C API's handles hold -*- C++ -*- --------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
// The opaque types of ingot.h, and the wrapper that keeps exceptions inside.
#ifndef INGOT_RUNTIME_C_HANDLES_H
#define INGOT_RUNTIME_C_HANDLES_H

#include "runtime/c/ingot.h"
#include "runtime/core/Generator.h"

#include <exception>
#include <new>

/// An input or output's info in the C API's form.
struct IngotTensorInfoStorage {
  const ingot::rt::TensorInfo *info;
  std::vector<int64_t> dims;
  std::vector<std::string> texts;
  std::vector<const char *> textPointers;

  explicit IngotTensorInfoStorage(const ingot::rt::TensorInfo &info);
};

struct ingot_model {
  std::shared_ptr<const ingot::rt::Model> model;
  std::vector<IngotTensorInfoStorage> inputs, outputs;
  /// What sequences need before their first token.
  std::vector<IngotTensorInfoStorage> bound;

  explicit ingot_model(std::shared_ptr<const ingot::rt::Model> model);
};

struct ingot_session {
  std::shared_ptr<ingot::rt::Session> session;
};

struct ingot_sequence {
  std::unique_ptr<ingot::rt::Sequence> sequence;
};

struct ingot_generation {
  ingot::rt::Generation generation;
};

struct ingot_cancel {
  ingot::rt::CancelToken token;
};

struct ingot_result {
  ingot::rt::RunResult result;
};

namespace ingot::rt {

/// Stores the message for ingot_last_error and returns the code.
ingot_status report(const Status &status);

/// Forgets the calling thread's last message.
void clearError();

/// Runs the body of an API function that returns a Status.
template <typename Body> ingot_status guarded(Body body) {
  clearError();
  try {
    return report(body());
  } catch (const std::bad_alloc &) {
    return report(Status(Code::OutOfMemory, "out of memory"));
  } catch (const std::exception &error) {
    return report(Status(Code::Internal, error.what()));
  } catch (...) {
    return report(Status(Code::Internal, "unknown exception"));
  }
}

/// A copy of an options struct whose caller may know fewer fields than we do
/// (struct_size); defaults if there is none.
template <typename Options>
Status readOptions(const Options *given, Options &options) {
  if (!given)
    return {};
  if (given->struct_size < sizeof(size_t))
    return failure(Code::InvalidArgument,
                   "struct_size of the options is not set");
  size_t known = std::min(given->struct_size, sizeof(Options));
  std::copy_n(reinterpret_cast<const unsigned char *>(given), known,
              reinterpret_cast<unsigned char *>(&options));
  options.struct_size = sizeof(Options);
  return {};
}

/// Whether dims of a caller's tensors are read.
enum class DimsUse { Read, Ignore };

/// Checks a caller's array of tensors as far as reading it needs.
Status readTensors(const ingot_tensor *tensors, size_t count,
                   std::string_view kind, DimsUse use,
                   std::vector<TensorView> &views);

/// Refuses a null argument.
template <typename T> Status require(const T *pointer, std::string_view name) {
  if (pointer)
    return {};
  return failure(Code::InvalidArgument, name, " is null");
}

} // namespace ingot::rt

#endif // INGOT_RUNTIME_C_HANDLES_H
