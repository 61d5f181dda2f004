//===- Outputs.h - where a run's outputs go -*- C++ -*- -------------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
// Outputs go to the caller's memory or to memory of their own.
#ifndef INGOT_RUNTIME_CORE_OUTPUTS_H
#define INGOT_RUNTIME_CORE_OUTPUTS_H

#include "runtime/core/Binding.h"

#include <memory>

namespace ingot::rt {

/// Frees what an output owns.
struct OutputDeleter {
  void operator()(unsigned char *data) const;
};

/// One output of a run.
struct Output {
  const TensorInfo *info = nullptr;
  std::vector<int64_t> dims;
  void *data = nullptr;
  size_t bytes = 0;
  /// Holds data if it is not the caller's.
  std::unique_ptr<unsigned char, OutputDeleter> owned;
};

/// Gives an output whose bytes are known memory of its own.
Status allocateOutput(Output &output);

/// Gives every one of `all` (all of the model's, in its order) a place: where
/// `wanted` names one with data, there, else in memory of its own. Refuses
/// buffers that are too small, not aligned, or overlap `inputs` or each other.
Status placeOutputs(std::span<const TensorView> wanted,
                    const BoundInputs &inputs, std::vector<Output> &all);

/// Moves what the caller wants out of `all`, in the order of `wanted`; all of
/// them if nothing is named. `wanted` has passed placeOutputs.
std::vector<Output> takeWanted(std::span<const TensorView> wanted,
                               std::vector<Output> &all);

} // namespace ingot::rt

#endif // INGOT_RUNTIME_CORE_OUTPUTS_H
