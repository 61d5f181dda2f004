//===- Binding.h - a caller's tensors against a model's signature -*- C++ -*-
//===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
// Matches the caller's tensors with the manifest by name and checks dtype,
// rank, dims, alignment and size. Messages name the tensor and say what was
// expected.
#ifndef INGOT_RUNTIME_CORE_BINDING_H
#define INGOT_RUNTIME_CORE_BINDING_H

#include "runtime/core/Manifest.h"

namespace ingot::rt {

/// A tensor as the caller gives it (ingot_tensor in ingot.h).
struct TensorView {
  std::string_view name;
  /// The number of a DType; from outside, so it may be any.
  unsigned dtype = 0;
  std::span<const int64_t> dims;
  void *data = nullptr;
  size_t bytes = 0;
};

/// What a run needs of its inputs, in manifest order.
struct BoundInputs {
  std::vector<void *> data;
  std::vector<std::string_view> names;
  /// Bytes of each input.
  std::vector<size_t> bytes;
  /// The dims of all inputs, concatenated.
  std::vector<int64_t> dims;
};

/// Whether data is wanted as well, or only dims (a shape query).
enum class BindMode { DimsOnly, WithData };

/// Binds every one of a program's inputs exactly once. `declared` are the
/// symbols of their dims.
Result<BoundInputs> bindInputs(const std::vector<TensorInfo> &inputs,
                               const std::vector<Symbol> &declared,
                               std::span<const TensorView> tensors,
                               BindMode mode);

/// Bytes of a dense tensor; fails if they are more than the address space.
Result<size_t> tensorBytes(std::string_view name, DType dtype,
                           std::span<const int64_t> dims);

/// "[2, 128]"
std::string dimsText(std::span<const int64_t> dims);

/// "'a', 'b'": for messages that list what exists.
std::string namesText(const std::vector<TensorInfo> &tensors);

/// What a tensor's pointer is in the program if it has no elements.
void *emptyData();

} // namespace ingot::rt

#endif // INGOT_RUNTIME_CORE_BINDING_H
