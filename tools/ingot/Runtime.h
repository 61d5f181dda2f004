//===- Runtime.h - the runtime's C API, as the driver uses it -------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#ifndef INGOT_TOOLS_INGOT_RUNTIME_H
#define INGOT_TOOLS_INGOT_RUNTIME_H

#include "tools/ingot/io/Tensor.h"

#include "ingot.h"

#include <memory>

namespace ingot::cli {

/// A failed call of the C API: its status, and its message as what().
struct RuntimeError : Error {
  RuntimeError(ingot_status status, const std::string &message)
      : Error(message), status(status) {}
  ingot_status status;
};

/// The driver's name of one of the runtime's dtypes.
Dtype fromRuntime(ingot_dtype dtype);
ingot_dtype toRuntime(Dtype dtype);

/// An input or output as the model declares it.
struct TensorInfo {
  std::string name;
  Dtype dtype;
  /// Each "128", "batch", "seq * 2".
  std::vector<std::string> dims;
};

/// A loaded artifact. Throws RuntimeError.
class Model {
public:
  /// `verify`: check the weights against their checksum, which reads them.
  static Model load(const std::string &path, bool verify = true);

  std::vector<TensorInfo> inputs() const;
  std::vector<TensorInfo> outputs() const;

  /// Whether it was compiled for generation, and cannot be run once.
  bool isGenerator() const;
  /// Of a model that was: sizes, and what a sequence needs before its first
  /// token.
  ingot_generator_info generator() const;
  std::vector<TensorInfo> boundInputs() const;

private:
  friend class Session;
  std::shared_ptr<ingot_model> handle;
};

/// What a run produced.
struct RunResult {
  std::vector<Tensor> outputs;
  double milliseconds = 0;
  uint64_t arenaBytes = 0;
  int workers = 0;
};

/// How long reading a prompt took, and each token after the first.
struct Generation {
  double prefillSeconds = 0;
  std::vector<double> tokenSeconds;
};

/// A team of threads over a model. Throws RuntimeError.
class Session {
public:
  /// `threads`: 0 for as many as the process may use.
  Session(const Model &model, int threads);

  /// Runs once; inputs are found by name; all outputs, in the model's order.
  RunResult run(const std::vector<Tensor> &inputs) const;

  /// Scratch memory that a run on inputs of these shapes needs; only names,
  /// dtypes and dims are read.
  uint64_t arenaBytes(const std::vector<Tensor> &inputs) const;
  int threads() const;

  /// Runs once; the outputs are dropped.
  RunResult measure(const std::vector<Tensor> &inputs) const;

  /// Lets a new sequence, bound to `bound` if there are any, read a prompt and
  /// write `count` tokens after the first, greedily.
  Generation generate(const std::vector<Tensor> &bound,
                      const std::vector<int64_t> &prompt, size_t count) const;

  /// Notes when each worker does what, from now on.
  void startTrace() const;
  /// Writes it for a trace viewer, and stops.
  void writeTrace(const std::string &path) const;

private:
  std::shared_ptr<ingot_session> handle;
};

} // namespace ingot::cli

#endif // INGOT_TOOLS_INGOT_RUNTIME_H
